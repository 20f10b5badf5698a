"""When a request is sent again, and after how long."""

from __future__ import annotations

import random
import re
import sys
import time
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any

_FIRST_DELAY = 0.5  # seconds; doubles with each attempt
_MAX_DELAY = 8.0
_MAX_RETRY_AFTER = 60.0
"""A server that asks for more is not waited for: its refusal is raised."""


def transport_errors() -> tuple[type[BaseException], ...]:
    """What means that the request may be sent again: it was cut off before an answer came."""
    modules = [sys.modules[name] for name in ("httpx", "httpx2") if name in sys.modules]
    return tuple(
        getattr(module, name)
        for module in modules
        for name in ("NetworkError", "TimeoutException", "RemoteProtocolError")
    )


def may_pass(status: int) -> bool:
    """Whether a request that was refused so may succeed later."""
    return status in (408, 409, 429) or status >= 500


def backoff(failures: int, first: float, most: float) -> float:
    """Seconds to wait after so many failures in a row: doubled each time, with jitter, so that clients cut off together
    do not come back together.
    """
    return float(min(most, first * 2 ** (failures - 1))) * random.uniform(0.5, 1.0)


class Retries:
    """The budget of one call. Each method takes from it and returns seconds to wait, or None: give up."""

    def __init__(self, budget: int) -> None:
        if budget < 0:
            raise ValueError("max_retries must not be negative")
        self._budget = budget
        self._used = 0

    def after_failure(self) -> float | None:
        """After a connection that failed, or a stream that was cut."""
        if self._used >= self._budget:
            return None
        self._used += 1
        return backoff(self._used, _FIRST_DELAY, _MAX_DELAY)

    def after_refusal(self, response: Any) -> float | None:
        """After an answer that is no success."""
        if not may_pass(response.status_code):
            return None
        asked = retry_after(response.headers.get("retry-after"))
        if asked is None:
            return self.after_failure()
        if asked > _MAX_RETRY_AFTER or self.after_failure() is None:
            return None
        return asked


def retry_after(value: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for, given in seconds or as a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    if re.fullmatch(r"[+-]?[0-9]+(\.[0-9]*)?", value.strip()):
        return max(0.0, float(value))
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, date.timestamp() - time.time())
