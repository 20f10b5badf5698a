"""Whom the client trusts, and what it shows of itself."""

from __future__ import annotations

import ssl
import threading
from pathlib import Path
from typing import Any, cast

import pytest
import trustme

from .stacks import Stack
from .tls import authority, client_context, server_context
from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk, once, response

OK = response(b"hello")
# What httpx 0.28 says of a path as ``verify`` and of ``cert``, which the native transport takes as before.
deprecated = pytest.mark.filterwarnings("ignore:`(verify|cert)=:DeprecationWarning")


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(path))
    return str(path)


def test_a_server_of_a_trusted_authority(stack: Stack) -> None:
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=client_context()) as client:
        for _ in range(3):
            assert client.get(server.url).content == b"hello"
        assert client.get(server.url.replace("localhost", "127.0.0.1")).content == b"hello"
    assert server.connections == 2


@deprecated
def test_an_authority_in_a_file(stack: Stack, ca_file: str) -> None:
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=ca_file) as client:
        assert client.get(server.url).content == b"hello"


def test_an_authority_in_the_environment(stack: Stack, ca_file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=True) as client:
        assert client.get(server.url).content == b"hello"


def test_the_environment_counts_only_where_it_is_trusted(
    stack: Stack, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=True, trust_env=False) as client:
        assert_refused(stack, client, server.url)


def test_no_authority_is_asked_for(stack: Stack) -> None:
    unknown = server_context("elsewhere.example", ca=trustme.CA())
    with WireServer(OK, tls=unknown) as server, stack.client(verify=False) as client:
        assert client.get(server.url).content == b"hello"


def assert_refused(stack: Stack, client: Any, url: str) -> None:
    with pytest.raises(stack.library.ConnectError) as caught:
        client.get(url + "/x")
    assert caught.value.request.url.path == "/x"
    assert "cert" in str(caught.value).lower()


def test_an_unknown_authority_is_refused_by_default(stack: Stack) -> None:
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=True) as client:
        assert_refused(stack, client, server.url)
    assert not server.requests


def test_another_authority_is_refused(stack: Stack) -> None:
    with WireServer(OK, tls=server_context()) as server, stack.client(verify=client_context(trustme.CA())) as client:
        assert_refused(stack, client, server.url)
    assert not server.requests


@pytest.mark.parametrize("name", ["elsewhere.example", "127.0.0.2"])
def test_a_certificate_for_another_name_is_refused(stack: Stack, name: str) -> None:
    with WireServer(OK, tls=server_context(name)) as server, stack.client(verify=client_context()) as client:
        assert_refused(stack, client, server.url)
    assert not server.requests


def test_the_name_is_asked_for_and_can_be_another_one(stack: Stack) -> None:
    asked = []
    context = server_context("api.example.org")
    context.sni_callback = lambda _sock, name, _context: asked.append(name)
    with WireServer(OK, tls=context) as server, stack.client(verify=client_context()) as client:
        assert client.get(server.url, extensions={"sni_hostname": "api.example.org"}).content == b"hello"
    assert asked == ["api.example.org"]


def test_a_server_that_speaks_no_tls(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.send(OK)
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client, pytest.raises(stack.library.ConnectError):
        client.get(server.url.replace("http:", "https:"))


def test_a_server_that_hangs_up_in_the_handshake(stack: Stack) -> None:
    with WireServer(lambda _: None) as server, stack.client() as client, pytest.raises(stack.library.ConnectError):
        client.get(server.url.replace("http:", "https:"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["1.2", "1.3"])
def test_both_versions_of_tls_are_spoken(stack: Stack, version: ssl.TLSVersion) -> None:
    context = server_context()
    context.minimum_version = context.maximum_version = version
    with WireServer(OK, tls=context) as server, stack.client(verify=client_context()) as client:
        assert client.get(server.url).content == b"hello"


@pytest.fixture(params=["one file", "two files", "context"])
def identity(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Options that give a client a certificate of its own."""
    mine = authority().issue_cert("client.example")
    chain, key, both = (str(tmp_path / name) for name in ("chain.pem", "key.pem", "both.pem"))
    mine.cert_chain_pems[0].write_to_path(chain)
    mine.private_key_pem.write_to_path(key)
    mine.private_key_and_cert_chain_pem.write_to_path(both)
    context = client_context()
    if request.param == "context":
        context.load_cert_chain(chain, key)
        return {"verify": context}
    return {"verify": context, "cert": both if request.param == "one file" else (chain, key)}


@pytest.fixture
def demanding() -> ssl.SSLContext:
    """A server that wants to see a certificate."""
    context = server_context()
    authority().configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 a client learns of a refusal when it reads
    return context


@deprecated
def test_a_client_shows_its_certificate(stack: Stack, identity: dict[str, Any], demanding: ssl.SSLContext) -> None:
    if stack.native and "cert" not in identity:
        pytest.skip("a key does not come out of an SSLContext")
    with WireServer(OK, tls=demanding) as server, stack.client(**identity) as client:
        assert client.get(server.url).content == b"hello"


def test_a_client_without_a_certificate_is_refused(stack: Stack, demanding: ssl.SSLContext) -> None:
    with WireServer(OK, tls=demanding) as server, stack.client(verify=client_context()) as client:
        with pytest.raises(stack.library.ConnectError):
            client.get(server.url)
        assert not server.requests


def test_each_part_is_seen_before_the_next_one_is_written(stack: Stack) -> None:
    seen = threading.Semaphore(0)

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED)
        for part in (b"one", b"two", b"x" * 40_000, b""):
            assert seen.acquire(timeout=PATIENCE)
            connection.send(chunk(part))

    with (
        WireServer(script, tls=server_context()) as server,
        stack.client(verify=client_context()) as client,
        client.stream("GET", server.url) as answer,
    ):
        source = answer.iter_raw()
        for size in (3, 3, 40_000):
            seen.release()
            found = b""
            while len(found) < size:
                found += next(source)
        seen.release()
        assert list(source) == []


CLOSE_DELIMITED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"


def test_a_farewell_ends_a_body_without_a_length(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CLOSE_DELIMITED)
        cast(ssl.SSLSocket, connection.sock).unwrap()

    with WireServer(script, tls=server_context()) as server, stack.client(verify=client_context()) as client:
        assert client.get(server.url).content == b"hello"


def test_an_end_without_a_farewell_ends_one_too(stack: Stack) -> None:
    """Servers that close without it are many. That a stream was cut, its verdict tells."""
    cut = WireServer(once(CLOSE_DELIMITED), tls=server_context())
    with cut as server, stack.client(verify=client_context()) as client:
        assert client.get(server.url).content == b"hello"
