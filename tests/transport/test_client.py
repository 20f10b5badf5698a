"""What httpx does above its transport goes on as before."""

from __future__ import annotations

import gzip
import zlib

import pytest

from .stacks import Stack
from .wire import CHUNKED, Connection, WireServer, answering, chunk, response

OK = response(b"hello")


def test_lines_and_text_are_the_bytes_decoded(stack: Stack) -> None:
    body = "eins\nzwei\r\ndrei é\u2028vier\n\nende".encode()
    answer = CHUNKED + b"".join(chunk(body[at : at + 1]) for at in range(len(body))) + chunk(b"")
    with WireServer(answer) as server, stack.client() as client:
        with client.stream("GET", server.url) as found:
            assert list(found.iter_lines()) == body.decode().splitlines()
        with client.stream("GET", server.url) as found:
            assert "".join(found.iter_text()) == body.decode()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_a_compressed_body_is_decompressed_unless_raw_bytes_are_wanted(stack: Stack, coding: str) -> None:
    body = b"the same again, " * 5_000
    packed = gzip.compress(body) if coding == "gzip" else zlib.compress(body)
    with WireServer(response(packed, b"Content-Encoding: " + coding.encode())) as server, stack.client() as client:
        assert client.get(server.url).content == body
        with client.stream("GET", server.url) as answer:
            assert b"".join(answer.iter_bytes()) == body
        with client.stream("GET", server.url) as answer:
            assert b"".join(answer.iter_raw()) == packed


def test_redirects_are_followed_on_one_connection(stack: Stack) -> None:
    moved = response(b"moved", b"Location: /new", status=b"307 Temporary Redirect")
    with WireServer(answering(moved, OK)) as server, stack.client(follow_redirects=True) as client:
        answer = client.post(server.url + "/old", content=b"body")
    assert answer.content == b"hello"
    assert [one.status_code for one in answer.history] == [307]
    assert [(sent.line, sent.body) for sent in server.requests] == [
        (b"POST /old HTTP/1.1", b"body"),
        (b"POST /new HTTP/1.1", b"body"),
    ]
    assert server.connections == 1


def test_cookies_come_back(stack: Stack) -> None:
    with WireServer(response(b"", b"Set-Cookie: a=b; Path=/", b"Set-Cookie: c=d")) as server, stack.client() as client:
        client.get(server.url)
        client.get(server.url)
        assert dict(client.cookies) == {"a": "b", "c": "d"}
    assert server.requests[1].values(b"cookie") == [b"a=b; c=d"]


def test_basic_authorization_is_sent(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client(auth=("user", "password")) as client:
        client.get(server.url)
    assert server.requests[0].values(b"authorization") == [b"Basic dXNlcjpwYXNzd29yZA=="]


def test_digest_authorization_asks_twice(stack: Stack) -> None:
    asked = response(b"", b'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"', status=b"401 Unauthorized")
    with WireServer(answering(asked, OK)) as server, stack.client() as client:
        answer = client.get(server.url, auth=stack.library.DigestAuth("user", "password"))
    assert answer.content == b"hello"
    assert server.requests[1].values(b"authorization")[0].startswith(b'Digest username="user", realm="r", nonce="n"')


def test_event_hooks_see_request_and_response(stack: Stack) -> None:
    seen = []

    def note(one: object) -> None:
        seen.append(type(one))

    async def anote(one: object) -> None:
        seen.append(type(one))

    hook = anote if stack.is_async else note
    with WireServer(OK) as server, stack.client(event_hooks={"request": [hook], "response": [hook]}) as client:
        client.get(server.url)
    assert seen == [stack.library.Request, stack.library.Response]


def test_a_bad_status_raises_when_asked(stack: Stack) -> None:
    with WireServer(response(b"no", status=b"503 Service Unavailable")) as server, stack.client() as client:
        answer = client.get(server.url)
        with pytest.raises(stack.library.HTTPStatusError) as caught:
            answer.raise_for_status()
    assert caught.value.response is answer


def test_the_time_it_took_is_told(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        assert client.get(server.url).elapsed.total_seconds() > 0


def test_a_client_that_was_closed_refuses(stack: Stack) -> None:
    with WireServer(OK) as server:
        with stack.client() as client:
            client.get(server.url)
        if not stack.is_async:
            with pytest.raises(RuntimeError):
                client.get(server.url)
    assert client.is_closed


def test_a_mounted_transport_serves_its_pattern_only(stack: Stack) -> None:
    limits = stack.library.Limits(max_keepalive_connections=0)
    mounts = {"http://localhost": stack.transport(limits=limits)}
    with WireServer(OK) as server, stack.client(mounts=mounts) as client:
        for _ in range(2):
            client.get(server.url)
            client.get(f"http://localhost:{server.port}")
    assert server.connections == 3


def test_a_stream_shows_its_head_before_its_body(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED)
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        assert answer.status_code == 200
        assert answer.headers["transfer-encoding"] == "chunked"
