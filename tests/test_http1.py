"""Chunks of HTTP that are taken together are what h11 takes one by one; and over real connections nothing changes."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, cast

import h11
import httpx
import httpx2
import pytest
from conftest import every_cut, random_cuts
from eugpt_fast._reader.http1 import JoiningReader, join_chunks
from eugpt_fast.testing import ReplayServer, Reply, lean_stream
from h11._readers import ChunkedReader

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BODIES = {
    "plain": b"5\r\nhello\r\n1\r\n \r\n000a\r\n0123456789\r\n0\r\n\r\n",
    "line ends in it": b"4\r\n\r\n\r\n\r\n2\r\n\n\n\r\n0\r\n\r\n",
    "extensions": b"5;a=b\r\nhello\r\n2 \r\nhi\r\n0;x\r\n\r\n",
    "trailers": b"5\r\nhello\r\n0\r\nx-a: 1\r\nx-b: 2\r\n\r\n",
    "big digits": b"1F\r\n" + b"x" * 31 + b"\r\n0\r\n\r\n",
    "too long": b"3\r\nhello\r\n0\r\n\r\n",
    "too short": b"7\r\nhello\r\n0\r\n\r\n",
    "wrong end of a chunk": b"3\r\nhelXX5\r\nhello\r\n0\r\n\r\n",
    "no number": b"5\r\nhello\r\nxyz\r\nhello\r\n0\r\n\r\n",
    "0x": b"0x5\r\nhello\r\n0\r\n\r\n",
    "sign": b"+5\r\nhello\r\n0\r\n\r\n",
    "cut": b"5\r\nhello\r\n5\r\nwor",
    "cut behind a chunk": b"5\r\nhello\r\n",
    "next response": b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
}


def told_by_h11(pieces: list[bytes], joining: bool) -> tuple[Any, ...]:
    """The body, and how it ended: a client that asked and then gets these pieces."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(HEAD)
    assert isinstance(connection.next_event(), h11.Response)
    if joining:
        connection._reader.__class__ = JoiningReader
    body = b""
    for piece in [*pieces, b""]:
        try:
            connection.receive_data(piece)
            while (event := connection.next_event()) not in (h11.NEED_DATA, h11.PAUSED):
                if not isinstance(event, h11.Data):
                    return body, repr(event), connection.trailing_data
                body += event.data
        except h11.RemoteProtocolError as error:
            return body, type(error), str(error)
    return body, connection.their_state, connection.trailing_data


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_joined_chunks_are_the_bytes_of_h11_under_any_cut(body: bytes) -> None:
    for pieces in every_cut(body):
        assert told_by_h11(pieces, joining=True) == told_by_h11(pieces, joining=False)


def test_many_chunks_are_the_bytes_of_h11_under_random_cuts() -> None:
    payloads = [bytes([65 + number % 26]) * (number * 37 % 700) for number in range(1, 300)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in payloads if part) + b"0\r\n\r\n"
    for pieces in random_cuts(body, 4):
        found = told_by_h11(pieces, joining=True)
        assert found == told_by_h11(pieces, joining=False)
        assert found[0] == b"".join(payloads)


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_chunks_that_arrive_together_come_as_one(library: ModuleType) -> None:
    with socket_server(HEAD + b"".join(b"%x\r\n%b\r\n" % (len(x), x) for x in [b"one", b"two"] * 50)) as url:
        for join, expected in ((True, 1), (False, 100)):
            with library.Client() as client, client.stream("GET", url) as response:
                if join:
                    join_chunks(response)
                found = list(itertools.islice(response.iter_raw(), expected))
                assert b"".join(found) == b"onetwo" * 50
                assert response.num_bytes_downloaded == 300


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_response_without_chunks_or_of_another_transport_stays_as_it_is(library: ModuleType) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    with socket_server(answer) as url, library.Client() as client, client.stream("GET", url) as response:
        join_chunks(response)
        assert response.read() == b"hello"
    join_chunks(library.Response(200, content=b"hello"))


def test_a_response_that_was_read_leaves_the_next_one_on_its_connection_alone() -> None:
    with ReplayServer([Reply(lean_stream(3).body)] * 2) as server, httpx.Client() as client:
        with client.stream("POST", f"{server.url}/responses") as first:
            first.read()
        with client.stream("POST", f"{server.url}/responses") as second:
            join_chunks(first)
            reader = cast(Any, second).stream._stream._httpcore_stream._stream._connection._h11_state._reader
            assert type(reader) is ChunkedReader


@pytest.mark.parametrize("value", [0, None])
def test_a_reader_that_keeps_its_state_otherwise_stays_as_it_is(value: int | None) -> None:
    """As those of h11 0.14, which counts the bytes to discard, and of versions to come."""
    with socket_server(HEAD + b"3\r\none\r\n") as url, httpx.Client() as client, client.stream("GET", url) as response:
        reader = cast(Any, response).stream._stream._httpcore_stream._stream._connection._h11_state._reader
        if value is None:
            del reader._bytes_to_discard
        else:
            reader._bytes_to_discard = value
        join_chunks(response)
        assert type(reader) is ChunkedReader


@contextmanager
def socket_server(answer: bytes) -> Iterator[str]:
    """Sends the same bytes in one piece to everyone, and leaves the connection open until the client closes it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(10)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(answer)
                connection.settimeout(10)
                connection.recv(65536)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
