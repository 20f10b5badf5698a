"""Every exception that the package raises by itself; all are :class:`EugptFastError`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ._verdict import Verdict

if TYPE_CHECKING:
    from .events import Event

__all__ = [
    "EugptFastError",
    "EventDecodeError",
    "EventTooDeep",
    "EventTooLarge",
    "EventTruncated",
    "MissingApiKey",
    "ResponseCancelled",
    "ResponseError",
    "ResponseFailed",
    "StreamClosed",
    "StreamError",
    "StreamInterrupted",
    "UnexpectedResponse",
]


class EugptFastError(Exception):
    """The base of all."""


class EventDecodeError(EugptFastError, json.JSONDecodeError):
    """An event whose data is not JSON, with what :func:`json.loads` says of it.

    Raised by ``Parser.feed``, which then stands just behind the bad event: ``feed(b"")`` goes on.

    Attributes:
        msg: what is wrong; this and the next four as in :class:`json.JSONDecodeError`.
        doc: the event's data.
        pos: where in ``doc``, in characters.
        lineno: the line of ``pos``, from 1.
        colno: the column of ``pos``, from 1.
        events: what the same call decoded before the bad event. Nothing is lost, nothing comes twice.
    """

    def __init__(self, msg: str, doc: str, pos: int, events: list[Event] | None = None) -> None:
        json.JSONDecodeError.__init__(self, msg, doc, pos)
        self.events: list[Event] = events or []

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.doc, self.pos, self.events)


class EventTooDeep(EventDecodeError, RecursionError):
    """An event nested deeper than the interpreter's stack allows. Also a :class:`RecursionError`; ``pos`` is 0."""


class EventTooLarge(EugptFastError):
    """An event with more data than ``max_event_size`` bytes. It is skipped; the events around it are not.

    Attributes:
        limit: the limit in bytes.
        events: what the same call gave before it: what its ``feed`` returns, of whichever parser.
    """

    def __init__(self, limit: int, events: list[Any] | None = None) -> None:
        super().__init__(f"an event is larger than max_event_size, which is {limit} bytes")
        self.limit: int = limit
        self.events: list[Any] = events or []

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.events)


class EventTruncated(EugptFastError):
    """The bytes ended inside an event. By the WHATWG rules it is not one.

    Attributes:
        data: what had come of its data.
    """

    def __init__(self, data: str = "") -> None:
        super().__init__(f"the bytes ended inside an event, {len(data)} characters into its data")
        self.data: str = data

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.data,)


class StreamError(EugptFastError):
    """A stream that did not end well. Every event before it has reached the caller.

    Attributes:
        verdict: how it ended, a :class:`eugpt_fast.Verdict`.
        retryable: whether sending the request again may help.
        text: the text received.
        last_sequence_number: the highest ``sequence_number`` received, or None.
        response_id: the id of the response, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        verdict: Verdict | None = None,
        retryable: bool = False,
        text: str = "",
        last_sequence_number: int | None = None,
        response_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.verdict: Verdict | None = verdict
        self.retryable: bool = retryable
        self.text: str = text
        self.last_sequence_number: int | None = last_sequence_number
        self.response_id: str | None = response_id


class StreamInterrupted(StreamError):
    """The bytes ended without a terminal event: a network failure, never a success.

    ``__cause__`` is what the transport raised, or :class:`EventTruncated`, or None after a clean end.

    Attributes:
        inside_event: whether the cut was inside an event rather than between two.
    """

    inside_event: bool = False


class ResponseError(StreamError):
    """The stream ended with an ``error`` event, flat or nested.

    Attributes:
        code: the server's code, or None.
        message: the server's message, or None.
        param: the parameter that the server names, or None.
    """

    code: str | None = None
    message: str | None = None
    param: str | None = None


class ResponseFailed(StreamError):
    """The stream ended with ``response.failed``, or with a response whose status says so.

    Attributes:
        code: that of the response's ``error``, or None.
        message: that of the response's ``error``, or None.
    """

    code: str | None = None
    message: str | None = None


class ResponseCancelled(StreamError):
    """The stream ended because the response was cancelled."""


class StreamClosed(EugptFastError):
    """The stream was closed before its end: nobody can say how it would have ended."""


class UnexpectedResponse(EugptFastError):
    """The answer is not an event stream.

    Attributes:
        status: the HTTP status.
        content_type: the answer's content type, or "".
        body: the start of the body, at most 2 KiB, as text.
    """

    def __init__(self, status: int, content_type: str, body: str) -> None:
        shown = content_type or "no content type"
        super().__init__(f"expected text/event-stream, got HTTP {status} with {shown}: {body}")
        self.status: int = status
        self.content_type: str = content_type
        self.body: str = body

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.content_type, self.body)


class MissingApiKey(EugptFastError, ValueError):
    """No API key was given, neither as ``api_key=`` nor in ``EUGPT_API_KEY``."""
