"""What Responses events mean: their type, whether they end the stream, and the text that they carry."""

from __future__ import annotations

from typing import Any

from .._json import is_object

TERMINAL = frozenset(
    {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "response.cancelled",
        "response.canceled",
        "error",
    }
)


def kind_of(event: Any) -> str | None:
    """The ``type`` of a decoded payload, or None if it has none."""
    kind = event.get("type") if is_object(event) else None
    return kind if isinstance(kind, str) else None


class Account:
    """The account of one stream, kept from its events in order."""

    def __init__(self) -> None:
        self.events = 0
        self.progress = 0
        self.text: list[str] = []
        self.refusal: list[str] = []
        self.reasoning: list[str] = []
        self.reasoning_summary: list[str] = []
        self.arguments: dict[str, list[str]] = {}
        self.response_id: str | None = None
        self.last_sequence_number: int | None = None
        self.gaps = 0
        self.repeats = 0
        self.reorders = 0

    def enter(self, event: Any) -> None:
        """Enters one decoded payload."""
        self.events += 1
        kind = kind_of(event)
        if kind != "keepalive":
            self.progress += 1
        if not is_object(event):
            return
        number = event.get("sequence_number")
        if type(number) is int and -(2**63) <= number < 2**63:
            self._check_sequence(number)
        response = event.get("response")
        if is_object(response) and isinstance(response.get("id"), str):
            self.response_id = response["id"]
        delta = event.get("delta")
        if isinstance(delta, str):
            pieces = self._pieces(kind, event)
            if pieces is not None:
                pieces.append(delta)

    def _pieces(self, kind: str | None, event: dict[str, Any]) -> list[str] | None:
        if kind == "response.output_text.delta":
            return self.text
        if kind == "response.refusal.delta":
            return self.refusal
        if kind == "response.reasoning_text.delta":
            return self.reasoning
        if kind == "response.reasoning_summary_text.delta":
            return self.reasoning_summary
        if kind == "response.function_call_arguments.delta":
            item_id = event.get("item_id")
            return self.arguments.setdefault(item_id if isinstance(item_id, str) else "", [])
        return None

    def _check_sequence(self, number: int) -> None:
        last = self.last_sequence_number
        if last is None or number > last:
            self.gaps += last is not None and number > last + 1
            self.last_sequence_number = number
        elif number == last:
            self.repeats += 1
        else:
            self.reorders += 1
