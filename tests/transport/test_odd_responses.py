"""Responses at the edge of HTTP: the native transport makes of them what httpx's own does."""

from __future__ import annotations

from typing import Any

import pytest

from .stacks import NATIVE, OWN, Stack, needs_native
from .wire import CHUNKED, WireServer, once

OK = b"HTTP/1.1 200 OK\r\n"
HELLO = b"content-length: 5\r\n\r\nhello"
WORDS = b"5\r\nhello\r\n0\r\n\r\n"

ALIKE = {
    "size with a space behind": CHUNKED + b"5 \r\nhello\r\n0\r\n\r\n",
    "size with many zeros": CHUNKED + b"000000000000000000005\r\nhello\r\n0\r\n\r\n",
    "size ended by LF": CHUNKED + b"5\nhello\r\n0\r\n\r\n",
    "chunk ended by LF": CHUNKED + b"5\r\nhello\n0\r\n\r\n",
    "end ended by LF": CHUNKED + b"5\r\nhello\r\n0\n\n",
    "long extension": CHUNKED + b"5;" + b"a" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
    "line end in an extension": CHUNKED + b'5;a="x\r\ny"\r\nhello\r\n0\r\n\r\n',
    "endless trailers": CHUNKED + b"0\r\n" + b"x: y\r\n" * 30_000 + b"\r\n",
    "gzip and chunked": OK + b"transfer-encoding: gzip, chunked\r\n\r\n" + WORDS,
    "chunked twice in a list": OK + b"transfer-encoding: chunked, chunked\r\n\r\n" + WORDS,
    "another transfer encoding": OK + b"transfer-encoding: identity\r\n\r\nhello",
    "chunked in HTTP/1.0": b"HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + WORDS,
    "lengths in a list": OK + b"content-length: 5, 6\r\n\r\nhello!",
    "a length of many digits": OK + b"content-length: 99999999999999999999999\r\n\r\nhello",
    "a signed length": OK + b"content-length: +5\r\n\r\nhello",
    "no length": OK + b"content-length: \r\n\r\nhello",
    "a length with a space behind": OK + b"content-length: 5 \r\n\r\nhello",
    "no reason": b"HTTP/1.1 200\r\n" + HELLO,
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n" + HELLO,
    "lower case": b"http/1.1 200 OK\r\n" + HELLO,
    "a space before a colon": OK + b"x : a\r\n" + HELLO,
    "no name": OK + b": a\r\n" + HELLO,
    "CR in a value": OK + b"x: a\rb\r\n" + HELLO,
    "head ended by LF": OK + b"content-length: 5\n\nhello",
    "head ended by LF and CRLF": OK + b"content-length: 5\n\r\nhello",
    "head ended by CRLF and LF": OK + b"content-length: 5\r\n\nhello",
    "status 600": b"HTTP/1.1 600 OK\r\n" + HELLO,
    "status 999": b"HTTP/1.1 999 OK\r\n" + HELLO,
    "status 1000": b"HTTP/1.1 1000 OK\r\n" + HELLO,
    "status 205": b"HTTP/1.1 205 Reset\r\n\r\nhello",
    "a length in a 204": b"HTTP/1.1 204 No\r\n" + HELLO,
    "a tab in the reason": b"HTTP/1.1 200 O\tK\r\n" + HELLO,
    "a folded value": OK + b"x: a\r\n b\r\n" + HELLO,
    "status 099": b"HTTP/1.1 099 OK\r\n\r\n",
    "status 000": b"HTTP/1.1 000 OK\r\n\r\n",
    "a reason that is not ASCII": b"HTTP/1.1 200 O\xffK\r\n" + HELLO,
    "chunked twice": CHUNKED.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") + WORDS,
    "a trailer that is none": CHUNKED + b"0\r\nbad trailer\r\n\r\n",
}


def outcome(stack: Stack, answer: bytes) -> tuple[Any, ...]:
    """Everything that a caller learns of an answer."""
    found: list[Any] = []
    with WireServer(once(answer)) as server, stack.client() as client:
        try:
            with client.stream("GET", server.url) as response:
                found += [response.status_code, response.extensions["reason_phrase"], response.headers.raw, b""]
                for part in response.iter_raw():
                    found[-1] += part
        except stack.library.TransportError as error:
            found.append(type(error))
    return tuple(found)


@needs_native
@pytest.mark.parametrize("name", ALIKE)
def test_what_the_own_transport_makes_of_it(name: str) -> None:
    assert outcome(NATIVE[0], ALIKE[name]) == outcome(OWN[0], ALIKE[name])
