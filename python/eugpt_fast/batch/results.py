"""The lines of the output: results and errors in the batch format, with one key of ours."""

from __future__ import annotations

import json
from typing import Any

import orjson

from .lines import InvalidLine, Line, digest
from .outcome import Outcome

__all__ = ["EXTENSION", "error_line", "success_line"]

EXTENSION = "eugpt_fast"
"""The key that holds what the batch format has no place for."""


def success_line(line: Line, outcome: Outcome) -> bytes:
    """The line of a request with a whole answer, with its LF.

    Under :data:`EXTENSION`: ``line`` (its number in the input), ``verdict``, ``attempts``, and of the last attempt
    ``time_to_first_text_s`` and ``duration_s`` in seconds, and ``output_tokens_per_s``: the answer's tokens over the
    whole duration. What is not known is null.
    """
    return _encode(_entry(digest(line.custom_id), line.custom_id, _response(outcome), None, _told(line, outcome)))


def error_line(line: Line | InvalidLine, outcome: Outcome | None = None) -> bytes:
    """The line of a request without a whole answer, with its LF; of an invalid line without any outcome.

    ``error`` holds code and message. ``response`` is null where no HTTP answer came. :data:`EXTENSION` also holds
    ``partial_text``, and of an invalid line only ``line`` and the verdict "invalid".
    """
    if isinstance(line, InvalidLine):
        told = {"line": line.number, "verdict": "invalid", "attempts": 0}
        error = {"code": "invalid_line", "message": line.reason}
        # Two lines may share a custom_id here, so that the number makes the id.
        return _encode(_entry(digest(f"\0{line.number}"), line.custom_id, None, error, told))
    if outcome is None:
        raise TypeError("only an invalid line has no outcome")
    code, message = outcome.error or (outcome.verdict, f"the request ended as {outcome.verdict}")
    response = None if outcome.status_code is None else _response(outcome)
    told = {**_told(line, outcome), "partial_text": outcome.text}
    error = {"code": code, "message": message}
    return _encode(_entry(digest(line.custom_id), line.custom_id, response, error, told))


def _entry(of: bytes, custom_id: str | None, response: Any, error: Any, told: Any) -> dict[str, Any]:
    return {
        "id": f"batch_req_{of.hex()}",
        "custom_id": custom_id,
        "response": response,
        "error": error,
        EXTENSION: told,
    }


def _response(outcome: Outcome) -> dict[str, Any]:
    return {"status_code": outcome.status_code, "request_id": outcome.request_id, "body": outcome.body}


def _told(line: Line, outcome: Outcome) -> dict[str, Any]:
    tokens, seconds = outcome.output_tokens, outcome.duration
    return {
        "line": line.number,
        "verdict": outcome.verdict,
        "attempts": outcome.attempts,
        "time_to_first_text_s": outcome.time_to_first_text,
        "duration_s": seconds,
        "output_tokens_per_s": tokens / seconds if tokens and seconds > 0 else None,
    }


def _encode(entry: dict[str, Any]) -> bytes:
    """JSON, whatever the answer holds: a result that was paid for is not lost to half a surrogate pair."""
    try:
        return orjson.dumps(entry) + b"\n"
    except TypeError:  # also for integers of 2**64 and more
        return json.dumps(entry).encode() + b"\n"
