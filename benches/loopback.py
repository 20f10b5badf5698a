"""End to end: CPU time of a client process that reads whole streams over HTTP from another process."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Any

from .aclients import AsyncClients
from .clients import ASYNC, FLOOR, GUIDE, HTTPX_SSE, SDK, Clients, Result
from .generator import Served, generating
from .measure import Effort, Times, interleaved
from .shapes import PACED, Shape, lean_shape, openai_shape, paced_shape

_ONE_BY_ONE = "paced@2500"  # slow enough for every client to have taken the event before


def measure(effort: Effort, shapes: Iterable[Shape] | None = None) -> Iterator[dict[str, Any]]:
    """A row per stream and contender."""
    shapes = shapes or [openai_shape(), lean_shape(), paced_shape()]
    modes = {PACED: _ONE_BY_ONE}
    served = {shape.name: Served(modes.get(shape.name, "burst"), shape.streams[0]) for shape in shapes}
    with generating(served) as generator:
        loop = asyncio.new_event_loop()
        everyone = Clients(generator.url)
        awaiting = loop.run_until_complete(_async_clients(generator.url))
        try:
            for shape in shapes:
                jobs = _jobs(everyone, awaiting, loop, shape.name)
                for name, job in jobs.items():
                    _check(name, job(), shape)
                yield from _rows(shape, interleaved(jobs, effort))
        finally:
            everyone.close()
            loop.run_until_complete(awaiting.aclose())
            loop.close()


async def _async_clients(url: str) -> AsyncClients:
    return AsyncClients(url)


def _jobs(
    everyone: Clients, awaiting: AsyncClients, loop: asyncio.AbstractEventLoop, stream: str
) -> dict[str, Callable[[], Result]]:
    def awaited(read: Callable[[str], Awaitable[Result]]) -> Result:
        return loop.run_until_complete(read(stream))

    jobs: dict[str, Callable[[], Result]] = {name: partial(read, stream) for name, read in everyone.contenders.items()}
    return jobs | {name: partial(awaited, read) for name, read in awaiting.contenders.items()}


def _check(name: str, found: Result, shape: Shape) -> None:
    [events] = shape.expected
    text = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    expected = (shape.size, "") if name.startswith(FLOOR) else (len(events), text)
    if found != expected:
        raise AssertionError(f"{name} read {found[0]} of the {expected[0]} events of {shape.name}, or another text")


def _rows(shape: Shape, times: dict[str, Times]) -> Iterator[dict[str, Any]]:
    for name, taken in times.items():
        suffix = ASYNC if name.endswith(ASYNC) else ""
        yield {
            "stream": shape.name,
            "contender": name,
            "rounds": len(taken.rounds),
            "min_us_per_event": taken.best / shape.events / 1000,
            "median_us_per_event": taken.median / shape.events / 1000,
            "times_faster_than_guide": times[GUIDE].ratio_to(taken),
            "times_faster_than_httpx_sse": times[HTTPX_SSE + suffix].ratio_to(taken),
            "times_faster_than_sdk": times[SDK + suffix].ratio_to(taken),
        }
