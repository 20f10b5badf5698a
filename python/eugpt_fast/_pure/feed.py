"""What all parsers of this package share: chunks in, and what is left when an event raises."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ..errors import EventDecodeError, EventTooLarge, EventTruncated
from .framing import Event, Framer


class Feed:
    """Chunks into events, one thread at a time."""

    def __init__(self, max_event_size: int) -> None:
        self._framer = Framer(max_event_size)
        self._in_use = threading.Lock()

    def finish(self) -> None:
        if self._framer.waiting:
            raise RuntimeError('events are waiting behind one that raised: call feed(b"") first')
        data = self._framer.open_data()
        if data is not None:
            raise EventTruncated(text(data))

    @property
    def last_event_id(self) -> str:
        return text(self._framer.last_event_id)

    @property
    def retry(self) -> int | None:
        return self._framer.retry

    def _run(self, chunk: bytes | bytearray | memoryview, each: Callable[[Event, list[Any]], None]) -> list[Any]:
        """Calls ``each`` with every event that ``chunk`` completes and with the list to put its result in."""
        if not isinstance(chunk, bytes):
            chunk = memoryview(chunk).tobytes()
        if not self._in_use.acquire(blocking=False):
            raise RuntimeError("this parser is in use: one parser serves one stream, from one thread at a time")
        results: list[Any] = []
        try:
            self._framer.push(chunk)
            for event in self._framer.events():
                each(event, results)
        except (EventDecodeError, EventTooLarge) as error:
            error.events = results
            raise
        finally:
            self._in_use.release()
        return results


def text(utf8: bytes) -> str:
    """UTF-8 decode as the standard says: invalid sequences become U+FFFD."""
    return utf8.decode("utf-8", "replace")
