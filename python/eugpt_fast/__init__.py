"""A fast, truthful parser and reader for LLM response streams."""

from typing import TYPE_CHECKING

from . import errors
from ._api import acollect, astream, collect, stream
from ._backend import HAS_TRANSPORT, Parser, ServerSentEvent, SSEParser, build_info
from ._reader import AsyncEventStream, Collected, EventStream, Metrics
from ._verdict import Verdict

if TYPE_CHECKING or HAS_TRANSPORT:
    from ._transport import AsyncTransport, Transport
else:

    def __getattr__(name: str) -> object:
        if name in ("AsyncTransport", "Transport"):
            raise AttributeError(f"{name} needs a native build with the transport: see build_info()")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AsyncEventStream",
    "AsyncTransport",
    "Collected",
    "EventStream",
    "Metrics",
    "Parser",
    "SSEParser",
    "ServerSentEvent",
    "Transport",
    "Verdict",
    "acollect",
    "astream",
    "build_info",
    "collect",
    "errors",
    "stream",
]
