"""Tasks without number, of which so many run as there is room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["Tasks"]


class Tasks:
    """Tasks under way. Starting one and its end cost the same however many there are."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._failure: BaseException | None = None

    def __len__(self) -> int:
        return len(self._running)

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Starts one."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)

    async def until(self, reached: Callable[[], bool]) -> None:
        """Waits until that is so. Looked at whenever a task ends, or :meth:`look` is called.

        Raises what a task has raised.
        """
        while self._failure is None and not reached():
            self._changed.clear()
            await self._changed.wait()
        if self._failure is not None:
            raise self._failure

    def look(self) -> None:
        """Something has changed."""
        self._changed.set()

    async def end(self) -> None:
        """Cancels those that still run, and waits for their end."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        failure = None if task.cancelled() else task.exception()  # asked for in any case: else asyncio complains
        self._failure = self._failure or failure
        self.look()
