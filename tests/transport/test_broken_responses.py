"""What is no HTTP, and what ends too early, raises the library's own exceptions, with the request in them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from .stacks import Stack
from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk, once, response

NO_HEAD = {
    "garbage": b"this is no HTTP at all\r\n\r\n",
    "binary": bytes(range(256)) * 4,
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n",
    "no status": b"HTTP/1.1\r\n\r\n",
    "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a space in a name": b"HTTP/1.1 200 OK\r\nx y: 1\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nx-y\r\n\r\n",
    "a NUL in a value": b"HTTP/1.1 200 OK\r\nx-y: a\0b\r\n\r\n",
    "a length of letters": b"HTTP/1.1 200 OK\r\ncontent-length: five\r\n\r\nhello",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nhello",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello!",
    "half a status line": b"HTTP/1.1 200",
    "half a head": b"HTTP/1.1 200 OK\r\nx-y: 1\r\n",
    "only an interim response": b"HTTP/1.1 100 Continue\r\n\r\n",
    "nothing": b"",
}


@pytest.mark.parametrize("name", NO_HEAD)
def test_what_is_no_head_is_a_protocol_error(stack: Stack, name: str) -> None:
    with WireServer(once(NO_HEAD[name])) as server, stack.client() as client:
        with pytest.raises(stack.library.RemoteProtocolError) as caught:
            client.get(server.url + "/x")
        assert caught.value.request.url.path == "/x"
        assert str(caught.value)
        server.wait_until_left()


BROKEN_BODIES = {
    "short of its length": (response(b"hello world").removesuffix(b" world"), b"hello"),
    "nothing of its length": (response(b"hello world").removesuffix(b"hello world"), b""),
    "no last chunk": (CHUNKED + chunk(b"hello"), b"hello"),
    "no chunk": (CHUNKED, b""),
    "half a chunk": (CHUNKED + chunk(b"hello") + b"8\r\nwor", b"hellowor"),
    "half a size": (CHUNKED + chunk(b"hello") + b"8", b"hello"),
    "no line behind the last chunk": (CHUNKED + chunk(b"hello") + b"0\r\n", b"hello"),
    "half a trailer": (CHUNKED + chunk(b"hello") + b"0\r\nx-a: ", b"hello"),
    "no size": (CHUNKED + chunk(b"hello") + b"xyz\r\n", b"hello"),
    "an empty size": (CHUNKED + chunk(b"hello") + b"\r\nhello\r\n", b"hello"),
    "a signed size": (CHUNKED + chunk(b"hello") + b"+5\r\nworld\r\n", b"hello"),
    "a huge size": (CHUNKED + chunk(b"hello") + b"f" * 30 + b"\r\nworld\r\n", b"hello"),
    "no line end behind a chunk": (CHUNKED + chunk(b"hello") + b"5\r\nworldXX", b"helloworld"),
}


@pytest.mark.parametrize("name", BROKEN_BODIES)
def test_a_body_that_breaks_off_gives_its_bytes_and_then_a_protocol_error(stack: Stack, name: str) -> None:
    answer, expected = BROKEN_BODIES[name]
    with WireServer(once(answer)) as server, stack.client() as client:
        error, found = read_until_error(client, server.url + "/x")
        server.wait_until_left()
    assert type(error) is stack.library.RemoteProtocolError
    assert error.request.url.path == "/x"
    assert str(error)
    assert found == expected


def read_until_error(client: Any, url: str, seen: Callable[[], None] = lambda: None) -> tuple[Any, bytes]:
    """The bytes of the body, and what was raised behind them; ``seen`` is called when bytes have come."""
    found = b""
    with client.stream("GET", url) as answer:
        try:
            for part in answer.iter_raw():
                found += part
                seen()
        except Exception as error:
            return error, found
    pytest.fail("the body ended well")


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\n"])
def test_a_reset_before_the_head_is_a_read_error(stack: Stack, before: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(before)
        connection.reset()

    with WireServer(script) as server, stack.client() as client, pytest.raises(stack.library.ReadError) as caught:
        client.get(server.url + "/x")
    assert caught.value.request.url.path == "/x"


def test_a_reset_inside_the_body_is_a_read_error_behind_what_came(stack: Stack) -> None:
    seen = threading.Event()

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"hello"))
        assert seen.wait(PATIENCE)
        connection.reset()

    with WireServer(script) as server, stack.client() as client:
        error, found = read_until_error(client, server.url + "/x", seen.set)
    assert type(error) is stack.library.ReadError
    assert error.request.url.path == "/x"
    assert found == b"hello"


def test_a_broken_response_leaves_the_client_usable(stack: Stack) -> None:
    with WireServer(once(b"garbage\r\n\r\n"), response(b"hello")) as server, stack.client() as client:
        with pytest.raises(stack.library.RemoteProtocolError):
            client.get(server.url)
        assert client.get(server.url).content == b"hello"


def test_a_read_behind_an_error_does_not_go_on(stack: Stack) -> None:
    cut_short = WireServer(once(CHUNKED + chunk(b"hello")))
    with cut_short as server, stack.client() as client, client.stream("GET", server.url) as answer:
        with pytest.raises(stack.library.RemoteProtocolError):
            list(answer.iter_raw())
        with pytest.raises(stack.library.StreamError):
            list(answer.iter_raw())
