"""To where a connection is made, from where, and what is raised when it cannot be."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .stacks import NATIVE, Stack, stacks
from .wire import WireServer, response

OK = response(b"hello")


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is taken, but where nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


def has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return True
    return False


def test_nobody_listens(stack: Stack, closed_port: int) -> None:
    with stack.client() as client, pytest.raises(stack.library.ConnectError) as caught:
        client.get(f"http://127.0.0.1:{closed_port}/x")
    assert caught.value.request.url.path == "/x"
    assert str(caught.value)


def test_the_host_is_unknown(stack: Stack) -> None:
    with stack.client() as client, pytest.raises(stack.library.ConnectError) as caught:
        client.get("http://nowhere.invalid/x")
    assert caught.value.request.url.path == "/x"
    assert str(caught.value)


def test_a_name_is_looked_up(stack: Stack) -> None:
    """Where ``localhost`` is first ::1, the next address is tried."""
    with WireServer(OK) as server, stack.client() as client:
        assert client.get(f"http://localhost:{server.port}").content == b"hello"
    assert server.requests[0].values(b"host") == [b"localhost:%d" % server.port]


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 here")
def test_an_address_of_ipv6(stack: Stack) -> None:
    with WireServer(OK, address=("::1", 0), family=socket.AF_INET6) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"
    assert server.requests[0].values(b"host") == [b"[::1]:%d" % server.port]


def test_the_local_address_is_where_the_connection_comes_from(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client(local_address="127.0.0.2") as client:
        client.get(server.url)
    assert server.requests[0].peer[0] == "127.0.0.2"


def test_a_unix_socket_takes_the_place_of_the_address(stack: Stack, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with WireServer(OK, address=path, family=socket.AF_UNIX) as server, stack.client(uds=path) as client:
        for _ in range(2):
            assert client.get("http://api.example.org/path").content == b"hello"
    assert server.connections == 1
    assert server.requests[0].line == b"GET /path HTTP/1.1"
    assert server.requests[0].values(b"host") == [b"api.example.org"]


# Without httpx's own transports, which leave a socket behind here.
@pytest.mark.parametrize("stack", stacks(*NATIVE))
def test_a_unix_socket_that_is_not_there(stack: Stack, tmp_path: Path) -> None:
    with stack.client(uds=str(tmp_path / "none")) as client, pytest.raises(stack.library.ConnectError) as caught:
        client.get("http://api.example.org/x")
    assert caught.value.request.url.path == "/x"


@contextlib.contextmanager
def listening_later(port_holder: socket.socket) -> Iterator[None]:
    """Answers one request on a port where, at first, nobody listens."""

    def serve() -> None:
        time.sleep(0.1)
        port_holder.listen()
        connection, _ = port_holder.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(OK)

    port_holder.settimeout(20)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_connecting_is_tried_again_as_often_as_the_caller_wants(stack: Stack) -> None:
    """At once, after half a second, after another one: httpx's own steps."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        with listening_later(holder), stack.client(retries=4) as client:
            assert client.get(f"http://127.0.0.1:{holder.getsockname()[1]}").content == b"hello"
