"""The head of a response reaches the caller as the server wrote it."""

from __future__ import annotations

import pytest

from .stacks import Stack
from .wire import Connection, WireServer, once, response

OK = response(b"hello")


def test_the_classes_are_those_of_the_library_that_asked(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        answer = client.get(server.url)
    assert type(answer) is stack.library.Response
    assert type(answer.request) is stack.library.Request


def test_raw_header_fields_keep_case_order_and_repeats(stack: Stack) -> None:
    fields = [
        b"X-Zulu: 1",
        b"SET-COOKIE: a=b",
        b"x-alpha: two words",
        b"Set-Cookie: c=d",
        b"X-Empty:",
        b"X-Tab:\t v \t",
    ]
    with WireServer(response(b"hello", *fields)) as server, stack.client() as client:
        answer = client.get(server.url)
    assert answer.headers.raw == [
        (b"X-Zulu", b"1"),
        (b"SET-COOKIE", b"a=b"),
        (b"x-alpha", b"two words"),
        (b"Set-Cookie", b"c=d"),
        (b"X-Empty", b""),
        (b"X-Tab", b"v"),
        (b"Content-Length", b"5"),
    ]
    assert answer.headers.get_list("set-cookie") == ["a=b", "c=d"]


def test_a_value_that_is_not_ascii_is_kept_as_its_bytes(stack: Stack) -> None:
    with WireServer(response(b"", b"x-name: Zo\xeb")) as server, stack.client() as client:
        assert client.get(server.url).headers.raw[0] == (b"x-name", b"Zo\xeb")


@pytest.mark.parametrize("line", [b"200 OK", b"200 Totally Fine", b"299 Unheard Of", b"404 Not Found", b"503 "])
def test_status_and_reason_are_those_of_the_status_line(stack: Stack, line: bytes) -> None:
    with WireServer(response(b"hello", status=line)) as server, stack.client() as client:
        answer = client.get(server.url)
    status, _, reason = line.decode().partition(" ")
    assert answer.status_code == int(status)
    assert answer.reason_phrase == reason
    assert answer.extensions["reason_phrase"] == reason.encode()


@pytest.mark.parametrize("version", ["HTTP/1.1", "HTTP/1.0"])
def test_the_version_is_that_of_the_status_line(stack: Stack, version: str) -> None:
    with WireServer(once(OK.replace(b"HTTP/1.1", version.encode()))) as server, stack.client() as client:
        answer = client.get(server.url)
    assert answer.http_version == version
    assert answer.extensions["http_version"] == version.encode()


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_a_status_without_body_ends_with_its_head(stack: Stack, status: bytes) -> None:
    bare = b"HTTP/1.1 " + status + b"\r\nx-a: 1\r\n\r\n"
    with WireServer(bare) as server, stack.client() as client:
        for _ in range(2):
            answer = client.get(server.url)
            assert answer.content == b""
    assert server.connections == 1


def test_a_304_with_a_length_has_no_body_all_the_same(stack: Stack) -> None:
    bare = response(b"hello", status=b"304 Not Modified").removesuffix(b"hello")
    with WireServer(bare) as server, stack.client() as client:
        assert client.get(server.url).content == b""
        assert client.get(server.url).headers["content-length"] == "5"
    assert server.connections == 1


@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked"])
def test_an_answer_to_head_has_no_body_whatever_its_fields_say(stack: Stack, framing: bytes) -> None:
    bare = b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n\r\n"
    with WireServer(bare) as server, stack.client() as client:
        assert client.request("HEAD", server.url).content == b""
        assert client.request("HEAD", server.url).status_code == 200
    assert server.connections == 1


@pytest.mark.parametrize("count", [1, 3])
def test_interim_responses_are_skipped(stack: Stack, count: int) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" + b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    with WireServer(interim * count + OK) as server, stack.client() as client:
        answer = client.get(server.url)
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert "link" not in answer.headers


def test_a_head_may_come_in_single_bytes(stack: Stack) -> None:
    answer = b"HTTP/1.1 100 Continue\r\n\r\n" + response(b"hello", b"X-One: 1", b"X-Two: 2")

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(*(answer[at : at + 1] for at in range(len(answer))))
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client:
        found = client.get(server.url)
    assert found.content == b"hello"
    assert found.headers.raw[:2] == [(b"X-One", b"1"), (b"X-Two", b"2")]


def test_lines_may_end_in_a_bare_line_feed(stack: Stack) -> None:
    with WireServer(once(OK.replace(b"\r\n", b"\n"))) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"


def test_a_head_of_many_fields_is_taken(stack: Stack) -> None:
    fields = [b"x-%d: %s" % (number, b"v" * 20) for number in range(300)]
    with WireServer(response(b"hello", *fields)) as server, stack.client() as client:
        answer = client.get(server.url)
    assert len(answer.headers.raw) == 301
    assert answer.headers.raw[299] == (b"x-299", b"v" * 20)


def test_a_field_of_sixty_kibibytes_is_taken(stack: Stack) -> None:
    with WireServer(response(b"hello", b"x: " + b"v" * 60_000)) as server, stack.client() as client:
        assert len(client.get(server.url).headers["x"]) == 60_000


@pytest.mark.parametrize("end", [b"", b"\r\n\r\n"], ids=["endless", "ended"])
def test_a_head_of_far_more_than_100_kibibytes_is_refused(stack: Stack, end: bytes) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nx: " + b"v" * 400_000 + end)
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client:
        with pytest.raises(stack.library.RemoteProtocolError):
            client.get(server.url)
        server.wait_until_left()
