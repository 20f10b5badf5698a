"""Proxies that the environment names, and hosts that are reached without one."""

from __future__ import annotations

import pytest

from .proxies import tunnelling
from .stacks import Stack
from .tls import client_context, server_context
from .wire import WireServer, response

OK = response(b"hello")
BY_PROXY = response(b"by proxy")
NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_environment_names_a_proxy(stack: Stack, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(BY_PROXY) as proxy:
        monkeypatch.setenv(name, proxy.url)
        with stack.client(reads_environment=True) as client:
            assert client.get("http://api.example.org/x").content == b"by proxy"
    assert proxy.requests[0].line == b"GET http://api.example.org/x HTTP/1.1"


def test_the_environment_names_a_proxy_for_tls(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(OK, tls=server_context()) as server, WireServer(tunnelling) as proxy, WireServer(OK) as plain:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("://", "://user:secret@"))
        with stack.client(reads_environment=True, verify=client_context()) as client:
            assert client.get(server.url).content == b"hello"
            assert client.get(plain.url).content == b"hello"
    assert proxy.requests[0].values(b"proxy-authorization") == [b"Basic dXNlcjpzZWNyZXQ="]
    assert len(proxy.requests) == 1


@pytest.mark.parametrize("direct", ["127.0.0.1", "example.org,127.0.0.1", "*"])
def test_some_hosts_are_reached_without_it(stack: Stack, direct: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(BY_PROXY) as proxy, WireServer(OK) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", direct)
        with stack.client(reads_environment=True) as client:
            assert client.get(server.url).content == b"hello"
    assert not proxy.requests


@pytest.mark.parametrize(
    ("direct", "by_proxy"),
    [("example.org", False), (".example.org", False), ("ample.org", True), ("example.org:81", True), ("other", True)],
)
def test_a_name_stands_for_what_is_below_it(
    stack: Stack, direct: str, by_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with WireServer(BY_PROXY) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", direct)
        with stack.client(reads_environment=True) as client:
            if by_proxy:
                assert client.get("http://api.example.org/").content == b"by proxy"
            else:
                with pytest.raises(stack.library.ConnectError):  # there is no such host
                    client.get("http://api.example.org/")


def test_an_environment_that_is_not_trusted_is_not_read(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(BY_PROXY) as proxy, WireServer(OK) as server:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        with stack.client(reads_environment=True, trust_env=False) as client:
            assert client.get(server.url).content == b"hello"
    assert not proxy.requests


def test_a_proxy_that_is_given_goes_before_the_environment(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with WireServer(BY_PROXY) as proxy:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "*")
        with stack.client(reads_environment=True, proxy=proxy.url) as client:
            assert client.get("http://api.example.org/").content == b"by proxy"
