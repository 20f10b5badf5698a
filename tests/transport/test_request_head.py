"""The head of a request goes out as the client built it."""

from __future__ import annotations

import pytest

from .stacks import Stack
from .wire import WireServer, response

OK = response(b"hello")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "PURGE"])
def test_the_method_is_sent(stack: Stack, method: str) -> None:
    answer = OK.removesuffix(b"hello") if method == "HEAD" else OK
    with WireServer(answer) as server, stack.client() as client:
        client.request(method, server.url + "/path")
    assert server.requests[0].line == method.encode() + b" /path HTTP/1.1"


def test_header_fields_keep_names_values_case_and_order(stack: Stack) -> None:
    headers = [("Zulu", "1"), ("X-CASE", "Mixed Case"), ("alpha", "2"), ("X-Case", "again"), ("x-empty", "")]
    with WireServer(OK) as server, stack.client() as client:
        sent = client.post(server.url, headers=headers, content=b"body").request.headers.raw
    (received,) = server.requests
    assert received.fields == sent
    assert [value for name, value in received.fields if name.lower() == b"x-case"] == [b"Mixed Case", b"again"]
    assert (b"Zulu", b"1") in received.fields


def test_a_value_that_is_not_ascii_is_sent_as_its_bytes(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.get(server.url, headers=[(b"x-name", "Zoë".encode())])
    assert server.requests[0].values(b"x-name") == ["Zoë".encode()]


def test_the_host_is_that_of_the_address_with_its_port(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.get(server.url)
    assert server.requests[0].values(b"host") == [b"127.0.0.1:%d" % server.port]


def test_a_host_that_the_caller_sets_is_kept(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.get(server.url, headers={"Host": "api.example.org"})
    assert server.requests[0].values(b"host") == [b"api.example.org"]


@pytest.mark.parametrize("target", ["/", "/a/b?c=d&c=e", "/a%20b?q=%C3%A9%2F", "/?", "/a;b=c/../d", "/*~!$&'()+,=:@"])
def test_the_target_is_sent_as_it_is_written(stack: Stack, target: str) -> None:
    with WireServer(OK) as server, stack.client() as client:
        target_of_httpx = client.get(server.url + target).request.url.raw_path
    assert server.requests[0].line == b"GET " + target_of_httpx + b" HTTP/1.1"


def test_the_target_extension_goes_before_the_path(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.request("OPTIONS", server.url, extensions={"target": b"*"})
    assert server.requests[0].line == b"OPTIONS * HTTP/1.1"


@pytest.mark.parametrize(
    "headers",
    [[(b"x-bad", b"a\r\nx-injected: 1")], [(b"x-bad", b"a\nb")], [(b"x bad", b"a")], [(b"", b"a")], [(b"x", b"a\0b")]],
)
def test_a_field_that_would_break_the_head_is_refused(stack: Stack, headers: list[tuple[bytes, bytes]]) -> None:
    with WireServer(OK) as server, stack.client() as client, pytest.raises(stack.library.LocalProtocolError):
        client.get(server.url, headers=headers)
    assert not server.requests


def test_a_method_that_would_break_the_head_is_refused(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client, pytest.raises(stack.library.LocalProtocolError):
        client.request("GET / HTTP/1.1\r\nx-injected: 1\r\n\r\nGET", server.url)
    assert not server.requests


def test_a_scheme_that_is_no_http_is_refused(stack: Stack) -> None:
    with stack.client() as client, pytest.raises(stack.library.UnsupportedProtocol) as caught:
        client.get("ftp://127.0.0.1/")
    assert caught.value.request.url.scheme == "ftp"
