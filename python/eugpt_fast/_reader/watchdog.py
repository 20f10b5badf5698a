"""A deadline for a blocking read: when it passes, the connection is shut down under the reader."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["Watchdog"]


class Watchdog:
    """Calls ``abort`` once if the deadline passes. Its thread is started by the first :meth:`arm`."""

    def __init__(self, abort: Callable[[], None]) -> None:
        self._abort = abort
        self._changed = threading.Condition()
        self._deadline: float | None = None
        self._thread: threading.Thread | None = None
        self._stopped = False

    def arm(self, deadline: float) -> None:
        """Sets the deadline, on the clock of :func:`time.monotonic`. It may be moved again and again."""
        with self._changed:
            earlier = self._deadline is None or deadline < self._deadline
            self._deadline = deadline
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="eugpt-fast-watchdog", daemon=True)
                self._thread.start()
            elif earlier:
                self._changed.notify()

    def disarm(self) -> None:
        """Nothing is waited for now."""
        self._deadline = None

    def stop(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._stopped = True
            self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                deadline = self._deadline
                if deadline is None:
                    self._changed.wait()
                elif (left := deadline - time.monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    break
            else:
                return
        self._abort()
