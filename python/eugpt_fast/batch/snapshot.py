"""A run at one moment, for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from . import figures

__all__ = ["Checking", "Snapshot", "Wait"]


@dataclass(frozen=True)
class Wait:
    """Why requests are held back at the moment."""

    why: str
    until: float
    """When the next one may be sent, as far as is known: seconds of :func:`time.time`."""

    @classmethod
    def until_monotonic(cls, why: str, until: float) -> Wait:
        """As made from seconds of :func:`time.monotonic`. ``why`` may hold what a server said."""
        return cls(figures.printable(why, 200), time.time() + until - time.monotonic())

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.until - time.time())

    def __str__(self) -> str:
        if self.left < 1:
            return f"held back: {self.why}"
        clock = time.strftime("%H:%M:%S", time.localtime(self.until))
        return f"waiting until {clock} ({figures.span(self.left)}): {self.why}"


@dataclass(frozen=True)
class Checking:
    """How far the input was read before the first request."""

    what: str
    lines: int | None
    """Lines read so far; None where they are not told apart."""
    share: float | None
    """Of the file, from 0 to 1; None of a pipe."""

    def __str__(self) -> str:
        lines = [] if self.lines is None else [f"line {figures.count(self.lines)}"]
        share = [] if self.share is None else [f"{100 * self.share:.0f} %"]
        told = ", ".join([*lines, *share])
        return f"{self.what}: {told}" if told else self.what


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A run at one moment. Rates are those of the last ten samples; times are in seconds."""

    checking: Checking | None
    """Set as long as the input is looked through: then nothing else has begun."""
    total: int | None
    done: int
    failed: int
    in_flight: int
    """Requests on the wire: neither those that were not begun, nor those that wait for their next attempt."""
    pending: int | None
    """All others that have not ended; ``None`` while the total is not known."""
    concurrency: int
    elapsed_s: float
    requests_per_s: float
    events_per_s: float
    tokens_per_s: float
    """Output tokens."""
    eta_s: float | None
    retries: Mapping[str, int]
    """By cause."""
    errors: Mapping[str, int]
    """Requests that failed in this run, by error code."""
    time_to_first_text: dict[str, float | int | None]
    duration: dict[str, float | int | None]
    wait: Wait | None
    note: str | None
