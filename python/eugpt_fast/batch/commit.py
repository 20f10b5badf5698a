"""Writing in groups: one wait for the disk serves many results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Generic, TypeVar

__all__ = ["DELAY", "GROUP", "GroupCommit"]

GROUP = 256
"""So many entries are written at once, without waiting for more."""

DELAY = 0.1
"""Seconds that an entry waits for others, at most."""

T = TypeVar("T")


class GroupCommit(Generic[T]):
    """Collects entries and has them written in groups, one after the other, by a thread of its own.

    Memory is bounded by the caller, who awaits what :meth:`add` returns. After an error nothing more is written.

    Args:
        write: makes a group durable; called in the thread.
    """

    def __init__(self, write: Callable[[list[T]], None]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="eugpt-fast-ledger")
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writing: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._failure: BaseException | None = None

    def add(self, entry: T) -> asyncio.Future[None]:
        """The future is done once the entry is durable; cancelling it does not take the entry back."""
        durable = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            durable.set_exception(self._failure)
        else:
            self._waiting.append((entry, durable))
            self._schedule()
        return durable

    async def flush(self) -> None:
        """Returns once all entries so far are durable; raises what has kept them from it."""
        while self._writing is not None or (self._waiting and self._failure is None):
            self._start()
            if self._writing is not None:
                await asyncio.wait([self._writing])
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Writes what is waiting, unless an error came before, and ends the thread. Raises what ``write`` raises."""
        if self._timer is not None:
            self._timer.cancel()
        self._thread.shutdown()
        group, self._waiting = self._waiting, []
        if group:
            try:
                self._run([entry for entry, _ in group])
            finally:
                _settle(group, self._failure)

    def _schedule(self) -> None:
        if len(self._waiting) >= GROUP:
            self._start()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DELAY, self._start)

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is None and self._waiting:
            group, self._waiting = self._waiting, []
            entries = [entry for entry, _ in group]
            self._writing = asyncio.get_running_loop().run_in_executor(self._thread, self._run, entries)
            self._writing.add_done_callback(partial(self._written, group))

    def _run(self, entries: list[T]) -> None:
        if self._failure is not None:
            return
        try:
            self._write(entries)
        except BaseException as error:
            self._failure = error
            raise

    def _written(self, group: list[tuple[T, asyncio.Future[None]]], writing: asyncio.Future[None]) -> None:
        self._writing = None
        failure = writing.exception()
        _settle(group, failure)
        if failure is not None:
            group, self._waiting = self._waiting, []
            _settle(group, failure)
        elif self._waiting:
            self._schedule()


def _settle(group: list[tuple[T, asyncio.Future[None]]], failure: BaseException | None) -> None:
    for _, durable in group:
        if durable.done():
            continue
        if failure is None:
            durable.set_result(None)
        else:
            durable.set_exception(failure)
