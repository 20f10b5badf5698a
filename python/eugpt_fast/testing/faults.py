"""Everything that goes wrong with a stream, by name.

Content faults change the bytes of the body (`damage`); transport faults change what happens to the connection.
"""

import enum
import json
import re
from collections.abc import Callable
from typing import Any, TypeAlias

from .chunking import per_event

_Damage: TypeAlias = Callable[[list[bytes], list[bytes]], list[bytes]]  # the events kept as they were, the others

COMMENT = b": keep-alive\n\n"

_SEQUENCE_NUMBER = re.compile(rb'("sequence_number":\s*)(\d+)')
_LINE_END = re.compile(rb"\r\n|\r|\n")


class Fault(enum.Enum):
    """What is wrong with a reply. "After k events" stands for `Reply.after_events`."""

    NO_TERMINAL = "no-terminal"
    """A clean end after k events, without a terminal event."""
    CUT_IN_EVENT = "cut-in-event"
    """A clean end in the middle of an event, after k whole ones."""
    ERROR_FLAT = "error-flat"
    """After k events an `error` event with `code` and `message` beside `type`."""
    ERROR_NESTED = "error-nested"
    """After k events an `error` event with `code` and `message` under `error`."""
    FAILED = "failed"
    """After k events `response.failed`."""
    INCOMPLETE = "incomplete"
    """After k events `response.incomplete`."""
    COMMENTS = "comments"
    """A keep-alive comment before every event."""
    KEEPALIVE_EVENTS = "keepalive-events"
    """A `keepalive` event before every event whose sequence number is not 0; the numbers count them in."""
    DONE = "done"
    """`data: [DONE]` at the end."""
    BOM = "bom"
    """A leading byte order mark."""
    CRLF = "crlf"
    """CRLF line ends."""
    RESET = "reset"
    """A TCP reset a moment after k events. What the client has not read by then may be lost, as in a real network."""
    BROKEN_CHUNK = "broken-chunk"
    """After k events the connection ends in the middle of a chunk."""
    STALL = "stall"
    """After k events silence, on an open connection."""
    STALL_COMMENTS = "stall-comments"
    """After k events nothing but keep-alive comments, without end."""

    @property
    def in_transport(self) -> bool:
        """Whether the fault lies in the connection and not in the bytes of the body."""
        return self not in _CONTENT


def damage(body: bytes, fault: Fault, after_events: int | None = None) -> bytes:
    """The body with a content fault in it. Calls compose: `damage(damage(body, Fault.BOM), Fault.CRLF)`.

    Args:
        body: an SSE body.
        fault: a content fault.
        after_events: how many events stay as they were, half of them by default.

    Raises:
        ValueError: a transport fault, which no body can show.
    """
    if fault.in_transport:
        raise ValueError(f"{fault} is a fault of the connection; give it to Reply(fault=...)")
    kept, rest = split(body, after_events)
    return b"".join(_CONTENT[fault](kept, rest))


def split(body: bytes, after_events: int | None = None) -> tuple[list[bytes], list[bytes]]:
    """The first `after_events` events of the body, half of them by default, and the others.

    Whatever a blank line ends counts as an event, a lone comment too.
    """
    events = [chunk.data for chunk in per_event(body)]
    at = len(events) // 2 if after_events is None else after_events
    return events[:at], events[at:]


def frame(payload: dict[str, Any], *, name: str | None = None, escape: bool = False) -> bytes:
    """One SSE event holding `payload` as JSON, named `name` or else after the payload's `type`."""
    data = json.dumps(payload, ensure_ascii=escape, separators=(",", ":"))
    return f"event: {name or payload['type']}\ndata: {data}\n\n".encode()


def _cut_in_event(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    return [*kept, *(event[: len(event) // 2] for event in rest[:1])]


def _comments(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    return [part for event in kept + rest for part in (COMMENT, event)]


def _keepalive_events(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    parts: list[bytes] = []
    inserted = 0
    for event in kept + rest:
        number = _sequence_number(event)
        if number > 0:
            parts.append(frame({"type": "keepalive", "sequence_number": number + inserted}))
            inserted += 1
        parts.append(_SEQUENCE_NUMBER.sub(rb"\g<1>%d" % (number + inserted), event, count=1))
    return parts


def _done(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    return [*kept, *rest, b"data: [DONE]\n\n"]


def _bom(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    return [b"\xef\xbb\xbf", *kept, *rest]


def _crlf(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
    return [_LINE_END.sub(b"\r\n", event) for event in kept + rest]


def _ended_by(event_type: str, **fields: Any) -> _Damage:
    """A content fault: one event in place of the rest, with the next sequence number."""

    def replace(kept: list[bytes], rest: list[bytes]) -> list[bytes]:
        number = max(map(_sequence_number, kept), default=-1) + 1
        payload = {"type": event_type, "sequence_number": number, **fields}
        if "response" in fields:
            payload["response"] = {**_first_response(kept), **fields["response"]}
        return [*kept, frame(payload)]

    return replace


def _sequence_number(event: bytes) -> int:
    match = _SEQUENCE_NUMBER.search(event)
    return int(match[2]) if match else -1


def _first_response(events: list[bytes]) -> dict[str, Any]:
    """The first response object of the stream, so that a failed response keeps its id and model."""
    for line in b"".join(events).splitlines():
        if line.startswith(b"data:") and b'"response":' in line:
            return dict(json.loads(line[5:]).get("response", {}))
    return {}


_CODE, _MESSAGE = "server_error", "The server had an error while processing the request."

_CONTENT: dict[Fault, _Damage] = {
    Fault.NO_TERMINAL: lambda kept, rest: kept,
    Fault.CUT_IN_EVENT: _cut_in_event,
    Fault.ERROR_FLAT: _ended_by("error", code=_CODE, message=_MESSAGE, param=None),
    Fault.ERROR_NESTED: _ended_by("error", error={"code": _CODE, "message": _MESSAGE, "param": None}),
    Fault.FAILED: _ended_by(
        "response.failed", response={"status": "failed", "error": {"code": _CODE, "message": _MESSAGE}}
    ),
    Fault.INCOMPLETE: _ended_by(
        "response.incomplete",
        response={"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
    ),
    Fault.COMMENTS: _comments,
    Fault.KEEPALIVE_EVENTS: _keepalive_events,
    Fault.DONE: _done,
    Fault.BOM: _bom,
    Fault.CRLF: _crlf,
}
