"""Deadlines for blocking reads: when one passes, the connection is shut down under the reader.

One thread serves all streams and ends when none needs it. Waking it is rare: a deadline that is moved back, as each
chunk does, is only looked at when the thread would have woken anyway.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

__all__ = ["Watchdog"]

_IDLE = 1.0  # seconds without any deadline after which the thread ends


class _Guard:
    """The thread, and whom it watches."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.armed: set[Watchdog] = set()
        self.wakes_at: float | None = None  # None: there is no thread

    def watch(self) -> None:
        with self.changed:
            while True:
                now = time.monotonic()
                for watchdog in [each for each in self.armed if each.deadline <= now]:
                    # Under the lock: once disarm() has returned, nothing is aborted any more.
                    self.armed.discard(watchdog)
                    watchdog.abort()
                idle = not self.armed
                self.wakes_at = now + _IDLE if idle else min(each.deadline for each in self.armed)
                notified = self.changed.wait(self.wakes_at - now)
                if idle and not notified and not self.armed:
                    self.wakes_at = None
                    return


_guard = _Guard()


def _forget() -> None:
    """A forked child has no such thread."""
    global _guard  # noqa: PLW0603
    _guard = _Guard()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


class Watchdog:
    """Calls ``abort``, from another thread, once a deadline has passed."""

    def __init__(self, abort: Callable[[], None]) -> None:
        self.abort = abort
        self.deadline = 0.0

    def arm(self, deadline: float) -> None:
        """Sets the deadline, on the clock of :func:`time.monotonic`. It may be moved again and again."""
        guard = _guard
        with guard.changed:
            self.deadline = deadline
            guard.armed.add(self)
            if guard.wakes_at is None:
                guard.wakes_at = deadline
                threading.Thread(target=guard.watch, name="eugpt-fast-watchdog", daemon=True).start()
            elif deadline < guard.wakes_at:
                guard.changed.notify()

    def disarm(self) -> None:
        """Nothing is waited for any more; ``abort`` is not called after this returns."""
        guard = _guard
        with guard.changed:
            guard.armed.discard(self)
