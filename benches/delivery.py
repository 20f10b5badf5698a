"""How long an event takes from the server's write to Python, alone and in a crowd: ``python -m benches.delivery``.

The generator writes the time into every event, and both processes read the same clock.
"""

import argparse
import asyncio
import contextlib
import json
import re
import resource
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import aiohttp
import eugpt_fast
import httpx
from eugpt_fast import AsyncEventStream, EventStream
from eugpt_fast.testing import lean_stream

from .byhand import ByHand
from .clients import BY_HAND, HAS_NATIVE, NATIVE, OURS
from .generator import Generator, Served, generating, stamped

RAW = "httpx, raw bytes"
AIOHTTP = "aiohttp + orjson"
_STAMP = re.compile(rb'"obfuscation":"(\d{19})"')
_OPENING = 20.0  # seconds that a client may take to open all streams
_UNLIMITED = {"max_connections": None, "max_keepalive_connections": 20}


def first_events(requests: int) -> Iterator[dict[str, Any]]:
    """A row per contender: the delay of the first event of a response, request by request, all in turns."""
    served = {"first": Served("paced@1000", stamped(lean_stream(1).body))}
    with generating(served) as generator, httpx.Client() as plain:
        contenders: dict[str, Callable[[], int]] = {
            RAW: lambda: _raw(plain, generator.url),
            OURS: lambda: _ours(plain, generator.url),
        }
        if HAS_NATIVE:
            native = httpx.Client(transport=eugpt_fast.Transport())
            contenders[OURS + NATIVE] = lambda: _ours(native, generator.url)
        delays: dict[str, list[int]] = {name: [] for name in contenders}
        for number in range(-10, requests):  # the first are for connections and imports
            for name, delay in contenders.items():
                taken = delay()
                if number >= 0:
                    delays[name].append(taken)
    for name, found in delays.items():
        yield {"contender": name, "requests": requests, **_quantiles(found)}


def _raw(client: httpx.Client, url: str) -> int:
    with client.stream("POST", f"{url}/first", json={}) as response:
        chunks = response.iter_raw()
        first = next(chunks)
        now = time.monotonic_ns()
        for _ in chunks:
            pass
    match = _STAMP.search(first)
    assert match is not None
    return now - int(match[1])


def _ours(client: httpx.Client, url: str) -> int:
    with client.stream("POST", f"{url}/first", json={}) as response:
        events = EventStream(response)
        first = next(events)
        now = time.monotonic_ns()
        for _ in events:
            pass
    return now - int(first["obfuscation"])


class Crowd:
    """Many paced streams at once: every delay of every event in the seconds after the last stream has begun."""

    def __init__(self, streams: int, rate: int, seconds: float) -> None:
        self._streams = streams
        self._seconds = seconds
        self._served = {"crowd": Served(f"paced@{rate}", stamped(lean_stream(int(rate * (seconds + _OPENING))).body))}

    def measure(self, only: str | None = None) -> Iterator[dict[str, Any]]:
        """A row per contender."""
        # As many sockets as the system allows.
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        with generating(self._served) as generator:
            for name, reading in _CROWD.items():
                if only in (None, name):
                    yield {"contender": name, "streams": self._streams, **asyncio.run(self._run(reading, generator))}

    async def _run(self, reading: "Reading", generator: Generator) -> dict[str, Any]:
        watch = _Watch(self._streams)
        async with reading() as read:
            jobs = [asyncio.ensure_future(watch.follow(read, f"{generator.url}/crowd")) for _ in range(self._streams)]
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(watch.all_open.wait(), _OPENING)
            generator.report()
            watch.delays.clear()
            wall, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(self._seconds)
            wall, cpu, delays = time.monotonic() - wall, time.process_time() - cpu, watch.delays.copy()
            report = generator.report()
            for job in jobs:
                job.cancel()
            ended = await asyncio.gather(*jobs, return_exceptions=True)
        for error in ended:
            if not isinstance(error, asyncio.CancelledError):
                raise RuntimeError("a stream ended before it was left") from error
        return {
            "open": self._streams - watch.unopened,
            "lost": watch.lost,
            "events_per_second": len(delays) / wall,
            "us_per_event": cpu * 1e6 / len(delays),
            "core": cpu / wall,
            **_quantiles(delays),
            "generator": report,
        }


class _Watch:
    """What comes of many streams."""

    def __init__(self, streams: int) -> None:
        self.unopened = streams
        self.all_open = asyncio.Event()
        self.delays: list[int] = []
        self.lost = 0

    async def follow(self, read: "Read", url: str) -> None:
        number = 0
        async for event in read(url):
            self.delays.append(time.monotonic_ns() - int(event["obfuscation"]))
            self.lost += event["sequence_number"] != number
            number += 1
            if number == 1:
                self.unopened -= 1
                if not self.unopened:
                    self.all_open.set()


Read = Callable[[str], AsyncIterator[Any]]


class Reading:
    """A client, and how it reads one stream."""

    async def __aenter__(self) -> Read:
        raise NotImplementedError


class _Httpx(Reading):
    def __init__(self, transport: Callable[[], Any] = lambda: None) -> None:
        self._client = httpx.AsyncClient(
            transport=transport(), limits=httpx.Limits(**_UNLIMITED), timeout=httpx.Timeout(60)
        )

    async def __aenter__(self) -> Read:
        return self._read

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def _read(self, url: str) -> AsyncIterator[Any]:
        async with self._client.stream("POST", url, json={}) as response:
            async for event in AsyncEventStream(response):
                yield event


class _Native(_Httpx):
    def __init__(self) -> None:
        super().__init__(lambda: eugpt_fast.AsyncTransport(limits=httpx.Limits(**_UNLIMITED)))


class _ByHand(_Httpx):
    async def _read(self, url: str) -> AsyncIterator[Any]:
        parser = ByHand()
        async with self._client.stream("POST", url, json={}) as response:
            async for chunk in response.aiter_raw():
                for event in parser.feed(chunk):
                    yield event


class _Aiohttp(Reading):
    def __init__(self) -> None:
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def __aenter__(self) -> Read:
        return self._read

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()

    async def _read(self, url: str) -> AsyncIterator[Any]:
        parser = ByHand()
        async with self._client.post(url, json={}) as response:
            async for chunk in response.content.iter_any():
                for event in parser.feed(chunk):
                    yield event


_CROWD: dict[str, Callable[[], Any]] = {
    **({OURS + NATIVE: _Native} if HAS_NATIVE else {}),
    OURS: _Httpx,
    BY_HAND: _ByHand,
    AIOHTTP: _Aiohttp,
}


def _quantiles(nanoseconds: list[int]) -> dict[str, float]:
    cuts = statistics.quantiles(nanoseconds, n=100, method="inclusive")
    return {"p50_us": cuts[49] / 1000, "p99_us": cuts[98] / 1000, "max_us": max(nanoseconds) / 1000}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.delivery", description="Delays of events, as JSON.")
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--rate", type=int, default=50, help="events per second and stream")
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--only", choices=list(_CROWD))
    options = parser.parse_args()
    for row in Crowd(options.streams, options.rate, options.seconds).measure(options.only):
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
