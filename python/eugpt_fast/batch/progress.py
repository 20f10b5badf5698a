"""How a run goes, for whoever watches: a display on a terminal, else a line every few seconds."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TextIO, cast

from . import figures
from .aside import Aside
from .snapshot import Snapshot
from .stats import Stats

__all__ = ["display", "line", "writing"]

_INTERVAL = 5.0  # seconds from one line to the next


@contextmanager
def display(stream: TextIO, *, quiet: bool = False) -> Generator[Callable[[Stats], None], None, None]:
    """Gives what is to be called every second with the counts of the run; it never waits for ``stream``.

    On a terminal, and where ``rich`` is installed, a display that renews itself and is gone afterwards. A stream that
    can no longer be written to ends the display, never the run. One that takes nothing for the moment, a terminal
    stopped by Ctrl-S for instance, misses what comes meanwhile, and is waited for at the end.
    """
    if quiet:
        yield lambda stats: None
        return
    with writing(stream) as show, Aside(show) as aside:
        yield lambda stats: aside.put(stats.snapshot())


@contextmanager
def writing(stream: TextIO) -> Generator[Callable[[Snapshot], None], None, None]:
    """Gives what writes a snapshot to ``stream`` in the way that suits it."""
    stream = cast(TextIO, _Lasting(stream))
    if stream.isatty() and os.environ.get("TERM") != "dumb" and find_spec("rich"):
        from .live import live  # noqa: PLC0415  (rich is optional)

        with live(stream) as show:
            yield show
    else:
        yield _Lines(stream)


def line(now: Snapshot) -> str:
    """A snapshot in one line, always in the same order."""
    if now.checking is not None:
        return str(now.checking)
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
        f"{figures.count(sum(now.retries.values()))} retries",
        f"{figures.span(now.elapsed_s)} elapsed",
        "time left unknown" if now.eta_s is None else f"{figures.span(now.eta_s)} left",
    ]
    return ", ".join([*parts, *(str(remark) for remark in (now.wait, now.note) if remark)])


class _Lines:
    """A line every five seconds, and at once when there is something to say."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last = time.monotonic()
        self._note: str | None = None
        self._why: str | None = None

    def __call__(self, now: Snapshot) -> None:
        # Short waits come and go: those alone would make a line every second.
        why = now.wait.why if now.wait and (now.wait.why == self._why or now.wait.left > _INTERVAL) else None
        news = now.note != self._note or why not in (None, self._why)
        self._note, self._why = now.note, why
        if news or time.monotonic() - self._last >= _INTERVAL:
            self._last = time.monotonic()
            print(line(now), file=self._stream, flush=True)


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
