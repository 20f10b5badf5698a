"""How a stream ended, read off its terminal event."""

from __future__ import annotations

from collections.abc import Mapping

from .._json import is_object
from .._verdict import Verdict
from ..errors import ResponseCancelled, ResponseError, ResponseFailed, StreamError

__all__ = ["judge"]


_BY_NAME = {
    "completed": Verdict.COMPLETED,
    "incomplete": Verdict.INCOMPLETE,
    "failed": Verdict.FAILED,
    "cancelled": Verdict.CANCELLED,
    "canceled": Verdict.CANCELLED,
}

_TRANSIENT = frozenset(
    {
        "internal_error",
        "internal_server_error",
        "overloaded",
        "rate_limit_exceeded",
        "server_error",
        "server_is_overloaded",
        "service_unavailable",
        "timeout",
        "vector_store_timeout",
        "408",
        "409",
        "429",
        "500",
        "502",
        "503",
        "504",
    }
)
"""Codes behind which the same request may succeed later."""


def judge(terminal: Mapping[str, object]) -> tuple[Verdict, StreamError | None]:
    """The verdict that ``terminal`` gives, and the error to raise for it, if any.

    A ``response.completed`` whose response says another terminal ``status`` is what the status says.
    """
    kind = str(terminal["type"])
    if kind == "error":
        return Verdict.ERROR, _error(terminal)
    verdict = _BY_NAME[kind.removeprefix("response.")]
    response = _mapping(terminal.get("response"))
    if verdict is Verdict.COMPLETED:
        status = response.get("status")
        verdict = _BY_NAME.get(status, verdict) if isinstance(status, str) else verdict
    if verdict is Verdict.FAILED:
        return verdict, _failed(_details(response.get("error")) or _details(terminal.get("error")))
    if verdict is Verdict.CANCELLED:
        return verdict, ResponseCancelled("the response was cancelled")
    return verdict, None


def _error(event: Mapping[str, object]) -> ResponseError:
    # Flat: code, message and param stand beside the type. Nested: under "error".
    details = _details(event.get("error")) or event
    code, message, param = (_text(details.get(name)) for name in ("code", "message", "param"))
    error = ResponseError(_sentence("the stream ended with an error event", code, message))
    error.code, error.message, error.param = code, message, param
    # Flat, the "type" is the event's own: "error".
    error.retryable = code in _TRANSIENT or _text(details.get("type")) in _TRANSIENT
    return error


def _failed(details: Mapping[str, object]) -> ResponseFailed:
    code, message = _text(details.get("code")), _text(details.get("message"))
    error = ResponseFailed(_sentence("the response failed", code, message))
    error.code, error.message = code, message
    error.retryable = code in _TRANSIENT or _text(details.get("type")) in _TRANSIENT
    return error


def _sentence(what: str, code: str | None, message: str | None) -> str:
    said = " ".join(part for part in (code and f"[{code}]", message) if part)
    return f"{what}: {said}" if said else what


def _details(error: object) -> Mapping[str, object]:
    return {"message": error} if isinstance(error, str) else _mapping(error)


def _mapping(value: object) -> Mapping[str, object]:
    return value if is_object(value) else {}


def _text(value: object) -> str | None:
    return None if value is None else str(value)
