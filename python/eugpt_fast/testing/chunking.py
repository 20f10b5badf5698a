"""Where a body is cut into chunks, and when each chunk leaves.

A chunking is a function from the body to its chunks. Joined, the chunks are the body again, and none is empty:
an empty chunk would end an HTTP chunked body.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

# A CRLF pair is one terminator: without the lookahead it would pass for a blank line.
_BLANK_LINE = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2,}")
_CONTINUATION_BYTE = re.compile(rb"[\x80-\xbf]")
_CR_BEFORE_LF = re.compile(rb"\r(?=\n)")


class Chunk(NamedTuple):
    """Bytes that are written at once, not before `at` seconds after the start of the reply."""

    data: bytes
    at: float = 0.0


Chunking: TypeAlias = Callable[[bytes], Iterable[Chunk]]


def per_event(body: bytes) -> Iterator[Chunk]:
    """One chunk per event, blank line included; an unfinished last event is a chunk too."""
    return _cut(body, (match.end() for match in _BLANK_LINE.finditer(body)))


def whole(body: bytes) -> Iterator[Chunk]:
    """The body as one chunk."""
    return _cut(body, ())


def every(size: int) -> Chunking:
    """Chunks of `size` bytes; the last one may be shorter. Raises ValueError if `size` is not positive."""
    if size < 1:
        raise ValueError(f"a chunk holds at least one byte, not {size}")
    return lambda body: _cut(body, range(size, len(body), size))


def mid_utf8(body: bytes) -> Iterator[Chunk]:
    """Cut before every continuation byte, that is at every place inside every multi-byte character."""
    return _cut(body, (match.start() for match in _CONTINUATION_BYTE.finditer(body)))


def mid_crlf(body: bytes) -> Iterator[Chunk]:
    """Cut between the CR and the LF of every CRLF. `Fault.CRLF` gives a body such line ends."""
    return _cut(body, (match.end() for match in _CR_BEFORE_LF.finditer(body)))


def recorded(path: Path) -> Chunking:
    """The chunks of a recording, in their recorded sizes and at their recorded times.

    Args:
        path: an `.sse` stream with its `.json` beside it, or that `.json`, whose key `chunks` is a list of
            `[seconds, bytes]`. Bytes beyond the recorded sizes go with the last chunk.

    Raises:
        OSError, ValueError, KeyError: the recording cannot be read.
    """
    recording = json.loads(path.with_suffix(".json").read_text("utf-8"))
    times = [(float(seconds), int(size)) for seconds, size in recording["chunks"]]

    def chunks(body: bytes) -> Iterator[Chunk]:
        start = 0
        for index, (seconds, size) in enumerate(times, start=1):
            end = start + size if index < len(times) else len(body)
            if data := body[start:end]:
                yield Chunk(data, seconds)
            start = end

    return chunks


def _cut(body: bytes, offsets: Iterable[int]) -> Iterator[Chunk]:
    start = 0
    for end in (*offsets, len(body)):
        if start < end:
            yield Chunk(body[start:end])
        start = end
