"""``EventStream``: events first, then the verdict."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..errors import StreamClosed, UnexpectedResponse
from .base import CLOSED, DEFAULT_MAX_EVENT_SIZE, BaseStream
from .reader import Collected
from .sources import Call, Source, network_errors, source_of
from .watchdog import Watchdog

if TYPE_CHECKING:
    from ..events import Event


class EventStream(BaseStream):
    """The events of one response, then its verdict.

    Iterating yields the decoded data of each event (nearly always a ``dict``), and after the last one returns quietly
    (``completed``, ``incomplete``) or raises. Use it as a context manager, or iterate to the end: ``break`` and an
    exception in the loop body close the response too. What is raised comes while iterating, or from :meth:`collect`.

    Args:
        source: a streamed response of ``httpx.Client``, ``httpx2.Client`` or ``requests``, or any iterable of bytes.
        only: event types to decode; see :class:`Parser`. Terminal events always come.
        content_timeout: seconds to wait for content; comments and ``keepalive`` events are none. None waits as long
            as the transport does. A blocked read is interrupted on HTTP/1.1; elsewhere, and over a plain iterable, the
            limit is checked whenever bytes come.
        max_event_size: the most data that one event may hold, in bytes; 64 MiB by default.

    Raises:
        StreamInterrupted: the bytes ended without a terminal event.
        ResponseError, ResponseFailed, ResponseCancelled: what the terminal event says.
        EventDecodeError, EventTooLarge: one bad event. The stream stays open: iterate again to go on behind it.
        UnexpectedResponse: the response is no event stream.
        StreamClosed: it was closed before its end.

    Examples:
        >>> with httpx.stream("POST", url, json=body) as response:
        ...     for event in EventStream(response):
        ...         if event["type"] == "response.output_text.delta":
        ...             print(event["delta"], end="", flush=True)
    """

    def __init__(
        self,
        source: Any,
        *,
        only: Iterable[str] | None = None,
        content_timeout: float | None = None,
        max_event_size: int = DEFAULT_MAX_EVENT_SIZE,
    ) -> None:
        super().__init__(only=only, content_timeout=content_timeout, max_event_size=max_event_size)
        self._watchdog: Watchdog | None = None
        self._call = source if isinstance(source, Call) else None
        if self._call is None:
            self._set_source(source)
        else:
            self._secret = self._call.secret
            self._open(self._call)

    def _open(self, call: Call) -> None:
        try:
            self._set_source(call.open())
            self._reader.started = call.sent
            if self._closed:  # by another thread, while this one waited
                self._close_source()
                raise StreamClosed(CLOSED)
        except BaseException:
            call.close()
            raise

    def _set_source(self, given: Any) -> None:
        self._source: Source = source_of(given)
        self._checked = False
        self._watchdog = Watchdog(self._source.abort) if self._source.abort else None

    def __iter__(self) -> Iterator[Event]:
        return self._events()

    def _events(self) -> Generator[Event, None, None]:
        try:
            while self._ready:
                yield self._ready.popleft()
            while (events := self._at_once()) is not None or (events := self._batch(build=True)) is not None:
                yield from events
        except GeneratorExit:
            self.close()
            raise
        self._raise_verdict()

    def __next__(self) -> Event:
        while not self._ready:
            events = self._batch(build=True)
            if events is None:
                self._raise_verdict()
                raise StopIteration
            self._ready.extend(events)
        return self._ready.popleft()

    def collect(self) -> Collected:
        """Reads to the end without building an object per delta.

        Raises what iterating does. Events that were iterated before count too.
        """
        while self._batch(build=False) is not None:
            pass
        self._raise_verdict()
        return self._reader.collected()

    def _batch(self, *, build: bool) -> list[Event] | None:
        """The events of the next chunk; None at the end."""
        if self._ended:
            return None
        try:
            due = self._before_reading(build)
            return self._step(build) if due is None else due
        except BaseException as error:
            if self._closes(error):
                self.close()
            raise

    def _step(self, build: bool) -> list[Event] | None:
        if not self._checked:
            self._check()
        begun = time.monotonic()
        try:
            chunk = self._read(begun, build)
        except network_errors() as error:
            self._reader.waited += time.monotonic() - begun
            return self._end(error)
        now = time.monotonic()
        if chunk is None:
            self._reader.waited += now - begun
            return self._end(None)
        events = self._digest(chunk, build, begun, now)
        return self._end(None, events) if self._is_over(now) else events

    def _check(self) -> None:
        try:
            self._source.check()
        except UnexpectedResponse as error:
            self._conceal(error)
            raise
        self._checked = True

    def _read(self, begun: float, build: bool) -> bytes | None:
        left = self._time_left(begun)
        if (native := self._source.native) is not None:
            self._read_ahead(native, build)
            return native.read(left)
        if left is None or self._watchdog is None:
            return next(self._source.chunks, None)
        self._watchdog.arm(begun + left)
        try:
            return next(self._source.chunks, None)
        finally:
            self._watchdog.disarm()

    def _end(self, cause: BaseException | None, events: list[Event] | None = None) -> list[Event] | None:
        interruption = self._settle(cause)
        if interruption is not None and self._call is not None:
            self._close_source()
            if self._call.again() and not self._closed:
                self._restart()
                self._open(self._call)
                return []
        self._ended = True
        self.close()
        return events

    def close(self) -> None:
        """Closes the response and frees its connection. The stream has no verdict unless it had ended."""
        if not self._closed:
            self._closed = True
            self._quick = None
            self._conclude()
            self._close_source()
            if self._call is not None:
                self._call.close()

    def _close_source(self) -> None:
        with contextlib.suppress(*network_errors()):
            self._source.close()

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_source"):
            self.close()
