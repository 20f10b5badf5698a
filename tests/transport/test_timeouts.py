"""Each of the four timeouts counts by itself, and raises the exception of its own."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk, response

SHORT = 0.1  # seconds
OK = response(b"hello")


@pytest.fixture(params=stacks(*OWN[:2], NATIVE[0], NATIVE[3]))
def stack(request: pytest.FixtureRequest) -> Stack:
    """Fewer than elsewhere: these tests take their time."""
    found: Stack = request.param
    return found


def only(stack: Stack, **timeouts: float) -> Any:
    """These timeouts and no other."""
    return stack.library.Timeout(None, **timeouts)


def silent(connection: Connection) -> None:
    connection.request()
    connection.until_closed()


@pytest.fixture
def full_url() -> Iterator[str]:
    """The address of a listener that takes no more connections: the kernel drops those that come."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        first.connect(listener.getsockname())
        second.setblocking(False)
        second.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"


def test_connecting_takes_too_long(stack: Stack, full_url: str) -> None:
    timeout = only(stack, connect=SHORT)
    with stack.client(timeout=timeout) as client, pytest.raises(stack.library.ConnectTimeout) as caught:
        client.get(full_url)
    assert caught.value.request.url.path == "/x"


def test_a_handshake_takes_too_long(stack: Stack) -> None:
    with WireServer(Connection.until_closed) as server, stack.client(timeout=only(stack, connect=SHORT)) as client:
        with pytest.raises(stack.library.ConnectTimeout) as caught:
            client.get(server.url.replace("http:", "https:") + "/x")
        server.wait_until_left()
    assert caught.value.request.url.path == "/x"


def test_the_head_takes_too_long(stack: Stack) -> None:
    with WireServer(silent) as server, stack.client(timeout=only(stack, read=SHORT)) as client:
        with pytest.raises(stack.library.ReadTimeout) as caught:
            client.get(server.url + "/x")
        server.wait_until_left()
    assert caught.value.request.url.path == "/x"


def test_the_body_takes_too_long(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"hello"))
        connection.until_closed()

    found = b""
    with WireServer(script) as server, stack.client(timeout=only(stack, read=SHORT)) as client:
        with client.stream("GET", server.url + "/x") as answer, pytest.raises(stack.library.ReadTimeout) as caught:
            for part in answer.iter_raw():
                found += part
        server.wait_until_left()
    assert caught.value.request.url.path == "/x"
    assert found == b"hello"


def test_the_server_does_not_take_the_body(stack: Stack) -> None:
    left = threading.Event()

    def script(connection: Connection) -> None:
        assert left.wait(PATIENCE)

    with WireServer(script) as server, stack.client(timeout=only(stack, write=SHORT)) as client:
        try:
            with pytest.raises(stack.library.WriteTimeout) as caught:
                client.post(server.url + "/x", content=b"x" * 50_000_000)
        finally:
            left.set()
    assert caught.value.request.url.path == "/x"


def test_no_connection_becomes_free(stack: Stack) -> None:
    limits = stack.library.Limits(max_connections=1)
    timeout = only(stack, pool=SHORT)
    with (
        WireServer(CHUNKED + chunk(b"hello")) as server,
        stack.client(limits=limits, timeout=timeout) as client,
        client.stream("GET", server.url),
        pytest.raises(stack.library.PoolTimeout) as caught,
    ):
        client.get(server.url + "/x")
    assert caught.value.request.url.path == "/x"


@pytest.mark.parametrize("name", ["connect", "write", "pool"])
def test_waiting_for_an_answer_is_no_matter_of_the_other_timeouts(stack: Stack, name: str) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        time.sleep(3 * SHORT)
        connection.send(OK)

    with WireServer(script) as server, stack.client(timeout=only(stack, **{name: SHORT})) as client:
        assert client.get(server.url).content == b"hello"


def test_what_the_caller_does_between_two_reads_is_no_matter_of_the_timeout(stack: Stack) -> None:
    two_parts = WireServer(CHUNKED + chunk(b"one") + chunk(b"two") + chunk(b""))
    with two_parts as server, stack.client(timeout=SHORT) as client, client.stream("GET", server.url) as answer:
        time.sleep(2 * SHORT)
        assert answer.read() == b"onetwo"


def test_the_read_timeout_counts_from_byte_to_byte(stack: Stack) -> None:
    """A head and a body that trickle in take as long as they want."""
    answer = CHUNKED + chunk(b"hello") + chunk(b"")
    pause = 3 * SHORT / len(answer)

    def script(connection: Connection) -> None:
        connection.request()
        for at in range(len(answer)):
            connection.send(answer[at : at + 1])
            time.sleep(pause)

    with WireServer(script) as server, stack.client(timeout=only(stack, read=SHORT)) as client:
        assert client.get(server.url).content == b"hello"


def test_a_timeout_of_the_request_goes_before_that_of_the_client(stack: Stack) -> None:
    with WireServer(silent) as server, stack.client(timeout=60) as client, pytest.raises(stack.library.ReadTimeout):
        client.get(server.url, timeout=SHORT)


def test_a_client_is_usable_behind_a_timeout(stack: Stack) -> None:
    limits = stack.library.Limits(max_connections=1)
    with WireServer(silent, OK) as server, stack.client(timeout=2, limits=limits) as client:
        with pytest.raises(stack.library.ReadTimeout):
            client.get(server.url, timeout=SHORT)
        assert client.get(server.url).content == b"hello"
