"""Framing: the WHATWG event stream rules over bytes that arrive in any pieces.

https://html.spec.whatwg.org/multipage/server-sent-events.html, clauses 9.2.5 and 9.2.6.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from operator import index
from typing import NamedTuple

from ..errors import EventTooLarge

_BOM = b"\xef\xbb\xbf"
_DATA_PREFIX = len(b"data: ")


class Event(NamedTuple):
    """One dispatched event, its bytes as sent; an empty name means ``message``."""

    name: bytes
    data: bytes
    id: bytes
    retry: int | None


class Framer:
    """Turns chunks into events, one stream each."""

    def __init__(self, max_event_size: int) -> None:
        self._limit = index(max_event_size)
        if self._limit < 1:
            raise ValueError("max_event_size must be a positive number of bytes")
        self._start: bytes | None = b""  # bytes that may be a leading BOM; None once that is settled
        self._after_cr = False
        self._lines: deque[bytes] = deque()  # complete, not processed
        self._tail: list[bytes] = []  # the line that is not finished, in pieces
        self._tail_size = 0
        self._raised = False
        self._data: list[bytes] | None = None
        self._data_size = 0
        self._dropped = False  # the open block is too large: skip up to the blank line
        self._name = b""
        self._id = b""
        self._block_retry: int | None = None
        self.last_event_id = b""
        self.retry: int | None = None

    @property
    def waiting(self) -> bool:
        """Whether bytes wait behind an event that raised."""
        return self._raised and bool(self._lines or self._tail)

    def push(self, chunk: bytes) -> None:
        """Cuts ``chunk`` into lines. ``bytes.splitlines`` cuts at LF, CR and CRLF only, as the standard does."""
        if self._start is not None:
            chunk = self._start + chunk
            if len(chunk) < len(_BOM) and _BOM.startswith(chunk):
                self._start = chunk
                return
            chunk = chunk.removeprefix(_BOM)
            self._start = None
        if not chunk:
            return
        after_cr, self._after_cr = self._after_cr, chunk.endswith(b"\r")
        if after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        lines = chunk.splitlines(keepends=True)
        rest = b"" if not lines or lines[-1].endswith((b"\n", b"\r")) else lines.pop()
        if lines and self._tail:
            self._tail.append(lines[0])
            lines[0] = b"".join(self._tail)
            self._set_tail(b"")
        self._lines.extend(lines)
        if rest:
            self._tail.append(rest)
            self._tail_size += len(rest)

    def events(self) -> Iterator[Event]:
        """The events that are complete. May be abandoned and called again: each event comes once."""
        self._raised = True
        while self._lines:
            line = self._lines.popleft().rstrip(b"\r\n")
            if not line:
                event = self._end_block()
                if event is not None:
                    yield event
            elif line[0] != ord(":") and not self._dropped:
                self._check(len(line) - _DATA_PREFIX)
                self._field(line)
        if self._tail:
            if self._dropped or self._tail[0].startswith(b":"):
                self._set_tail(b":")  # of these nothing matters but that the line is not blank
            elif self._tail_size > self._limit + _DATA_PREFIX:
                self._set_tail(b":")
                self._raised = False
                self._check(self._limit + 1)
        self._raised = False

    def open_data(self) -> bytes | None:
        """The data received of a block that no blank line has closed, or None. It is not an event."""
        if self._dropped:
            return None
        data = list(self._data or ())
        name, _, value = b"".join(self._tail).partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
        return b"\n".join(data) if data else None

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            if self._data is None:
                self._check(len(value))
                self._data, self._data_size = [value], len(value)
            else:
                self._check(self._data_size + 1 + len(value))
                self._data.append(value)
                self._data_size += 1 + len(value)
        elif name == b"event":
            self._name = value
        elif name == b"id":
            if b"\0" not in value:
                self._id = value
        elif name == b"retry" and value.isdigit():
            digits = value.lstrip(b"0") or b"0"
            # Digits beyond 64 bits are no time that anyone can wait: ignored.
            if len(digits) <= 20 and (ms := int(digits)) < 2**64:
                self._block_retry = self.retry = ms

    def _end_block(self) -> Event | None:
        self.last_event_id = self._id
        event = None
        if self._data is not None:
            event = Event(self._name, b"\n".join(self._data), self._id, self._block_retry)
        self._data, self._dropped, self._name, self._block_retry = None, False, b"", None
        return event

    def _check(self, size: int) -> None:
        if size > self._limit:
            self._data, self._dropped = None, True
            raise EventTooLarge(self._limit)

    def _set_tail(self, tail: bytes) -> None:
        self._tail = [tail] if tail else []
        self._tail_size = len(tail)
