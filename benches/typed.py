"""The cost of one typed text delta of the official SDK: framing, JSON and the object, in memory."""

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
from .measure import Effort, interleaved
from .shapes import CHUNKINGS, KIB_64, PER_EVENT, Shape, lean_shape, openai_shape


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
        for name, micros in micros_per_delta(shape, effort).items():
            best, median = micros
            row = {"stream": shape.name, "contender": name}
            yield {**row, "min_us_per_event": best, "median_us_per_event": median}


def micros_per_delta(shape: Shape, effort: Effort) -> dict[str, tuple[float, float]]:
    """Best and median CPU time of a text delta in µs. The events have been compared before."""
    deltas = [event for event in CHUNKINGS[PER_EVENT](shape.streams[0]) if b'"response.output_text.delta"' in event]
    chunks = CHUNKINGS[KIB_64](b"".join(deltas))
    found, expected = (read(chunks) for read in CONTENDERS.values())
    if list(map(repr, found)) != list(map(repr, expected)):
        raise AssertionError(f"the typed events of {shape.name} differ")
    times = interleaved({name: partial(read, chunks) for name, read in CONTENDERS.items()}, effort)
    each = 1000 * len(deltas)
    return {name: (taken.best / each, taken.median / each) for name, taken in times.items()}
