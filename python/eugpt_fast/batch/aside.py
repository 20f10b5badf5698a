"""Work that must hold up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["Aside"]

T = TypeVar("T")


class Aside(Generic[T]):
    """Hands values to ``work`` in a thread of its own; of those that come while it is busy only the last one.

    Leaving it waits until the last value was worked on.
    """

    def __init__(self, work: Callable[[T], object]) -> None:
        self._work = work
        self._latest: T | None = None
        self._over = False
        self._changed = threading.Condition()
        # A daemon: if its stream never takes the rest, the second Ctrl-C still ends the process.
        self._thread = threading.Thread(target=self._run, name="eugpt-fast display", daemon=True)

    def put(self, value: T) -> None:
        """Returns at once."""
        with self._changed:
            self._latest = value
            self._changed.notify()

    def __enter__(self) -> Aside[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._changed:
            self._over = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._over or self._latest is not None)
                value, self._latest = self._latest, None
            if value is None:
                return
            self._work(value)
