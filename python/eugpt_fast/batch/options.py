"""What a run is told."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from .._client.request import DEFAULT_BASE_URL

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a batch is run.

    Args:
        base_url: default: ``EUGPT_BASE_URL``, or the vendor's address.
        api_key: default: ``EUGPT_API_KEY``.
        concurrency: how many requests run at the same time; None lets the server's answers decide.
        max_concurrency: the most that they may decide on.
        rpm: requests a minute.
        tpm: tokens a minute: estimated when a request starts, corrected by the usage that its answer reports.
        attempts: how often a request is sent, at most.
        deadline: seconds for one request with all its attempts; None for no limit.
        max_total_tokens: once the answers have used so many, no more requests start.
        content_timeout: seconds without content after which a stream counts as cut.
        grace: seconds that requests in flight have to finish in once the run is to stop.
        skip_invalid: whether lines that are no requests become errors; otherwise they refuse the run.

    Raises:
        ValueError: a limit that is not positive.
    """

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    concurrency: int | None = None
    max_concurrency: int = 256
    rpm: float | None = None
    tpm: float | None = None
    attempts: int = 5
    deadline: float | None = 600.0
    max_total_tokens: int | None = None
    content_timeout: float | None = 120.0
    grace: float = 30.0
    skip_invalid: bool = False

    def __post_init__(self) -> None:
        for name in ("concurrency", "max_concurrency", "rpm", "tpm", "attempts", "deadline", "max_total_tokens"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive")
        if self.grace < 0:
            raise ValueError("grace must not be negative")

    def fingerprint(self) -> str:
        """Tells whether results of another run belong with those of this one: limits may change, the server may not."""
        base_url = self.base_url or os.environ.get("EUGPT_BASE_URL") or DEFAULT_BASE_URL
        return hashlib.sha256(repr((base_url.rstrip("/"), self.skip_invalid)).encode()).hexdigest()
