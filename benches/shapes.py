"""What is parsed, and in which pieces it arrives."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from eugpt_fast.testing import big_event_stream, lean_stream, openai_stream, tool_call_stream, unicode_stream

from . import ROOT

_RECORDED = ROOT.parent / "shared" / "streams" / "recorded"
_OWN_RECORDINGS = ROOT / "tests" / "data"

_EVENT_END = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")
_DATA_LINE = re.compile(rb"^data: ?(.*?)\r?$", re.MULTILINE)


@dataclass(frozen=True)
class Shape:
    """A kind of traffic. Each stream of it gets a parser of its own, so setting one up is part of the time."""

    name: str
    title: str
    streams: list[bytes] = field(repr=False)

    @cached_property
    def payloads(self) -> list[list[bytes]]:
        """The JSON texts of each stream, cut out. Every event of our shapes has exactly one ``data`` line."""
        return [_DATA_LINE.findall(stream) for stream in self.streams]

    @cached_property
    def expected(self) -> list[list[Any]]:
        """What every contender has to find: ``json.loads`` of each data line."""
        return [[json.loads(text.decode("utf-8", "replace")) for text in texts] for texts in self.payloads]

    @property
    def events(self) -> int:
        return sum(map(len, self.payloads))

    @property
    def size(self) -> int:
        return sum(map(len, self.streams))


def _per_event(stream: bytes) -> list[bytes]:
    return [chunk for chunk in _EVENT_END.split(stream) if chunk]


def every(size: int) -> Callable[[bytes], list[bytes]]:
    """The cut into pieces of ``size`` bytes."""
    return lambda stream: [stream[at : at + size] for at in range(0, len(stream), size)]


PER_EVENT = "per event"
KIB_64 = "64 KiB"
CHUNKINGS: dict[str, Callable[[bytes], list[bytes]]] = {
    PER_EVENT: _per_event,
    KIB_64: every(64 * 1024),
    "1,400 B": every(1400),
    "16 B": every(16),
}

OPENAI = "openai"
PACED = "paced"


def openai_shape() -> Shape:
    """The traffic that the project's goals are about."""
    return Shape(OPENAI, "OpenAI-shaped text deltas", [openai_stream().body])


def lean_shape() -> Shape:
    return Shape("lean", "lean text deltas (type, sequence_number, delta)", [lean_stream().body])


def paced_shape() -> Shape:
    """For the end-to-end measurement, where its events arrive one by one."""
    return Shape(PACED, "OpenAI-shaped text deltas that arrive one by one", [openai_stream(300).body])


def big_shape() -> Shape:
    return Shape("big", "one 8 MB event", [big_event_stream().body])


def _tools_shape() -> Shape:
    return Shape("tools", "tool-call arguments, two calls in turns", [tool_call_stream(1000).body])


def _unicode_shape() -> Shape:
    return Shape("unicode", "text outside ASCII: raw, escaped, U+2028", [unicode_stream(2000).body])


def _short_shape() -> Shape:
    return Shape("short", "OpenAI-shaped streams of 10 events, each from a cold start", [openai_stream(2).body] * 50)


def _recorded_shape() -> Shape:
    folder = _RECORDED if _RECORDED.is_dir() else _OWN_RECORDINGS
    streams = [path.read_bytes() for path in sorted(folder.glob("*.sse"))]
    # The guide's loop cannot read an end mark, and an HTTP error body has no event: neither would compare anything.
    streams = [stream for stream in streams if _DATA_LINE.search(stream) and b"[DONE]" not in stream]
    return Shape("recorded", f"{len(streams)} recorded streams of many kinds", streams)


def _transformers_shape() -> Shape:
    stream = (_OWN_RECORDINGS / "text_long.sse").read_bytes()
    return Shape("transformers", "recorded from `transformers serve`: no event names, type last, escapes", [stream])


SHAPES: dict[str, Callable[[], Shape]] = {
    OPENAI: openai_shape,
    "lean": lean_shape,
    "tools": _tools_shape,
    "unicode": _unicode_shape,
    "big": big_shape,
    "recorded": _recorded_shape,
    "transformers": _transformers_shape,
    "short": _short_shape,
}
