"""Which class serves a stream."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from openai import AsyncStream, Stream
from openai.types.responses import ResponseStreamEvent

from .streams import AsyncFastStream, FastStream
from .verdicts import AsyncVerdictStream, VerdictStream


def fast_class(stream_cls: Any, verdict: bool) -> Any:
    """The fast twin of a stream class; ``stream_cls`` itself if it is none, or one of somebody's own."""
    origin = get_origin(stream_cls)
    if origin is not Stream and origin is not AsyncStream:
        return stream_cls
    [event] = get_args(stream_cls)
    twin: Any
    if verdict and event == ResponseStreamEvent:
        twin = VerdictStream if origin is Stream else AsyncVerdictStream
    else:
        twin = FastStream if origin is Stream else AsyncFastStream
    return twin[event]
