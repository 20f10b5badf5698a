"""End to end: CPU time of a client process that reads whole streams over HTTP from another process."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from .clients import ASYNC, FLOOR, GUIDE, HTTPX_SSE, SDK, Clients, Result
from .measure import Effort, Times, interleaved
from .replay import replay_process
from .shapes import Shape, lean_shape, openai_shape, paced_shape


def measure(effort: Effort) -> Iterator[dict[str, Any]]:
    """A row per stream and contender."""
    with replay_process() as url:
        loop = asyncio.new_event_loop()
        everyone = Clients(url)
        try:
            for shape in (openai_shape(), lean_shape(), paced_shape()):
                jobs = _jobs(everyone, loop, shape.name)
                for name, job in jobs.items():
                    _check(name, job(), shape)
                yield from _rows(shape, interleaved(jobs, effort))
        finally:
            everyone.close()
            loop.run_until_complete(everyone.aclose())
            loop.close()


def _jobs(everyone: Clients, loop: asyncio.AbstractEventLoop, stream: str) -> dict[str, Callable[[], Result]]:
    def awaited(read: Callable[[str], Awaitable[Result]]) -> Result:
        return loop.run_until_complete(read(stream))

    jobs: dict[str, Callable[[], Result]] = {name: partial(read, stream) for name, read in everyone.blocking.items()}
    return jobs | {name: partial(awaited, read) for name, read in everyone.awaiting.items()}


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
