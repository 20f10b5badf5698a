"""What a server says when it refuses."""

from __future__ import annotations

from typing import Any

import orjson

from .._client.retries import may_pass
from .._json import is_array, is_object
from .outcome import Outcome

__all__ = ["refusal", "without"]

_MAX_SHOWN = 2000  # characters of an explanation that is no JSON


def refusal(said: bytes, status: int) -> Outcome:
    """An HTTP status that is no success, whose body is ``said``: in the API's words, if they are JSON."""
    body: Any = None
    code, message = str(status), said[:_MAX_SHOWN].decode("utf-8", "replace")
    try:
        body = orjson.loads(said)
        error = body["error"]
        code, message = str(error.get("code") or error.get("type") or status), str(error.get("message") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        pass  # a proxy's page, or JSON of another kind
    return Outcome("refused", error=(code, message), body=body if is_object(body) else None, retryable=may_pass(status))


def without(secret: str, outcome: Outcome) -> Outcome:
    """The failure, in which the server may have repeated the API key, without it."""
    if outcome.error is not None:
        code, message = outcome.error
        outcome.error = code.replace(secret, _CONCEALED), message.replace(secret, _CONCEALED)
    outcome.text = outcome.text.replace(secret, _CONCEALED)
    try:
        outcome.body = _without(secret, outcome.body)
    except RecursionError:
        outcome.body = None
    return outcome


_CONCEALED = "[api key]"


def _without(secret: str, value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(secret, _CONCEALED)
    if is_array(value):
        return [_without(secret, item) for item in value]
    if is_object(value):
        return {_without(secret, name): _without(secret, item) for name, item in value.items()}
    return value
