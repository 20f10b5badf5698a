"""Telling how far the input was read, before the first request."""

from __future__ import annotations

import time
from collections.abc import Callable

from .snapshot import Checking

__all__ = ["Tell"]

_INTERVAL = 1.0  # seconds


class Tell:
    """Called for every line, it passes one on every second, the first one included.

    Args:
        to: who is told, in the thread that reads. What it raises ends the reading.

    ``size`` is that of the whole in bytes, if it is known.
    """

    def __init__(self, to: Callable[[Checking], object] = lambda checking: None) -> None:
        self.size: int | None = None
        self._to = to
        self._due = 0.0

    def __call__(self, what: str, lines: int | None, position: int) -> None:
        """``lines`` were read, and ``position`` bytes."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _INTERVAL
            self._to(Checking(what, lines, position / self.size if self.size else None))

    def now(self, what: str) -> None:
        """Passed on at once: it may take long, and cannot tell more."""
        self._to(Checking(what, None, None))
