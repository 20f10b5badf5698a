"""Rows of a table that are requests, and rows that are results."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import orjson

from .lines import URLS, InvalidLine, Line, parse
from .outcome import Outcome

__all__ = ["SCHEMA", "invalid", "like", "line_of", "result", "rows_of"]

_TYPES = {
    "custom_id": "string",
    "status_code": "int",
    "request_id": "string",
    "body": "string",
    "text": "string",
    "error_code": "string",
    "error_message": "string",
    "verdict": "string",
    "attempts": "int",
    "time_to_first_text_s": "double",
    "duration_s": "double",
    "output_tokens": "int",
}
_COLUMNS = list(_TYPES)
_NOTHING = dict.fromkeys(_COLUMNS)

SCHEMA = ", ".join(f"{name} {type_}" for name, type_ in _TYPES.items())


def rows_of(batch: Any) -> list[Any]:
    """The rows of a dict of columns, of a ``pandas.DataFrame``, or of a list."""
    if _is_mapping(batch):
        return [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    return batch.to_dict("records") if hasattr(batch, "to_dict") else list(batch)


def like(batch: Any, rows: list[dict[str, Any]]) -> Any:
    """The rows as a batch of the same kind."""
    if isinstance(batch, Mapping):
        return {column: [row[column] for row in rows] for column in _COLUMNS}
    if hasattr(batch, "to_dict"):
        # As objects: pandas would make floats of integers among nulls.
        return type(batch)(rows, columns=_COLUMNS, dtype=object)
    return rows


def line_of(number: int, row: Any) -> Line | InvalidLine:
    """The row, read as a line of the batch format is: the same rules hold."""
    if not _is_mapping(row):
        return InvalidLine(number, None, "not a row of columns")
    entry: dict[str, Any] = {"method": "POST", "url": URLS[0]}
    entry |= {name: row[name] for name in ("custom_id", "method", "url", "body") if not _is_null(row.get(name))}
    try:
        if isinstance(entry.get("body"), (str, bytes)):
            orjson.loads(entry["body"])  # one JSON value, and nothing that would change the row around it
            entry["body"] = orjson.Fragment(entry["body"])
        raw = orjson.dumps(entry, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY)
    except (ValueError, TypeError) as error:
        return InvalidLine(number, None, f"not JSON: {error}")
    return parse(number, raw)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, Any]]:
    return isinstance(value, Mapping)


def _is_null(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _plain(value: Any) -> Any:
    """Arrays of objects, into which engines turn nested lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError


def invalid(line: InvalidLine, row: Any) -> dict[str, Any]:
    """What comes out for a row that is no request."""
    given = row.get("custom_id") if _is_mapping(row) else None
    custom_id = None if _is_null(given) else _storable(str(given))
    told = {"custom_id": custom_id, "verdict": "invalid", "attempts": 0}
    return {**_NOTHING, **told, "error_code": "invalid_line", "error_message": line.reason}


def result(line: Line, outcome: Outcome) -> dict[str, Any]:
    """What comes out for a request."""
    code, message = (None, None) if outcome.ok else outcome.error or (outcome.verdict, outcome.verdict)
    return {
        "custom_id": line.custom_id,
        "status_code": outcome.status_code,
        "request_id": outcome.request_id,
        "body": _json(outcome.body) if outcome.ok else None,
        "text": _storable(outcome.text),
        "error_code": _storable(code),
        "error_message": _storable(message),
        "verdict": outcome.verdict,
        "attempts": outcome.attempts,
        "time_to_first_text_s": outcome.time_to_first_text,
        "duration_s": outcome.duration,
        "output_tokens": outcome.output_tokens,
    }


def _json(body: Any) -> str:
    try:
        return orjson.dumps(body).decode()
    except TypeError:  # half surrogate pairs, integers of 2**64 and more
        return json.dumps(body)


def _storable(text: str | None) -> str | None:
    """With U+FFFD for halves of surrogate pairs, which no column of an engine can hold."""
    return text if text is None else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
