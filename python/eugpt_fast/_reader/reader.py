"""The reader without I/O: bytes in, events out, then one verdict. Both stream classes drive it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._backend import ResponseParser
from .._json import is_object
from .._verdict import Verdict
from ..errors import EventTruncated, StreamError, StreamInterrupted
from .judge import judge

if TYPE_CHECKING:
    from ..events import Event, TerminalEvent

__all__ = ["Collected", "Metrics", "Reader"]


@dataclass
class Metrics:
    """What was measured of one stream. Times are in seconds since the request was sent (or reading began)."""

    bytes: int = 0
    """Bytes of the body, decompressed."""
    chunks: int = 0
    """Pieces in which they came."""
    events: int = 0
    """Events, those skipped by ``only`` included."""
    time_to_first_byte: float | None = None
    time_to_first_event: float | None = None
    time_to_first_text: float | None = None
    duration: float = 0.0
    """To the last byte."""
    longest_pause: float = 0.0
    """The longest wait for content between two events; comments and ``keepalive`` are none."""
    gaps: int = 0
    """How often ``sequence_number`` jumped ahead: events are missing."""
    repeats: int = 0
    """How often ``sequence_number`` came again."""
    reorders: int = 0
    """How often ``sequence_number`` went back."""


@dataclass(frozen=True)
class Collected:
    """A whole stream that ended well."""

    verdict: Verdict
    text: str
    """All text deltas, joined."""
    refusal: str
    reasoning: str
    reasoning_summary: str
    arguments: dict[str, str]
    """Arguments of function calls by item id, in order."""
    response: dict[str, Any] | None
    """The final response object as the terminal event brought it."""
    response_id: str | None
    last_sequence_number: int | None
    metrics: Metrics = field(repr=False)

    @property
    def usage(self) -> dict[str, Any] | None:
        """The ``usage`` of the final response, or None."""
        usage = self.response.get("usage") if self.response else None
        return usage if is_object(usage) else None


class Reader:
    """One stream's parser, clock and verdict."""

    def __init__(self, only: Iterable[str] | None, max_event_size: int, content_timeout: float | None) -> None:
        if content_timeout is not None and not 0 < content_timeout <= threading.TIMEOUT_MAX:
            raise ValueError("content_timeout must be a positive, finite number of seconds")
        only = only if only is None or isinstance(only, str) else frozenset(only)
        self._options = {"only": only, "max_event_size": max_event_size}
        self._content_timeout = content_timeout
        self.restart()

    def restart(self) -> None:
        """Forgets everything: the request is about to be sent again."""
        self.parser = ResponseParser(**self._options)  # type: ignore[arg-type]
        self.metrics = Metrics()
        self.verdict: Verdict | None = None
        self.error: StreamError | None = None
        self.terminal: TerminalEvent | None = None
        """The terminal event, once it has come."""
        self.response: dict[str, Any] | None = None
        """The response object that it brought."""
        self.pace: Callable[[], tuple[int, int, float, float, float]] | None = None
        """Tells what the transport has measured, if it is ours: see ``Exchange.pace``."""
        self.ahead = False
        """Whether events are read ahead, so that waiting for bytes is not waiting for content."""
        self.waited = 0.0
        """Seconds spent waiting for bytes since the last content. The consumer's own time does not count."""
        self._progress = 0
        self._awaits_first = True
        self.started = self._latest = time.monotonic()
        """When the request was sent, on that clock, or reading began."""

    def feed(self, chunk: bytes, *, build: bool, begun: float, now: float) -> list[Event]:
        """The events that ``chunk`` completes; without ``build`` only the terminal one.

        ``begun`` and ``now`` say when the wait for it began and ended, on the clock of :func:`time.monotonic`.

        Raises:
            EventDecodeError, EventTooLarge: as ``Parser.feed``; the account is kept all the same.
        """
        try:
            return (self.parser.feed if build else self.parser.skim)(chunk)
        finally:
            if chunk or self.ahead:
                self._latest = now
            if chunk and self.pace is None:
                self.metrics.bytes += len(chunk)
                self.metrics.chunks += 1
            if not self.ahead:
                self.waited += now - begun
            elif self._content_timeout is not None and self.pace is not None:
                self.waited = min(self.waited + now - begun, self.pace()[3])  # there may have been content meanwhile
            progress = self.parser.progress
            if progress != self._progress:
                self._progress = progress
                self._note_progress()
            if self._awaits_first:
                self._note_firsts(now)

    def _note_progress(self) -> None:
        if self.waited > self.metrics.longest_pause and self.metrics.time_to_first_event is not None:
            self.metrics.longest_pause = self.waited
        self.waited = 0.0
        terminal = self.parser.terminal
        if terminal is not None and terminal is not self.terminal:
            self._judge(terminal)

    def _note_firsts(self, now: float) -> None:
        metrics, elapsed = self.metrics, now - self.started
        if metrics.time_to_first_byte is None and (metrics.bytes or self.pace is not None):
            metrics.time_to_first_byte = elapsed
        if metrics.time_to_first_event is None and self.parser.events:
            metrics.time_to_first_event = elapsed
        if self.parser.has_text:
            metrics.time_to_first_text = elapsed
            self._awaits_first = False

    def _judge(self, terminal: TerminalEvent) -> None:
        # Before the caller gets the event, and can change it.
        self.terminal = terminal
        self._judgement = judge(terminal)
        response = terminal.get("response")
        self.response = response if is_object(response) else None

    @property
    def patience(self) -> float | None:
        """How many seconds of waiting for content are left; None without a limit."""
        return None if self._content_timeout is None else self._content_timeout - self.waited

    def out_of_patience(self) -> TimeoutError:
        """The cause of an interruption by ``content_timeout``."""
        return TimeoutError(f"no content for {self._content_timeout} seconds")

    def end(self, cause: BaseException | None) -> None:
        """The bytes have ended, by ``cause`` if the transport raised. Sets the verdict and its error."""
        if self.terminal is not None:
            # A failure behind the terminal event changes nothing: the response was whole.
            self.verdict, self.error = self._judgement
        else:
            self.verdict, self.error = Verdict.INTERRUPTED, self._interrupted(cause)
        self._count()
        if self.error is not None:
            self.error.verdict = self.verdict
            self.error.text = self.parser.text
            self.error.last_sequence_number = self.parser.last_sequence_number
            self.error.response_id = self.parser.response_id

    def _interrupted(self, cause: BaseException | None) -> StreamInterrupted:
        try:
            self.parser.finish()
            truncated = None
        except EventTruncated as ending:
            truncated = ending
        where = "inside an event" if truncated else "between two events"
        why = f" ({': '.join(filter(None, (type(cause).__name__, str(cause))))})" if cause else ""
        error = StreamInterrupted(
            f"the stream was cut {where}, after {self.parser.events} events, without a terminal event{why}",
            retryable=True,
        )
        error.inside_event = truncated is not None
        error.__cause__ = cause or truncated
        return error

    def _count(self) -> None:
        if self.pace is not None:
            self.metrics.bytes, self.metrics.chunks, since_latest, _, pause = self.pace()
            self._latest = max(self._latest, time.monotonic() - since_latest)
            if self.metrics.time_to_first_event is not None:
                self.metrics.longest_pause = max(self.metrics.longest_pause, pause)
        self.metrics.duration = max(0.0, self._latest - self.started)
        for name in ("events", "gaps", "repeats", "reorders"):
            setattr(self.metrics, name, getattr(self.parser, name))

    def measured(self) -> Metrics:
        """The metrics so far."""
        self._count()
        return self.metrics

    def collected(self) -> Collected:
        """Everything, after a good end."""
        assert self.verdict is not None
        parser = self.parser
        return Collected(
            verdict=self.verdict,
            text=parser.text,
            refusal=parser.refusal,
            reasoning=parser.reasoning,
            reasoning_summary=parser.reasoning_summary,
            arguments=parser.arguments,
            response=self.response,
            response_id=parser.response_id,
            last_sequence_number=parser.last_sequence_number,
            metrics=self.measured(),
        )
