"""The ways in which a stream ends."""

from __future__ import annotations

from enum import Enum

__all__ = ["Verdict"]


class Verdict(str, Enum):
    """How a stream ended. Equal to its own value: ``verdict == "completed"``."""

    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    """The model was stopped, by a token limit or a filter; what came is whole."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    ERROR = "error"
    """The stream ended with an ``error`` event."""
    INTERRUPTED = "interrupted"
    """The bytes ended without a terminal event: a network failure."""

    def __str__(self) -> str:
        return self.value
