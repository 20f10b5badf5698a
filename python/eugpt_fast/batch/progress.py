"""How a run goes, for whoever watches: a display on a terminal, else a line every few seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TextIO, cast

from . import figures
from .stats import Snapshot, Stats

__all__ = ["display", "line"]

_INTERVAL = 5.0  # seconds from one line to the next

Show = Callable[[Stats], None]


@contextmanager
def display(stream: TextIO, *, quiet: bool = False) -> Iterator[Show]:
    """Gives what is to be called every second with the counts of the run; it writes to ``stream``.

    On a terminal, and where ``rich`` is installed, a display that renews itself and is gone afterwards. A stream that
    can no longer be written to ends the display, never the run.
    """
    stream = cast(TextIO, _Lasting(stream))
    if quiet:
        yield lambda stats: None
    elif stream.isatty() and os.environ.get("TERM") != "dumb" and find_spec("rich"):
        from .live import live  # noqa: PLC0415  (rich is optional)

        with live(stream) as show:
            yield show
    else:
        yield _Lines(stream)


def line(now: Snapshot) -> str:
    """A snapshot in one line, always in the same order."""
    ended = now.done + now.failed
    share = [f"{100 * ended / now.total:.1f} % of {figures.count(now.total)}"] if now.total else []
    parts = [
        *share,
        f"{figures.count(now.done)} done",
        f"{figures.count(now.failed)} failed",
        f"{figures.count(now.in_flight)} in flight (limit {figures.count(now.concurrency)})",
        f"{figures.rate(now.requests_per_s)} requests/s",
        f"{figures.rate(now.events_per_s)} events/s",
        f"{figures.rate(now.tokens_per_s)} tokens/s",
        f"{figures.count(now.retries)} retries",
        f"{figures.span(now.elapsed_s)} elapsed",
        "time left unknown" if now.eta_s is None else f"{figures.span(now.eta_s)} left",
    ]
    return ", ".join([*parts, now.note] if now.note else parts)


class _Lines:
    """A line every five seconds, and at once when there is something to say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = time.monotonic()
        self._note: str | None = None

    def __call__(self, stats: Stats) -> None:
        now = time.monotonic()
        if now - self._last < _INTERVAL and stats.note == self._note:
            return
        self._last, self._note = now, stats.note
        print(line(stats.snapshot()), file=self._stream, flush=True)


class _Lasting:
    """A stream that takes everything, also when it has failed: its reader has left, or the terminal is gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._failed = False

    def write(self, text: str) -> int:
        self._do(lambda: self._stream.write(text))
        return len(text)

    def flush(self) -> None:
        self._do(self._stream.flush)

    def _do(self, work: Callable[[], object]) -> None:
        try:
            if not self._failed:
                work()
        except (OSError, ValueError):  # ValueError: closed
            self._failed = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
