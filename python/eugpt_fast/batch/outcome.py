"""How a request ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome"]


@dataclass(kw_only=True)
class Outcome:
    """How one request ended, after all its attempts."""

    status_code: int | None = None
    request_id: str | None = None
    body: dict[str, Any] | None = None
    verdict: str
    error: tuple[str, str] | None = None
    retryable: bool = False
    retry_after: float | None = None
    text: str = ""
    usage: dict[str, Any] | None = None
    attempts: int = 1
    time_to_first_text: float | None = None
    duration: float = 0.0
    events: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Completed or incomplete."""
        return self.verdict in ("completed", "incomplete")
