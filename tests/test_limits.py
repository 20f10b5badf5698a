"""What a hostile server sends, over HTTP: each stream ends in the error that is named for it, in bounded memory."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import gzip
import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import eugpt_fast
import httpx
import httpx2
import pytest
import requests
from eugpt_fast import AsyncEventStream, EventStream, Verdict
from eugpt_fast.errors import EventTooLarge, StreamInterrupted
from eugpt_fast.testing import lean_stream
from transport.wire import Connection, Script, WireServer, chunk, once

MIB = 2**20
LIMIT = MIB  # of one event
PATIENCE = 0.3  # seconds without content
MARKS = Path("/proc/self/clear_refs")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
DONE = b'data: {"type":"response.completed","response":{"status":"completed"}}\n\n'

pytestmark = pytest.mark.skipif(not os.access(MARKS, os.W_OK), reason="needs /proc")


@contextlib.contextmanager
def bounded(size: int) -> Iterator[None]:
    """The process grows by less than ``size`` bytes, at any time."""

    def status(name: str) -> int:
        (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
        return int(line.split()[1]) * 1024

    gc.collect()
    MARKS.write_text("5")  # what was the most is forgotten
    before = status("VmRSS")
    yield
    assert status("VmHWM") - before < size


@dataclass(frozen=True)
class Way:
    """How a stream is read."""

    library: ModuleType = httpx
    native: bool = False
    waits: bool = False
    collects: bool = False

    def __str__(self) -> str:
        words = [("async", self.waits), (self.library.__name__, True), ("native", self.native)]
        return " ".join(word for word, said in [*words, ("collect", self.collects)] if said)

    def read(self, url: str, **options: Any) -> EventStream | AsyncEventStream:
        """The stream, read to its end; raises what it raises."""
        options = {"max_event_size": LIMIT, **options}
        return asyncio.run(self._read_async(url, options)) if self.waits else self._read(url, options)

    def _read(self, url: str, options: dict[str, Any]) -> EventStream:
        transport = eugpt_fast.Transport() if self.native else None
        with self.library.Client(transport=transport) as client, client.stream("GET", url) as response:
            stream = EventStream(response, **options)
            if self.collects:
                stream.collect()
            for _ in stream:
                pass
            return stream

    async def _read_async(self, url: str, options: dict[str, Any]) -> AsyncEventStream:
        transport = eugpt_fast.AsyncTransport() if self.native else None
        async with self.library.AsyncClient(transport=transport) as client, client.stream("GET", url) as response:
            stream = AsyncEventStream(response, **options)
            if self.collects:
                await stream.collect()
            async for _ in stream:
                pass
            return stream


STOCK = [Way(), Way(httpx2), Way(waits=True), Way(collects=True)]
NATIVE = [
    Way(native=True, waits=waits, collects=collects)
    for waits in (False, True)
    for collects in (False, True)
    if hasattr(eugpt_fast, "Transport")
]
ways = pytest.mark.parametrize("way", STOCK + NATIVE, ids=str)


def endless(start: bytes, again: bytes) -> Script:
    """A body that begins and then repeats itself until the client has left."""
    block = again * (65536 // len(again))

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        if start:
            connection.send(chunk(start))
        while True:
            connection.send(chunk(block))

    return script


@ways
@pytest.mark.parametrize(("start", "again"), [(b"data: ", b"x"), (b"", b"data: x\n")], ids=["line", "lines"])
def test_an_event_that_never_ends_is_too_large(way: Way, start: bytes, again: bytes) -> None:
    with WireServer(endless(start, again)) as server, bounded(24 * MIB):
        with pytest.raises(EventTooLarge) as caught:
            way.read(server.url)
        assert caught.value.limit == LIMIT


@ways
@pytest.mark.parametrize("again", [b": ping\n\n", b'data: {"type":"keepalive"}\n\n'], ids=["comments", "keepalive"])
def test_a_stream_of_nothing_but_signs_of_life_is_interrupted(way: Way, again: bytes) -> None:
    with WireServer(endless(b"data: {}\n\n", again)) as server, bounded(24 * MIB):
        with pytest.raises(StreamInterrupted) as caught:
            way.read(server.url, content_timeout=PATIENCE)
        assert isinstance(caught.value.__cause__, TimeoutError)


@pytest.mark.parametrize("way", [*STOCK[::2], *NATIVE[1:3]], ids=str)
def test_what_never_ends_behind_the_terminal_event_changes_nothing(way: Way) -> None:
    with WireServer(endless(DONE, b": ping\n\n")) as server, bounded(24 * MIB):
        assert way.read(server.url).verdict is Verdict.COMPLETED


@ways
def test_ten_thousand_tiny_chunks_are_the_stream_that_they_carry(way: Way) -> None:
    stream = lean_stream(120)
    body = stream.body.replace(DONE, b"")
    assert len(body) > 10_000
    answer = HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(chunk(bytes([byte])) for byte in body) + chunk(b"")
    with WireServer(once(answer)) as server, bounded(24 * MIB):
        read = way.read(server.url)
        assert (read.verdict, read.text, read.metrics.events) == (Verdict.COMPLETED, stream.text, stream.events)


@functools.cache
def bomb() -> bytes:
    """One event of 256 MiB, packed to some hundred kilobytes."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([packer.compress(b"data: "), *(packer.compress(b"x" * MIB) for _ in range(256)), packer.flush()])


PACKED = HEAD + b"Content-Encoding: gzip\r\n"


@pytest.mark.parametrize("way", [*STOCK[:3], *NATIVE[:1]], ids=str)
def test_a_decompression_bomb_is_too_large(way: Way) -> None:
    answer = PACKED + b"Content-Length: %d\r\n\r\n" % len(bomb()) + bomb()
    # What httpx unpacks at a time is not for us to choose: 64 KiB, which may become 64 MiB, and it copies them.
    with WireServer(once(answer)) as server, bounded(200 * MIB), pytest.raises(EventTooLarge):
        way.read(server.url)


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_decompression_bomb_over_requests_is_too_large(framing: str) -> None:
    framed = [b"Content-Length: %d\r\n\r\n" % len(bomb()), bomb()]
    if framing == "chunks":
        framed = [b"Transfer-Encoding: chunked\r\n\r\n", chunk(bomb()), chunk(b"")]
    with (
        WireServer(once(PACKED, *framed)) as server,
        requests.get(server.url, stream=True, timeout=10) as response,
        bounded(200 * MIB),
        pytest.raises(EventTooLarge),
    ):
        list(EventStream(response, max_event_size=LIMIT))


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_what_is_unpacked_at_once_is_parsed_in_pieces(library: ModuleType) -> None:
    """Else the objects of all its events would be there at once."""
    body = gzip.compress(b"data: {}\n\n" * 100_000 + DONE)

    def transport() -> Any:
        return library.MockTransport(
            lambda _: library.Response(200, headers={"content-encoding": "gzip"}, content=body)
        )

    with (
        library.Client(transport=transport()) as client,
        client.stream("GET", "http://x") as answer,
        EventStream(answer) as stream,
    ):
        assert dict[str, object](next(stream)) == {}
        assert stream.metrics.events < 10_000
        assert stream.collect().metrics.events == 100_001

    async def read() -> None:
        async with (
            library.AsyncClient(transport=transport()) as client,
            client.stream("GET", "http://x") as answer,
            AsyncEventStream(answer) as stream,
        ):
            assert dict[str, object](await anext(stream)) == {}
            assert stream.metrics.events < 10_000
            assert (await stream.collect()).metrics.events == 100_001

    asyncio.run(read())
