"""Many streams at once in one event loop: CPU time of the client process, each event a write of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from eugpt_fast import _pure
from eugpt_fast.testing import lean_stream, openai_stream

from .aclients import AIOHTTP, AsyncClients
from .clients import ASYNC, BY_HAND, COLLECT, FAST_SDK, HAS_NATIVE, NATIVE, OURS, SDK
from .generator import Generator, Served, generating
from .measure import Effort, Times, interleaved

STREAMS = 200
EACH, PACED = "each", "paced"
_BRIEF, _WARM = "brief", "warm"
_OF_NAME = {
    EACH: openai_stream(2000),
    _BRIEF: openai_stream(392),
    PACED: openai_stream(192),
    _WARM: lean_stream(1),
}
_MODES = {
    EACH: "each",
    _BRIEF: "each",
    PACED: "paced@50",
    # For imports and first requests; who keeps connections has all of them open at the same time.
    _WARM: "paced@10",
}
_CONTENDERS = [OURS + NATIVE, COLLECT + NATIVE, FAST_SDK + NATIVE, OURS, BY_HAND, AIOHTTP, FAST_SDK, SDK]
_BESIDE = {"httpx_orjson": BY_HAND, "aiohttp_orjson": AIOHTTP, "sdk": SDK}


def measure(quick: bool) -> Iterator[dict[str, Any]]:
    """A row per mode and contender."""
    loop = asyncio.new_event_loop()
    with generating({name: Served(_MODES[name], stream.body) for name, stream in _OF_NAME.items()}) as generator:
        clients = loop.run_until_complete(_made(generator.url))
        try:
            found = clients.contenders
            readers = {name: found[name + ASYNC] for name in _CONTENDERS if name + ASYNC in found}
            if HAS_NATIVE:
                loop.run_until_complete(_check_events(clients, EACH))
            yield from _measure(loop, generator, readers, EACH, rounds=1 if quick else 4)
            # The peers of the event loop are enough here: it takes as long as it takes.
            paced = {name: read for name, read in readers.items() if name not in (FAST_SDK, SDK)}
            yield from _measure(loop, generator, paced, PACED, rounds=1)
        finally:
            loop.run_until_complete(clients.aclose())
            loop.close()


async def _made(url: str) -> AsyncClients:
    return AsyncClients(url)


async def _check_events(clients: AsyncClients, name: str) -> None:
    """Counts and texts are compared of every stream; here all of every event."""
    if await clients.native_events(name) != _pure.Parser().feed(_OF_NAME[name].body):
        raise AssertionError(f"the events of {name} over the native transport are not those of the pure twin")


def _read_by(contender: str, mode: str) -> str:
    """The stream for a contender: the SDK would take a minute for what the others read."""
    return _BRIEF if contender == SDK else mode


def _measure(
    loop: asyncio.AbstractEventLoop,
    generator: Generator,
    readers: dict[str, Callable[[str], Awaitable[Any]]],
    mode: str,
    rounds: int,
) -> Iterator[dict[str, Any]]:
    reports: dict[str, dict[str, Any]] = {}

    async def all_of(read: Callable[[str], Awaitable[Any]], name: str) -> list[Any]:
        return await asyncio.gather(*(read(name) for _ in range(STREAMS)))

    def job(contender: str) -> None:
        name = _read_by(contender, mode)
        found = loop.run_until_complete(all_of(readers[contender], name))
        if found != [(_OF_NAME[name].events, _OF_NAME[name].text)] * STREAMS:
            raise AssertionError(f"{contender} has not read the events of {name}")
        reports[contender] = generator.report()  # takes less than the clock can see

    for read in readers.values():
        loop.run_until_complete(all_of(read, _WARM))
    generator.report()
    spent = interleaved({name: partial(job, name) for name in readers}, Effort(rounds, 3.0, 1, 0.0))
    times = {name: _per_event(taken, _OF_NAME[_read_by(name, mode)].events) for name, taken in spent.items()}
    for name, taken in times.items():
        yield {
            "mode": mode,
            "contender": name,
            "rounds": len(taken.rounds),
            "min_us_per_event": taken.best / 1000,
            "median_us_per_event": taken.median / 1000,
            "events_per_second": reports[name]["events"] / reports[name]["seconds"],
            **{
                f"times_faster_than_{beside}": times[peer].ratio_to(taken) if peer in times else None
                for beside, peer in _BESIDE.items()
            },
            "generator": reports[name],
        }


def _per_event(taken: Times, events: int) -> Times:
    return Times([spent / (STREAMS * events) for spent in taken.rounds])
