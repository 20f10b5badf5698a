"""Who waits for a time, and why."""

from __future__ import annotations

import time

from .snapshot import Wait
from .stop import Stop

__all__ = ["Waits"]


class Waits:
    """Those who wait for a time to come, or for the run to stop. Its length is their number."""

    def __init__(self, stop: Stop) -> None:
        self._stop = stop
        self._until: dict[object, tuple[float, str]] = {}  # and why

    def __len__(self) -> int:
        return len(self._until)

    async def hold(self, seconds: float, why: str) -> None:
        """Returns after so many seconds, or as soon as the run stops."""
        if not seconds:
            return
        key = object()
        self._until[key] = time.monotonic() + seconds, why
        try:
            await self._stop.sleep(seconds)
        finally:
            del self._until[key]

    def first(self) -> Wait | None:
        """The one that ends first."""
        until, why = min(self._until.values(), default=(0.0, ""))
        return Wait.until_monotonic(why, until) if why else None
