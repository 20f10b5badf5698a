"""The cost of one typed event of the official SDK: framing, JSON and the object, in memory, without a transport."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from eugpt_fast import SSEParser
from eugpt_fast.compat.openai.recipes import builder_of
from openai._models import construct_type
from openai._streaming import SSEDecoder
from openai.types.responses import ResponseStreamEvent

from .clients import FAST_SDK, SDK
from .measure import Effort, Times, interleaved
from .shapes import CHUNKINGS, KIB_64, Shape, lean_shape, openai_shape


def _accelerated(chunks: list[bytes]) -> list[Any]:
    builder = builder_of(ResponseStreamEvent)
    assert builder is not None
    parser, build = SSEParser(), builder.build
    return [build(sse) for chunk in chunks for sse in parser.feed(chunk)]


def _untouched(chunks: list[bytes]) -> list[Any]:
    events = SSEDecoder().iter_bytes(iter(chunks))
    return [construct_type(type_=ResponseStreamEvent, value=json.loads(sse.data)) for sse in events]


CONTENDERS: dict[str, Callable[[list[bytes]], list[Any]]] = {FAST_SDK: _accelerated, SDK: _untouched}


def measure(effort: Effort) -> Iterator[dict[str, Any]]:
    """A row per stream and contender."""
    for shape in (openai_shape(), lean_shape()):
        for name, times in measure_shape(shape, effort).items():
            yield {
                "stream": shape.name,
                "contender": name,
                "min_us_per_event": times.best / shape.events / 1000,
                "median_us_per_event": times.median / shape.events / 1000,
            }


def measure_shape(shape: Shape, effort: Effort) -> dict[str, Times]:
    """The times for one stream, whose events have been compared before."""
    chunks = CHUNKINGS[KIB_64](shape.streams[0])
    found, expected = (read(chunks) for read in CONTENDERS.values())
    if list(map(repr, found)) != list(map(repr, expected)):
        raise AssertionError(f"the typed events of {shape.name} differ")
    return interleaved({name: partial(read, chunks) for name, read in CONTENDERS.items()}, effort)
