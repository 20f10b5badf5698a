"""How a request ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """How one attempt ended, or with ``attempts`` the request as a whole.

    ``verdict`` is a :class:`~eugpt_fast.Verdict`, or "refused" (by an HTTP status), "unreachable" (no answer) or
    "expired" (the deadline passed).
    """

    verdict: str
    status_code: int | None = None
    request_id: str | None = None
    body: dict[str, Any] | None = None
    """What the endpoint would have answered without streaming. Of a failure, what it has said, if that is JSON."""
    error: tuple[str, str] | None = None
    """Code, and message for people."""
    retryable: bool = False
    text: str = ""
    """What had come of the text."""
    usage: dict[str, Any] | None = None
    attempts: int = 1
    time_to_first_text: float | None = None
    """Seconds since the request was sent."""
    duration: float = 0.0
    """Seconds of the last attempt."""
    events: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Those of the answer, in lower case."""

    @property
    def ok(self) -> bool:
        """Whether there is a whole answer, though a limit of tokens may have ended it."""
        return self.verdict in ("completed", "incomplete")

    @property
    def tokens(self) -> int:
        """Tokens used, as the answer reports them, or 0."""
        total = (self.usage or {}).get("total_tokens")
        return total if isinstance(total, int) else 0

    @property
    def output_tokens(self) -> int:
        """Tokens of the answer, as it reports them, or 0."""
        usage = self.usage or {}
        count = usage.get("output_tokens", usage.get("completion_tokens"))
        return count if isinstance(count, int) else 0
