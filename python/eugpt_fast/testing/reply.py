"""One answer of the replay server, as a value."""

import email.utils
import enum
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeAlias

from .chunking import Chunking, per_event, whole
from .faults import Fault


class Framing(enum.Enum):
    """How the client learns where the body ends."""

    CHUNKED = "chunked"
    """`transfer-encoding: chunked`."""
    LENGTH = "content-length"
    """`content-length`."""
    CLOSE = "close"
    """`connection: close`: the body ends with the connection."""


@dataclass(frozen=True)
class Reply:
    """One HTTP response.

    Args:
        body: the bytes of the body, before faults and compression.
        status: HTTP status code.
        headers: header fields beside those of the framing; without a content type the body is
            `text/event-stream; charset=utf-8`.
        chunking: where the body is cut; every chunk is a TCP write of its own.
        fault: what goes wrong.
        after_events: how many events come before the fault, half of them by default.
        pace: seconds from one chunk to the next.
        gzip: whether the body is compressed; every chunk is flushed, so none waits for a later one.
        framing: how the end of the body is told.

    Raises:
        ValueError: the framing cannot show the fault: a close-delimited body has no chunk to break off, and comments
            without end have no length.
    """

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    chunking: Chunking = per_event
    fault: Fault | None = None
    after_events: int | None = None
    pace: float = 0.0
    gzip: bool = False
    framing: Framing = Framing.CHUNKED

    def __post_init__(self) -> None:
        if self.fault is Fault.BROKEN_CHUNK and self.framing is Framing.CLOSE:
            raise ValueError("a close-delimited body has no chunk to break off")
        if self.fault is Fault.STALL_COMMENTS and self.framing is Framing.LENGTH:
            raise ValueError("comments without end have no content length")

    @classmethod
    def of(cls, source: "ReplySource") -> "Reply":
        """The reply itself, an SSE body, or the SSE body in a file. Raises OSError if the file cannot be read."""
        if isinstance(source, Reply):
            return source
        return cls(source.read_bytes() if isinstance(source, Path) else source)

    @classmethod
    def error(
        cls,
        status: int,
        *,
        message: str | None = None,
        code: str | None = None,
        retry_after: float | datetime | None = None,
    ) -> "Reply":
        """An error as the API words it: JSON with `message`, `type` and `code` under `error`.

        Args:
            status: HTTP status code.
            message: what went wrong; by default the reason phrase of the status.
            code: the API's own code; by default the one usual for the status.
            retry_after: the `Retry-After` field, as seconds or as a date.
        """
        kind, usual_code = _error_kind(status)
        detail = {"message": message or _reason(status), "type": kind, "code": code or usual_code}
        headers = {"content-type": "application/json"}
        if retry_after is not None:
            headers["retry-after"] = _retry_after(retry_after)
        body = json.dumps({"error": detail}).encode()
        return cls(body, status=status, headers=headers, chunking=whole, framing=Framing.LENGTH)

    @classmethod
    def html(cls, status: int = 502) -> "Reply":
        """The HTML page of a proxy that stands before the API."""
        title = f"{status} {_reason(status)}"
        body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n".encode()
        headers = {"content-type": "text/html; charset=utf-8"}
        return cls(body, status=status, headers=headers, chunking=whole, framing=Framing.LENGTH)

    @property
    def status_line(self) -> str:
        """The first line of the response, without its line end."""
        return f"HTTP/1.1 {self.status} {_reason(self.status)}"


ReplySource: TypeAlias = Reply | bytes | Path


def _reason(status: int) -> str:
    return http.client.responses.get(status, "")


def _error_kind(status: int) -> tuple[str, str]:
    if status == 429:
        return "rate_limit_error", "rate_limit_exceeded"
    if status >= 500:
        return "server_error", "server_error"
    return "invalid_request_error", "invalid_request"


def _retry_after(value: float | datetime) -> str:
    if isinstance(value, datetime):
        return email.utils.format_datetime(value.astimezone(timezone.utc), usegmt=True)
    return str(value)
