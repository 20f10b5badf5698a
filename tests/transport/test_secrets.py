"""What nobody else may read stands in no repr, no error and no log."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from .proxies import refusing
from .stacks import NATIVE, Stack, stacks
from .wire import CHUNKED, WireServer, chunk, once

SECRETS = ("sk-s3cret", "hunter2")  # the key, and the password of the proxy
KEY = {"Authorization": "Bearer sk-s3cret"}


def everything_said(error: BaseException) -> str:
    return repr(error) + str(error) + "".join(traceback.format_exception(error)) + repr(vars(error))


FAILURES: dict[str, Callable[[], Any]] = {
    "hung up": lambda: once(b""),
    "garbage": lambda: once(b"garbage\r\n\r\n"),
    "cut": lambda: once(CHUNKED + chunk(b"hello")),
    "echo": lambda: once(b"HTTP/1.1 200 OK\r\nx y: Bearer sk-s3cret\r\n\r\n"),
}


@pytest.mark.parametrize("stack", stacks(*NATIVE))
@pytest.mark.parametrize("name", FAILURES)
def test_no_error_and_no_log_tells_the_key(stack: Stack, name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    raises = pytest.raises(stack.library.TransportError)
    with WireServer(FAILURES[name]()) as server, stack.client() as client, raises as caught:
        client.get(server.url, headers=KEY)
    said = everything_said(caught.value) + caplog.text
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize("stack", stacks(*NATIVE))
def test_no_error_and_no_repr_tells_the_password_of_the_proxy(stack: Stack, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), WireServer(refusing(b"407 No")) as proxy:
        url = proxy.url.replace("://", "://user:hunter2@")
        transport = stack.transport(proxy=url)
        with stack.client(transport=transport) as client, pytest.raises(stack.library.ProxyError) as caught:
            client.get("https://api.example.org/", headers=KEY)
    said = everything_said(caught.value) + repr(transport) + str(transport) + repr(vars(transport)) + caplog.text
    assert not [secret for secret in SECRETS if secret in said]


@pytest.mark.parametrize("stack", stacks(*NATIVE))
def test_a_proxy_that_is_not_understood_is_named_without_its_password(stack: Stack) -> None:
    with pytest.raises(ValueError, match=r"(?i)proxy") as caught:
        stack.transport(proxy="ftp://user:hunter2@127.0.0.1:1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("stack", stacks(*NATIVE))
def test_no_refused_field_is_quoted(stack: Stack) -> None:
    headers = [(b"authorization", KEY["Authorization"].encode() + b"\n")]
    with stack.client() as client, pytest.raises(stack.library.LocalProtocolError) as caught:
        client.get("http://127.0.0.1:1/", headers=headers)
    assert "s3cret" not in everything_said(caught.value)
