"""Proxies: what they are sent, what they are not, and what is raised when they refuse."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from .proxies import real_proxy, refusing, socks5, tunnelling
from .stacks import Stack
from .tls import client_context, server_context
from .wire import WireServer, once, response

OK = response(b"hello")
BASIC = [b"Basic dXNlcjpzZWNyZXQ="]  # user:secret


def with_password(url: str) -> str:
    return url.replace("://", "://user:secret@")


def test_a_plain_request_names_its_whole_target(stack: Stack) -> None:
    with WireServer(OK) as proxy, stack.client(proxy=proxy.url) as client:
        for _ in range(2):
            assert client.get("http://api.example.org:81/a?b=c", headers={"X-Mixed": "1"}).content == b"hello"
    assert proxy.connections == 1
    (first, _) = proxy.requests
    assert first.line == b"GET http://api.example.org:81/a?b=c HTTP/1.1"
    assert first.values(b"host") == [b"api.example.org:81"]
    assert (b"X-Mixed", b"1") in first.fields
    assert not first.values(b"proxy-authorization")


def test_a_request_of_tls_goes_through_a_tunnel(stack: Stack) -> None:
    with (
        WireServer(OK, tls=server_context()) as server,
        WireServer(tunnelling) as proxy,
        stack.client(proxy=proxy.url, verify=client_context()) as client,
    ):
        for _ in range(2):
            assert client.get(server.url + "/x", headers={"Authorization": "Bearer key"}).content == b"hello"
    (asked,) = proxy.requests
    assert asked.line == b"CONNECT localhost:%d HTTP/1.1" % server.port
    assert asked.values(b"host") == [b"localhost:%d" % server.port]
    assert not asked.values(b"authorization")
    assert server.requests[0].line == b"GET /x HTTP/1.1"
    assert server.connections == 1


def test_a_password_in_the_address_is_for_the_proxy_alone(stack: Stack) -> None:
    with (
        WireServer(OK, tls=server_context()) as server,
        WireServer(tunnelling, OK) as proxy,
        stack.client(proxy=with_password(proxy.url), verify=client_context()) as client,
    ):
        client.get(server.url)
        client.get("http://api.example.org/")
    assert [sent.values(b"proxy-authorization") for sent in proxy.requests] == [BASIC, BASIC]
    assert not server.requests[0].values(b"proxy-authorization")


def test_a_proxy_with_a_password_of_its_own(stack: Stack) -> None:
    with WireServer(tunnelling) as proxy, WireServer(OK, tls=server_context()) as server:
        chosen = stack.library.Proxy(proxy.url, auth=("user", "secret"))
        with stack.client(proxy=chosen, verify=client_context()) as client:
            client.get(server.url)
    assert proxy.requests[0].values(b"proxy-authorization") == BASIC


def test_a_proxy_with_fields_of_its_own(stack: Stack) -> None:
    with WireServer(tunnelling) as proxy, WireServer(OK, tls=server_context()) as server:
        chosen = stack.library.Proxy(proxy.url, headers={"X-Proxy": "1"})
        if stack.native:
            with pytest.raises(ValueError, match="headers"):
                stack.transport(proxy=chosen)
            return
        with stack.client(proxy=chosen, verify=client_context()) as client:
            client.get(server.url)
    assert proxy.requests[0].values(b"x-proxy") == [b"1"]
    assert not server.requests[0].values(b"x-proxy")


def test_a_proxy_that_is_reached_by_tls(stack: Stack) -> None:
    if stack.is_async and not stack.native and stack.library.__version__.startswith("0.27."):
        pytest.skip("this version forgets the context of the proxy")
    with WireServer(OK, tls=server_context()) as proxy:
        chosen = stack.library.Proxy(proxy.url, ssl_context=client_context())
        with stack.client(proxy=chosen) as client:
            assert client.get("http://api.example.org/a").content == b"hello"
    assert proxy.requests[0].line == b"GET http://api.example.org/a HTTP/1.1"


def test_the_server_behind_a_tunnel_must_be_trusted(stack: Stack) -> None:
    with (
        WireServer(OK, tls=server_context()) as server,
        WireServer(tunnelling) as proxy,
        stack.client(proxy=proxy.url, verify=client_context(trustme.CA())) as client,
        pytest.raises(stack.library.ConnectError),
    ):
        client.get(server.url)
    assert not server.requests


@pytest.mark.parametrize("status", [b"407 Proxy Authentication Required", b"502 Bad Gateway", b"403 Forbidden"])
def test_a_tunnel_that_is_refused(stack: Stack, status: bytes) -> None:
    with WireServer(refusing(status)) as proxy, stack.client(proxy=proxy.url) as client:
        with pytest.raises(stack.library.ProxyError) as caught:
            client.get("https://api.example.org/x")
        proxy.wait_until_left()
    assert caught.value.request.url.path == "/x"
    assert str(caught.value) == status.decode()


def test_a_refusal_of_a_plain_request_is_its_response(stack: Stack) -> None:
    with WireServer(refusing(b"502 Bad Gateway")) as proxy, stack.client(proxy=proxy.url) as client:
        assert client.get("http://api.example.org/").status_code == 502


def test_a_proxy_that_is_not_there(stack: Stack) -> None:
    with WireServer(OK) as gone:
        pass
    with stack.client(proxy=gone.url) as client, pytest.raises(stack.library.ConnectError):
        client.get("https://api.example.org/")


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n"])
def test_a_proxy_that_does_not_answer_in_http(stack: Stack, answer: bytes) -> None:
    with WireServer(once(answer)) as proxy, stack.client(proxy=proxy.url) as client:
        # httpx speaks of the server here, which is the proxy.
        with pytest.raises(stack.library.ProxyError if stack.native else stack.library.RemoteProtocolError):
            client.get("https://api.example.org/")
        proxy.wait_until_left()


def test_socks(stack: Stack) -> None:
    with WireServer(socks5) as proxy, WireServer(OK) as server:
        url = with_password(proxy.url).replace("http:", "socks5:")
        with stack.client(proxy=url) as client:
            for _ in range(2):
                assert client.get(f"http://localhost:{server.port}/x").content == b"hello"
    assert proxy.connections == server.connections == 1
    assert server.requests[0].line == b"GET /x HTTP/1.1"


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    pytest.importorskip("proxy")
    with real_proxy(tmp_path_factory.mktemp("proxy")) as url:
        yield url


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_real_proxy(stack: Stack, real: str, tls: bool) -> None:
    context: Any = server_context() if tls else None
    with WireServer(OK, tls=context) as server, stack.client(proxy=real, verify=client_context()) as client:
        for _ in range(3):
            assert client.post(server.url + "/x", content=b"body").content == b"hello"
    assert [sent.body for sent in server.requests] == [b"body"] * 3
    assert server.requests[0].line == b"POST /x HTTP/1.1"
