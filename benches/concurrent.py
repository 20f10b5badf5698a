"""Many streams at once in one event loop: CPU time of the client process, each event a write of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from eugpt_fast.testing import lean_stream, openai_stream

from .aclients import AIOHTTP, AsyncClients
from .clients import ASYNC, BY_HAND, COLLECT, FAST_SDK, NATIVE, OURS, SDK
from .generator import Generator, Served, generating
from .measure import Effort, interleaved

STREAMS = 200
EACH, PACED = "each", "paced"
_WARM = "warm"
_SERVED = {
    # For imports and first requests; who keeps connections has all of them open at the same time.
    _WARM: Served("paced@10", lean_stream(1).body),
    EACH: Served("each", openai_stream(200).body),
    PACED: Served("paced@50", openai_stream(192).body),
}
_CONTENDERS = [OURS + NATIVE, COLLECT + NATIVE, FAST_SDK + NATIVE, OURS, COLLECT, BY_HAND, AIOHTTP, FAST_SDK, SDK]
_BESIDE = {"httpx_orjson": BY_HAND, "aiohttp_orjson": AIOHTTP, "sdk": SDK}


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    """A row per mode and contender."""
    loop = asyncio.new_event_loop()
    with generating(_SERVED) as generator:
        clients = loop.run_until_complete(_made(generator.url))
        try:
            found = clients.contenders
            readers = {name: found[name + ASYNC] for name in _CONTENDERS if name + ASYNC in found}
            for mode, rounds in ((EACH, 1 if quick else 4), (PACED, 1)):
                yield from _measure(loop, generator, readers, mode, rounds)
        finally:
            loop.run_until_complete(clients.aclose())
            loop.close()


async def _made(url: str) -> AsyncClients:
    return AsyncClients(url)


def _measure(
    loop: asyncio.AbstractEventLoop,
    generator: Generator,
    readers: dict[str, Callable[[str], Awaitable[Any]]],
    mode: str,
    rounds: int,
) -> Iterator[dict[str, Any]]:
    stream = openai_stream({EACH: 200, PACED: 192}[mode])
    reports: dict[str, dict[str, Any]] = {}

    async def all_of(read: Callable[[str], Awaitable[Any]], name: str) -> list[Any]:
        return await asyncio.gather(*(read(name) for _ in range(STREAMS)))

    def job(name: str) -> None:
        found = loop.run_until_complete(all_of(readers[name], mode))
        if found != [(stream.events, stream.text)] * STREAMS:
            raise AssertionError(f"{name} has not read the events of {mode}")
        reports[name] = generator.report()  # takes less than the clock can see

    for read in readers.values():
        loop.run_until_complete(all_of(read, _WARM))
    generator.report()
    times = interleaved({name: partial(job, name) for name in readers}, Effort(rounds, 3.0, 1, 0.0))
    events = STREAMS * stream.events
    for name, taken in times.items():
        yield {
            "mode": mode,
            "contender": name,
            "rounds": len(taken.rounds),
            "min_us_per_event": taken.best / events / 1000,
            "median_us_per_event": taken.median / events / 1000,
            "events_per_second": events / reports[name]["seconds"],
            **{f"times_faster_than_{beside}": times[peer].ratio_to(taken) for beside, peer in _BESIDE.items()},
            "generator": reports[name],
        }
