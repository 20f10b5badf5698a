"""What sync and async streams share: everything but the waiting."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._verdict import Verdict
from ..errors import EventDecodeError, EventTooLarge, StreamClosed, StreamInterrupted
from .reader import Metrics, Reader

if TYPE_CHECKING:
    from ..events import Event

DEFAULT_MAX_EVENT_SIZE = 64 * 2**20
CLOSED = "the stream was closed before its end"

_DRAIN = 1.0
"""Seconds that we wait for the end of the body behind a terminal event, so that the connection can be used again."""


class BaseStream:
    """What both classes share: everything but the waiting."""

    def __init__(
        self,
        *,
        only: Iterable[str] | None = None,
        content_timeout: float | None = None,
        max_event_size: int = DEFAULT_MAX_EVENT_SIZE,
    ) -> None:
        self._reader = Reader(only, max_event_size, content_timeout)
        self._chooses = only is not None
        self._ahead: tuple[Any, bool] | None = None  # who reads ahead, and whether wanted events are to be built
        self._ready: deque[Event] = deque()  # events that next() has not taken yet
        self._secret = ""
        self._failure: Exception | None = None  # to be raised once the events before it are delivered
        self._resume = False  # the parser stands behind an event that raised
        self._delivered = False
        self._quick: Any = None  # the native exchange whose bytes need no more than parsing: nothing is due or timed
        self._asked = 0.0  # when they were asked for; 0 if nobody waited
        self._drain_until: float | None = None
        self._ended = False
        self._closed = False

    @property
    def verdict(self) -> Verdict | None:
        """How the stream ended; None while it has not."""
        return self._reader.verdict

    @property
    def text(self) -> str:
        """All text deltas so far, joined at each call."""
        return self._reader.parser.text

    @property
    def response(self) -> dict[str, Any] | None:
        """The final response object, once the terminal event has brought it."""
        return self._reader.response

    @property
    def response_id(self) -> str | None:
        """The id of the response, once an event has brought it."""
        return self._reader.parser.response_id

    @property
    def last_sequence_number(self) -> int | None:
        """The highest ``sequence_number`` so far."""
        return self._reader.parser.last_sequence_number

    @property
    def metrics(self) -> Metrics:
        """What was measured so far."""
        return self._reader.measured()

    def __repr__(self) -> str:
        state = self.verdict or ("closed" if self._closed else "open")
        return f"<{type(self).__name__} {state}, {self._reader.parser.events} events>"

    def _before_reading(self, build: bool) -> list[Event] | None:
        """What is due before more bytes are needed: an error, or events behind one. None: read on."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            self._resume = True
            raise failure
        if self._resume:
            self._resume = False
            now = time.monotonic()
            return self._digest(b"", build, now, now)
        if self._closed:
            raise StreamClosed(CLOSED)
        return None

    def _at_once(self) -> list[Event] | None:
        """The events that the native transport has brought; None if there are none, or if there is more to do."""
        if self._quick is None:
            return None
        try:
            chunk = self._quick.take()
        except Exception:
            return None  # raised again where it is dealt with
        if chunk is None:
            return None
        now = time.monotonic()
        begun, self._asked = self._asked or now, 0.0
        return self._digest(chunk, True, begun, now)

    def _digest(self, chunk: bytes, build: bool, begun: float, now: float) -> list[Event]:
        try:
            events = self._reader.feed(chunk, build=build, begun=begun, now=now)
        except (EventDecodeError, EventTooLarge) as error:
            events, error.events = error.events, []
            self._failure = error
        if build and events:
            self._delivered = True
        if self._failure is not None or self._reader.terminal is not None:
            self._quick = None
        return events

    def _read_ahead(self, native: Any, build: bool) -> None:
        """Lets the native transport read, on its own thread, what needs no object. All that came is digested."""
        useful = self._reader.terminal is None and (self._chooses or not build)
        ahead = (native, build) if useful else None
        if ahead != self._ahead:
            self._ahead = ahead
            self._reader.ahead = useful
            native.exchange.read_ahead(self._reader.parser if useful else None, build)
        self._reader.pace = native.exchange.pace
        if build and self._reader.patience is None and self._reader.terminal is None:
            self._quick = native.exchange

    def _time_left(self, now: float) -> float | None:
        """How many seconds the next read may take."""
        if self._reader.terminal is None:
            return self._reader.patience
        if self._drain_until is None:
            self._drain_until = now + _DRAIN
        return max(0.0, self._drain_until - now)

    def _is_over(self, now: float) -> bool:
        """Whether to stop reading, though more bytes may come: time is up."""
        if self._failure is not None:
            return False
        if self._drain_until is not None:
            return now >= self._drain_until
        patience = self._reader.patience
        return patience is not None and patience <= 0

    @staticmethod
    def _closes(error: BaseException) -> bool:
        """One bad event leaves the stream open; everything else that is raised closes it."""
        return not isinstance(error, (EventDecodeError, EventTooLarge))

    def _settle(self, cause: BaseException | None) -> StreamInterrupted | None:
        """The bytes have ended. Returns the interruption if the request may be sent again.

        Raises:
            StreamClosed: closing is what ended them.
        """
        if self._closed and self._reader.terminal is None:
            raise StreamClosed(CLOSED)
        patience = self._reader.patience
        if patience is not None and patience <= 0:
            cause = self._reader.out_of_patience()
        self._reader.end(cause)
        error = self._reader.error
        self._conceal(error)
        return error if isinstance(error, StreamInterrupted) and not self._delivered else None

    def _restart(self) -> None:
        self._quick = None
        self._reader.restart()
        self._drain_until = None

    def _conceal(self, error: Exception | None) -> None:
        """Takes the API key out of an error: a server may have repeated it."""
        secret = self._secret
        if not secret or error is None:
            return
        error.args = tuple(arg.replace(secret, "[api key]") if isinstance(arg, str) else arg for arg in error.args)
        for name, value in vars(error).items():
            if isinstance(value, str) and secret in value:
                setattr(error, name, value.replace(secret, "[api key]"))

    def _conclude(self) -> None:
        """Closed by the caller: if the terminal event has come, its verdict stands."""
        if self._reader.terminal is not None and self._reader.verdict is None:
            self._settle(None)
            self._ended = True

    def _raise_verdict(self) -> None:
        if self._reader.error is not None:
            raise self._reader.error
