"""A server that dies or falls silent in the middle of a stream."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from .stacks import Stack
from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk

PROGRAM = f"""
import socket, time
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    connection.recv(65536)
    connection.sendall({CHUNKED + chunk(b"hello")!r})
    kept = connection
"""


@pytest.fixture
def process() -> Iterator[Any]:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as server:
        yield server
        server.kill()


def test_a_server_that_is_killed_is_noticed_at_once(stack: Stack, process: Any) -> None:
    url = f"http://127.0.0.1:{int(process.stdout.readline())}"
    errors = (stack.library.RemoteProtocolError, stack.library.ReadError)
    with stack.client(timeout=None) as client, client.stream("GET", url + "/x") as answer:
        source = answer.iter_raw()
        assert next(source) == b"hello"
        process.kill()
        with pytest.raises(errors) as caught:
            next(source)
    assert caught.value.request.url.path == "/x"


def test_a_server_that_sends_no_more_but_still_listens(stack: Stack) -> None:
    """The half that is closed tells that the body is not whole; the other one is closed by us."""
    seen = threading.Event()

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"hello"))
        assert seen.wait(PATIENCE)
        connection.sock.shutdown(socket.SHUT_WR)
        connection.until_closed()

    with WireServer(script) as server:
        with stack.client(timeout=None) as client, client.stream("GET", server.url) as answer:
            source = answer.iter_raw()
            assert next(source) == b"hello"
            seen.set()
            with pytest.raises(stack.library.RemoteProtocolError):
                next(source)
        server.wait_until_left()


def test_a_server_that_is_there_no_more_without_a_word(stack: Stack) -> None:
    """As behind a router that forgot the connection: only the read timeout can tell."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"hello"))
        connection.until_closed()

    timeout = stack.library.Timeout(None, read=0.15)
    with WireServer(script) as server, stack.client(timeout=timeout) as client:
        with client.stream("GET", server.url) as answer:
            source = answer.iter_raw()
            assert next(source) == b"hello"
            with pytest.raises(stack.library.ReadTimeout):
                next(source)
        server.wait_until_left()
