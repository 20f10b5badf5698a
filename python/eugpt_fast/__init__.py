"""A fast, truthful parser and reader for LLM response streams."""

from . import errors
from ._api import acollect, astream, collect, stream
from ._backend import Parser, ServerSentEvent, SSEParser, build_info
from ._reader import AsyncEventStream, Collected, EventStream, Metrics
from ._verdict import Verdict

__all__ = [
    "AsyncEventStream",
    "Collected",
    "EventStream",
    "Metrics",
    "Parser",
    "SSEParser",
    "ServerSentEvent",
    "Verdict",
    "acollect",
    "astream",
    "build_info",
    "collect",
    "errors",
    "stream",
]
