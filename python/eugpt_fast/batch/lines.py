"""The lines of an input: requests in the batch format, and what is wrong with those that are none."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

import orjson

from .._json import is_object

__all__ = ["MAX_LINE", "URLS", "InvalidLine", "Line", "Readable", "digest", "parse", "raw_lines", "read_lines"]

MAX_LINE = 64 * 2**20
"""Bytes of the longest line."""

URLS = ("/v1/responses", "/v1/chat/completions")

_BOM = b"\xef\xbb\xbf"
_SKIP = 2**20  # bytes at a time


class Readable(Protocol):
    """What is needed of a binary file."""

    def readline(self, limit: int, /) -> bytes: ...


@dataclass(frozen=True)
class Line:
    """A request."""

    number: int
    """Of the line in its file, from 1; blank lines count."""
    custom_id: str
    url: str
    """One of :data:`URLS`."""
    body: dict[str, Any]


@dataclass(frozen=True)
class InvalidLine:
    """A line that is no request."""

    number: int
    custom_id: str | None
    """None if it has no usable one."""
    reason: str


def digest(custom_id: str) -> bytes:
    """16 bytes that stand for a ``custom_id``: a cryptographic hash, so that two never share them."""
    return hashlib.blake2b(custom_id.encode(), digest_size=16).digest()


def read_lines(file: Readable) -> Iterator[Line | InvalidLine]:
    """The lines of a binary file, read one at a time. Blank ones are left out; duplicates are not looked for."""
    for number, _, raw in raw_lines(file):
        yield parse(number, raw)


def raw_lines(file: Readable) -> Iterator[tuple[int, int, bytes]]:
    """Number, position in bytes and bytes of each line that is not blank.

    Only LF ends a line, with or without a CR before it: U+2028, U+2029 and U+0085 may stand inside JSON strings. Of a
    line longer than :data:`MAX_LINE` no more than one byte beyond it is kept.
    """
    number = position = 0
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        start = position
        position += len(raw)
        rest = raw if len(raw) > MAX_LINE else b"\n"
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(_SKIP)
            position += len(rest)
        if not raw.isspace():
            yield number, start, raw


def parse(number: int, raw: bytes) -> Line | InvalidLine:
    """What a line says. A byte order mark may begin the first one."""
    custom_id = None
    try:
        entry = _decode(raw.removeprefix(_BOM) if number == 1 else raw)
        custom_id = _custom_id(entry)
        return Line(number, custom_id, _url(entry), _body(entry))
    except _Invalid as invalid:
        return InvalidLine(number, custom_id, str(invalid))


class _Invalid(Exception):
    pass


def _decode(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE:
        raise _Invalid(f"longer than {MAX_LINE} bytes")
    try:
        # Not by orjson, which turns integers of 2**64 and more into floats without a word.
        entry = json.loads(raw.decode(), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _Invalid(f"not UTF-8 at byte {error.start}") from None
    except json.JSONDecodeError as error:
        raise _Invalid(f"not JSON: {error.msg} at character {error.pos}") from None
    except RecursionError:
        raise _Invalid("nested too deeply") from None
    except ValueError as error:
        raise _Invalid(f"not JSON: {error}") from None
    if not is_object(entry):
        raise _Invalid("not a JSON object")
    return entry


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")


def _custom_id(entry: dict[str, Any]) -> str:
    custom_id = entry.get("custom_id")
    if custom_id is None:
        raise _Invalid("custom_id is missing")
    if not isinstance(custom_id, str) or not custom_id:
        raise _Invalid("custom_id is not a string with something in it")
    try:
        custom_id.encode()
    except UnicodeEncodeError:
        raise _Invalid("custom_id holds half a surrogate pair") from None
    return custom_id


def _url(entry: dict[str, Any]) -> str:
    if entry.get("method") != "POST":
        raise _Invalid("method is not POST")
    url = entry.get("url")
    if url not in URLS:
        raise _Invalid(f"url is neither {URLS[0]} nor {URLS[1]}")
    return str(url)


def _body(entry: dict[str, Any]) -> dict[str, Any]:
    body = entry.get("body")
    if not is_object(body):
        raise _Invalid("body is not a JSON object")
    try:
        orjson.dumps(body)
    except TypeError as error:  # half surrogate pairs, integers of 2**64 and more
        raise _Invalid(f"body cannot be sent: {error}") from None
    return body
