"""Ctrl-C, and SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Generator

from .stop import Stop

__all__ = ["INTERRUPTED", "interruptible"]

INTERRUPTED = "interrupted"


@contextlib.contextmanager
def interruptible(stop: Stop) -> Generator[None, None, None]:
    """The first Ctrl-C (or SIGTERM) gives requests in flight some time to finish; the second cancels this task."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if stop.hurried:
            task.cancel()
        else:
            stop.now(INTERRUPTED, hurry=True)

    handled: list[signal.Signals] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            loop.add_signal_handler(number, interrupted)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
