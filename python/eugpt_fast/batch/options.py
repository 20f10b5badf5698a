"""What a batch is run with."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Options"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """Limits and address of a batch."""

    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    concurrency: int | None = None
    max_concurrency: int = 256
    rpm: float | None = None
    tpm: float | None = None
    attempts: int = 5
    deadline: float | None = 600.0
    max_tokens_total: int | None = None
    content_timeout: float | None = 120.0
    grace: float = 30.0
    skip_invalid: bool = False
