"""HTTP/2: chosen in the TLS handshake or known before, many streams on one connection, and how streams end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import RequestReceived

from .h2_servers import hypercorn_server, scripted
from .stacks import NATIVE, OWN, Stack, stacks
from .tls import client_context, server_context
from .wire import WireServer, response

HEAD = [(b":status", b"200"), (b"x-one", b"1"), (b"set-cookie", b"a=b"), (b"set-cookie", b"c=d")]
PRIOR = {"http1": False, "http2": True}


class App:
    """Echoes method, path and body; streams where asked; counts connections by their peer."""

    def __init__(self) -> None:
        self.peers: set[Any] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.peers.add(tuple(scope["client"]))
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        fields = [(b"x-version", scope["http_version"].encode()), (b"x-path", scope["raw_path"])]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        if scope["path"] == "/parts":
            for number in range(20):
                await send({"type": "http.response.body", "body": b"part %d\n" % number, "more_body": True})
                await asyncio.sleep(0.001)
        await send({"type": "http.response.body", "body": scope["method"].encode() + b" " + body})


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture(params=["tls", "plain"])
def served(request: pytest.FixtureRequest, app: App, tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a real server, and the options with which a client speaks HTTP/2 to it."""
    with hypercorn_server(app, tmp_path, request.param == "tls") as url:
        yield url, ({"http2": True, "verify": client_context()} if request.param == "tls" else PRIOR)


def test_a_real_server_answers_in_http2(stack: Stack, served: Any) -> None:
    url, options = served
    with stack.client(**options) as client:
        answer = client.post(url + "/a?b=c", content=b"body")
        assert answer.http_version == "HTTP/2"
        assert answer.extensions["http_version"] == b"HTTP/2"
        assert answer.headers["x-version"] == "2"
        assert answer.headers["x-path"] == "/a"
        assert answer.content == b"POST body"
        assert client.get(url).content == b"GET "


def test_a_large_body_flows_both_ways(stack: Stack, served: Any) -> None:
    url, options = served
    body = bytes(range(256)) * 4_000
    with stack.client(**options) as client:
        assert client.post(url, content=body).content == b"POST " + body
        assert client.post(url, content=iter([body, body])).content == b"POST " + body * 2


def test_a_server_without_http2_is_spoken_to_in_http1(stack: Stack) -> None:
    old = WireServer(response(b"hello"), tls=server_context())
    with old as server, stack.client(http2=True, verify=client_context()) as client:
        answer = client.get(server.url)
    assert (answer.http_version, answer.content) == ("HTTP/1.1", b"hello")


def test_http2_is_not_offered_unless_asked_for(stack: Stack, app: App, tmp_path: Path) -> None:
    with hypercorn_server(app, tmp_path, True) as url, stack.client(verify=client_context()) as client:
        assert client.get(url).http_version == "HTTP/1.1"


@pytest.mark.parametrize("stack", stacks(*(stack for stack in OWN + NATIVE if stack.is_async)))
def test_many_tasks_share_one_connection(stack: Stack, served: Any, app: App) -> None:
    url, options = served

    async def main() -> None:
        async with stack.library.AsyncClient(transport=stack.transport(**options), timeout=20) as client:
            assert (await client.get(url)).http_version == "HTTP/2"
            answers = await asyncio.gather(*(client.get(url + "/parts") for _ in range(80)))
        assert all(answer.content.count(b"part") == 20 for answer in answers)

    asyncio.run(main())
    assert len(app.peers) == 1


@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_many_threads_share_one_connection(stack: Stack, served: Any, app: App) -> None:
    url, options = served
    with stack.library.Client(transport=stack.transport(**options), timeout=20) as client:
        client.get(url)
        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(lambda number: client.get(url + "/parts").content, range(60)))
    assert all(one.count(b"part") == 20 for one in found)
    assert len(app.peers) == 1


def test_header_fields_are_received_in_order(stack: Stack) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello", end_stream=True)

    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client:
        answer = client.get(server.url)
    assert answer.content == b"hello"
    assert answer.headers.raw == HEAD[1:]


def test_the_request_has_the_pseudo_fields_and_no_connection_fields(stack: Stack) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def act(state: H2Connection, event: RequestReceived) -> None:
        seen.extend((bytes(name), bytes(value)) for name, value in event.headers)
        state.send_headers(event.stream_id, HEAD, end_stream=True)

    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client:
        client.get(server.url + "/a?b=c", headers=[("X-Mixed", "Case"), ("x-twice", "1"), ("X-Twice", "2")])
    fields = dict(seen)
    assert fields[b":method"] == b"GET"
    assert fields[b":path"] == b"/a?b=c"
    assert fields[b":authority"] == b"127.0.0.1:%d" % server.port
    assert fields[b":scheme"] == b"http"
    assert [value for name, value in seen if name == b"x-twice"] == [b"1", b"2"]
    assert fields[b"x-mixed"] == b"Case"
    assert not {b"host", b"connection", b"transfer-encoding"} & fields.keys()


@pytest.mark.parametrize("code", [ErrorCodes.INTERNAL_ERROR, ErrorCodes.CANCEL, ErrorCodes.REFUSED_STREAM])
def test_a_stream_that_is_reset_inside_its_body(stack: Stack, code: ErrorCodes) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        if seen.is_set():
            state.send_headers(event.stream_id, HEAD, end_stream=True)
            return
        seen.set()
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello")
        state.reset_stream(event.stream_id, code)

    seen = threading.Event()
    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client:
        with pytest.raises(stack.library.RemoteProtocolError) as caught:
            client.get(server.url + "/x")
        assert caught.value.request.url.path == "/x"
        assert client.get(server.url).status_code == 200


def test_a_connection_that_says_goodbye_inside_a_body(stack: Stack) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello")
        state.close_connection(ErrorCodes.ENHANCE_YOUR_CALM, last_stream_id=0)

    errors = (stack.library.RemoteProtocolError, stack.library.ReadError)
    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client, pytest.raises(errors) as caught:
        client.get(server.url + "/x")
    assert caught.value.request.url.path == "/x"


def test_a_connection_that_ends_inside_a_body(stack: Stack) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello")
        raise EOFError

    errors = (stack.library.RemoteProtocolError, stack.library.ReadError)
    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client, pytest.raises(errors):
        client.get(server.url)


def test_a_server_that_does_not_speak_it(stack: Stack) -> None:
    def script(connection: Any) -> None:
        connection.sock.recv(65536)
        connection.send(response(b"hello"))

    errors = (stack.library.RemoteProtocolError, stack.library.ReadError)
    with WireServer(script) as server, stack.client(**PRIOR) as client, pytest.raises(errors):
        client.get(server.url)


def test_the_read_timeout_counts_for_each_stream(stack: Stack) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello")

    timeout = stack.library.Timeout(10, read=0.15)
    raises = pytest.raises(stack.library.ReadTimeout)
    with WireServer(scripted(act)) as server, stack.client(**PRIOR, timeout=timeout) as client, raises as caught:
        client.get(server.url + "/x")
    assert caught.value.request.url.path == "/x"


@pytest.mark.parametrize("stack", stacks(*NATIVE))
def test_leaving_a_stream_resets_it_and_keeps_the_connection(stack: Stack) -> None:
    def act(state: H2Connection, event: RequestReceived) -> None:
        state.send_headers(event.stream_id, HEAD)
        state.send_data(event.stream_id, b"hello")

    with WireServer(scripted(act)) as server, stack.client(**PRIOR) as client:
        for _ in range(3):
            with client.stream("GET", server.url) as answer:
                assert next(answer.iter_raw()) == b"hello"
    assert server.connections == 1
