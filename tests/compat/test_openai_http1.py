"""Chunks of HTTP that are taken together are what h11 takes one by one; and over real connections nothing changes."""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from conftest import every_cut, random_cuts
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.compat.openai.http1 import JoiningReader, join_chunks
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream
from openai import AsyncOpenAI, OpenAI
from openai_sdk import HTTP, MODES, read, read_async

h11 = pytest.importorskip("h11")

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


def test_chunks_that_arrive_together_come_as_one() -> None:
    with socket_server(HEAD + b"".join(b"%x\r\n%b\r\n" % (len(x), x) for x in [b"one", b"two"] * 50)) as url:
        for join, expected in ((True, 1), (False, 100)):
            with HTTP.Client() as client, client.stream("GET", url) as response:
                if join:
                    join_chunks(response)
                found = list(itertools.islice(response.iter_raw(), expected))
                assert b"".join(found) == b"onetwo" * 50
                assert response.num_bytes_downloaded == 300


def test_a_response_without_chunks_or_of_another_transport_stays_as_it_is() -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
    with socket_server(answer) as url, HTTP.Client() as client, client.stream("GET", url) as response:
        join_chunks(response)
        assert response.read() == b"hello"
    for thing in (HTTP.Response(200, content=b"hello"), object(), None):
        join_chunks(thing)


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


BODY = lean_stream(20).body
REPLIES = {
    "whole": Reply(BODY),
    "cut": Reply(BODY, fault=Fault.NO_TERMINAL),
    "broken": Reply(BODY, fault=Fault.BROKEN_CHUNK),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_over_http_everything_is_the_same_again_and_again(mode: str, reply: Reply) -> None:
    logs = []
    for fast in (False, True):
        with ReplayServer([reply, reply]) as server:
            for _ in range(2):
                logs.append(_read_from(server.url, mode, fast))
    assert logs[0] == logs[1] == logs[2] == logs[3]
    assert len(logs[0]) > 5


def _read_from(url: str, mode: str, fast: bool) -> list[Any]:
    options: dict[str, Any] = {"base_url": url, "api_key": "none", "max_retries": 0}
    if mode == "sync":
        with OpenAI(**options) as client:
            return read(accelerate(client) if fast else client)

    async def main() -> list[Any]:
        async with AsyncOpenAI(**options) as client:
            return await read_async(accelerate(client) if fast else client)

    return asyncio.run(main())
