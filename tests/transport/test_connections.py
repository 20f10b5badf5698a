"""Which connections are kept, used again and closed."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, Connection, HeldBack, WireServer, chunk, once, response

OK = response(b"hello")
OPEN_ENDED = CHUNKED + chunk(b"hello")


def test_a_connection_serves_one_request_after_another(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        for _ in range(20):
            assert client.get(server.url).content == b"hello"
            assert client.post(server.url, content=b"body").content == b"hello"
    assert server.connections == 1
    assert len(server.requests) == 40


def test_a_connection_is_released_by_the_end_of_the_body_before_the_response_is_closed(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client, client.stream("GET", server.url) as first:
        first.read()
        client.get(server.url)
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [response(b"hello", b"Connection: close"), response(b"hello", b"connection: Close"), OK.replace(b"/1.1", b"/1.0")],
)
def test_a_connection_that_the_server_gives_up_is_closed(stack: Stack, answer: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(answer)
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"
        server.wait_until_left()
        assert client.get(server.url).content == b"hello"
    assert server.connections == 2


def test_a_connection_that_the_request_gives_up_is_closed(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        assert client.get(server.url, headers={"Connection": "close"}).content == b"hello"
        server.wait_until_left()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_idle_connection_that_the_server_closed_is_replaced(stack: Stack, method: str) -> None:
    with WireServer(once(OK)) as server, stack.client() as client:
        for _ in range(3):
            assert client.request(method, server.url, content=b"body").content == b"hello"
            server.wait_until_left()
    assert server.connections == 3


@pytest.mark.parametrize("stack", stacks(OWN[0], *NATIVE))  # httpx's async one does not always see them
def test_bytes_that_nobody_asked_for_spoil_a_connection(stack: Stack) -> None:
    sent = threading.Event()

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(OK)
        connection.pause()
        connection.send(OK.replace(b"hello", b"wrong"))
        sent.set()
        connection.until_closed()

    with WireServer(script, OK) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"
        sent.wait()
        assert client.get(server.url).content == b"hello"
    assert server.connections == 2


@pytest.mark.parametrize("read", [False, True], ids=["not read", "begun"])
def test_a_body_that_was_not_read_to_its_end_costs_the_connection(stack: Stack, read: bool) -> None:
    with WireServer(OPEN_ENDED, OK) as server, stack.client() as client:
        with client.stream("GET", server.url) as answer:
            if read:
                assert next(answer.iter_raw()) == b"hello"
        server.wait_until_left()
        assert client.get(server.url).content == b"hello"
    assert server.connections == 2


def test_another_origin_gets_a_connection_of_its_own(stack: Stack) -> None:
    with WireServer(OK) as one, WireServer(OK) as two, stack.client() as client:
        for server in (one, two, one, two):
            client.get(server.url)
    assert one.connections == two.connections == 1


def test_closing_the_client_closes_idle_connections(stack: Stack) -> None:
    with WireServer(OK) as server:
        with stack.client() as client:
            client.get(server.url)
        server.wait_until_left()


def test_at_the_limit_an_idle_connection_gives_way(stack: Stack) -> None:
    limits = stack.library.Limits(max_connections=1)
    with WireServer(OK) as one, WireServer(OK) as two, stack.client(limits=limits, timeout=5) as client:
        client.get(one.url)
        client.get(two.url)
        one.wait_until_left()


def test_at_the_limit_a_request_waits_for_the_one_before(stack: Stack) -> None:
    limits = stack.library.Limits(max_connections=1)
    held = HeldBack(OK)
    with WireServer(held) as server, stack.client(limits=limits) as client:
        with client.stream("GET", server.url) as first:
            waiting = threading.Thread(target=client.get, args=(server.url + "/second",))
            waiting.start()
            waiting.join(0.05)
            assert waiting.is_alive()
            held.release.set()
            assert first.read() == b"hello"
        waiting.join(20)
        assert not waiting.is_alive()
    assert server.connections == 1
    assert server.requests[1].line == b"GET /second HTTP/1.1"


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_no_more_idle_connections_are_kept_than_wanted(stack: Stack, kept: int) -> None:
    limits = stack.library.Limits(max_connections=10, max_keepalive_connections=kept)
    held = HeldBack(OK)
    with WireServer(held) as server, stack.client(limits=limits) as client:
        with contextlib.ExitStack() as streams:
            answers = [streams.enter_context(client.stream("GET", server.url)) for _ in range(5)]
            held.release.set()
            assert [answer.read() for answer in answers] == [b"hello"] * 5
        server.wait_for(lambda: server.open == kept)
        assert server.connections == 5


def test_a_connection_is_kept_no_longer_than_wanted(stack: Stack) -> None:
    limits = stack.library.Limits(keepalive_expiry=0.05)
    with WireServer(OK) as server, stack.client(limits=limits) as client:
        client.get(server.url)
        time.sleep(0.15)
        client.get(server.url)
    assert server.connections == 2


def test_limits_may_be_absent(stack: Stack) -> None:
    limits = stack.library.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
    with WireServer(OK) as server, stack.client(limits=limits) as client:
        client.get(server.url)
        client.get(server.url)
    assert server.connections == 1
