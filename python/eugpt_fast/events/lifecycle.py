"""Events about the response as a whole, and those that end the stream."""

from __future__ import annotations

from typing import Literal

from .places import Numbered
from .response import Response, ResponseFault

__all__ = [
    "Cancelled",
    "Completed",
    "Created",
    "Error",
    "Failed",
    "InProgress",
    "Incomplete",
    "Keepalive",
    "LifecycleEvent",
    "Queued",
    "TerminalEvent",
    "UnknownEvent",
]


class Created(Numbered):
    """There is a response."""

    type: Literal["response.created"]
    response: Response


class Queued(Numbered):
    """The response waits for its turn."""

    type: Literal["response.queued"]
    response: Response


class InProgress(Numbered):
    """The model is at work."""

    type: Literal["response.in_progress"]
    response: Response


class Completed(Numbered):
    """The response is whole. Terminal."""

    type: Literal["response.completed"]
    response: Response


class Incomplete(Numbered):
    """A token limit or a filter stopped the model. Terminal."""

    type: Literal["response.incomplete"]
    response: Response


class Failed(Numbered):
    """The response failed. Terminal."""

    type: Literal["response.failed"]
    response: Response


class _Cancelled(Numbered, total=False):
    response: Response


class Cancelled(_Cancelled):
    """The response was cancelled, in either spelling. Terminal."""

    type: Literal["response.cancelled", "response.canceled"]


class _Error(Numbered, total=False):
    code: str | None
    message: str | None
    param: str | None
    error: ResponseFault | str


class Error(_Error):
    """The stream failed. Flat, the details stand beside the type; nested, under ``error``. Terminal."""

    type: Literal["error"]


class Keepalive(Numbered):
    """Nothing, so that the connection is not taken for dead."""

    type: Literal["keepalive"]


class UnknownEvent(Numbered):
    """Stands for every event of another type, so that type checkers know that there are such.

    No event has this ``type``. The true one is whatever the server sent, and so are the other fields: look at them with
    ``cast("dict[str, Any]", event)``.
    """

    type: Literal["<unknown>"]


TerminalEvent = Completed | Incomplete | Failed | Cancelled | Error

LifecycleEvent = Created | Queued | InProgress | TerminalEvent | Keepalive
