"""What has arrived is delivered at once, what has piled up in one go, and what nobody takes stops the server."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk

MIB = 2**20
PARTS = [b"one", b"two" * 1000, b"3", b"four", b"five"]
FRAMINGS: dict[str, tuple[bytes, Callable[[bytes], bytes]]] = {
    "chunked": (CHUNKED, chunk),
    "content-length": (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % sum(map(len, PARTS)), bytes),
    "close": (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", bytes),
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_each_part_is_seen_before_the_next_one_is_written(stack: Stack, framing: str) -> None:
    head, framed = FRAMINGS[framing]
    seen = threading.Semaphore(0)

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(head)
        for part in PARTS:
            assert seen.acquire(timeout=PATIENCE)
            connection.send(framed(part))
        if framing == "chunked":
            connection.send(chunk(b""))

    with WireServer(script) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        source = answer.iter_raw()
        for part in PARTS:
            seen.release()
            found = b""
            while len(found) < len(part):
                found += next(source)
            assert found == part
        assert list(source) == []


def test_half_a_chunk_is_delivered_without_its_other_half(stack: Stack) -> None:
    seen = threading.Event()

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + b"a\r\nhello")
        assert seen.wait(PATIENCE)
        connection.send(b"world\r\n0\r\n\r\n")

    with WireServer(script) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        source = answer.iter_raw()
        assert next(source) == b"hello"
        seen.set()
        assert b"".join(source) == b"world"


def test_bytes_that_follow_the_head_in_its_segment_are_delivered_with_it(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"hello"))
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        assert next(answer.iter_raw()) == b"hello"


def test_what_has_piled_up_comes_in_one_go(native_stack: Stack) -> None:
    sent = threading.Event()
    parts = [b"part %d" % number for number in range(1000)]

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED, *map(chunk, parts), chunk(b""))
        sent.set()
        connection.until_closed()

    with WireServer(script) as server, native_stack.client() as client, client.stream("GET", server.url) as answer:
        assert sent.wait(PATIENCE)
        time.sleep(0.1)  # whatever reads on another thread has long done so
        found = list(answer.iter_raw())
    assert b"".join(found) == b"".join(parts)
    assert len(found) <= 3


class Flood:
    """A script that writes without end, and notes how much it could."""

    def __init__(self) -> None:
        self.written = 0
        self.stop = threading.Event()

    def __call__(self, connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
        piece = chunk(b"x" * 16_000)
        connection.sock.settimeout(0.02)
        with contextlib.suppress(ConnectionError):
            while not self.stop.is_set():
                with contextlib.suppress(TimeoutError):
                    self.written += connection.sock.send(piece[self.written % len(piece) :])

    def settled(self) -> int:
        """How much was written once no more could be."""
        while True:
            before = self.written
            time.sleep(0.3)
            if before == self.written > 0:
                return before


def written_to_a_client_that_does_not_read(stack: Stack, **options: Any) -> int:
    flood = Flood()
    with WireServer(flood) as server, stack.client(**options) as client:
        try:
            with client.stream("GET", server.url):
                return flood.settled()
        finally:
            flood.stop.set()


@pytest.mark.parametrize("stack", stacks(*OWN[:2], *NATIVE[:2]))
def test_a_client_that_does_not_read_stops_the_server(stack: Stack) -> None:
    assert written_to_a_client_that_does_not_read(stack) < 16 * MIB  # of which the kernel may hold most


@pytest.mark.parametrize("stack", stacks(*NATIVE[:2]))
def test_the_buffer_of_a_stream_is_as_large_as_wanted(stack: Stack) -> None:
    small = written_to_a_client_that_does_not_read(stack, buffer_size=64 * 1024)
    large = written_to_a_client_that_does_not_read(stack, buffer_size=32 * MIB)
    assert 24 * MIB < large - small < 40 * MIB


def test_a_client_that_reads_late_gets_everything(stack: Stack) -> None:
    body = bytes(number % 251 for number in range(1009)) * 12_000
    done = threading.Event()

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED, *(chunk(body[at : at + 9_000]) for at in range(0, len(body), 9_000)), chunk(b""))
        done.set()

    with WireServer(script) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        source = answer.iter_raw()
        found = [next(source)]
        assert not done.wait(0.05)
        found += source
    assert b"".join(found) == body
