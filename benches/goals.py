"""The figures that the project asked of itself, measured and judged."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import eugpt_fast
from eugpt_fast.testing import big_event_stream, openai_stream

from . import typed
from .clients import ASYNC, DROP_IN, FAST_SDK
from .inmemory import Cell, measure_cell
from .measure import Effort, Times, interleaved
from .parsers import BY_NAME, GUIDE, ORJSON, OURS, Contender
from .shapes import KIB_64, PER_EVENT, SHAPES, Shape, big_shape, every, lean_shape, openai_shape
from .traffic import in_turns, long_text_shape, messages_shape, reasoning_shape, recorded_shapes, repeated, tools_shape

_PIECES = "1,400 B"
_TERMINAL = "response.completed"
_COLLECTING = "eugpt_fast, collecting"
_SHORT = 40  # events
_LINEAR_AT_MOST = 5.0  # four times the bytes: 16 would be quadratic, 4 is ideal, the rest is for a noisy machine


@dataclass(frozen=True)
class Goal:
    """What was asked, what was measured, and whether that is enough."""

    title: str
    asked: str
    measured: str
    met: bool


def check(rounds: int = 25) -> Iterator[Goal]:
    """Measures all goals, every contender with as many rounds: on a noisy machine the best of more rounds is better."""
    effort = Effort(rounds=rounds, budget=0.0, fewest=rounds, patience=10.0)
    openai = openai_shape()
    yield _faster_than_guide(openai, KIB_64, 10, effort)
    yield _faster_than_guide(openai, PER_EVENT, 5, effort)
    yield _big_event(effort)
    yield _linear("1-byte chunks inside one event", [big_event_stream(size).body for size in (2**18, 2**20)], effort)
    yield _linear("1-byte chunks of many events", [openai_stream(count).body for count in (500, 2000)], effort)
    yield from _beside_the_decoder(effort)
    for shape in (openai, lean_shape()):
        yield _typed_event(shape, 3.0, effort)


def check_end_to_end(rows: Iterable[dict[str, Any]]) -> Iterator[Goal]:
    """What is asked of the drop-ins beside what they stand in for, judged on what `loopback` has measured."""
    asked = {
        FAST_SDK: ("times_faster_than_sdk", {"openai": 6.0, "lean": 12.0}),
        DROP_IN: ("times_faster_than_httpx_sse", {"openai": 1.5, "lean": 1.5}),
    }
    for row in rows:
        beside, least = asked.get(row["contender"].removesuffix(ASYNC), ("", {}))
        if row["stream"] in least:
            title = f"{row['contender']}, {row['stream']}, over HTTP"
            ratio = row[beside]
            yield Goal(title, f">= {least[row['stream']]:g}x", f"{ratio:.1f}x", ratio >= least[row["stream"]])


def _typed_event(shape: Shape, asked: float, effort: Effort) -> Goal:
    micros, _ = typed.micros_per_delta(shape, effort)[FAST_SDK]
    return Goal(
        f"typed event of the SDK, {shape.name}, {KIB_64}", f"<= {asked:g} µs", f"{micros:.2f} µs", micros <= asked
    )


def _beside_the_decoder(effort: Effort) -> Iterator[Goal]:
    """What is asked in multiples of orjson alone, and the speed of collecting."""
    openai, lean = openai_shape(), lean_shape()
    yield _at_most(openai, KIB_64, 0.5, effort)
    yield _at_most(openai, PER_EVENT, 0.7, effort)
    yield _at_most(lean, KIB_64, 0.7, effort)
    yield _at_most(lean, PER_EVENT, 1.0, effort)
    for shape in (tools_shape(), reasoning_shape()):
        yield _at_most(shape, KIB_64, 1.0, effort)
        yield _at_most(shape, PER_EVENT, 1.0, effort)
    recorded = recorded_shapes()
    for shape in recorded:
        yield _at_most(repeated(shape), KIB_64, 1.0, effort)
    for title, most in (("short ones", _SHORT), ("all", sys.maxsize)):
        shape = in_turns(shape for shape in recorded if shape.events < most)
        yield _at_most(replace(shape, name=f"{shape.name}: {title}"), KIB_64, 1.0, effort)
    for shape in (messages_shape(), long_text_shape()):
        yield _at_most(shape, KIB_64, 1.2, effort)
    for shape in (openai, lean, SHAPES["transformers"]()):
        yield _at_most(shape, KIB_64, 0.2, effort, _SKIPPING)
    yield _at_most(openai, PER_EVENT, 0.2, effort, _SKIPPING)
    yield _collecting(openai, 1.5, effort)


def _skip(chunks: Iterable[bytes]) -> list[Any]:
    parser = eugpt_fast.Parser(only={_TERMINAL})
    return [event for chunk in chunks for event in parser.feed(chunk)]


_SKIPPING = Contender(
    "only the terminal event", _skip, expect=lambda events: [event for event in events if event["type"] == _TERMINAL]
)


def _at_most(shape: Shape, chunking: str, asked: float, effort: Effort, ours: Contender = BY_NAME[OURS]) -> Goal:
    times = _checked(measure_cell(shape, chunking, [ours, BY_NAME[ORJSON]], effort), ours.name, ORJSON)
    ratio = times[ours.name].ratio_to(times[ORJSON])
    what = f"{ours.name}, {shape.name}" if ours is _SKIPPING else shape.name
    return Goal(f"{what}, {chunking}, against orjson alone", f"<= {asked}x", f"{ratio:.2f}x", ratio <= asked)


def _collecting(shape: Shape, asked: float, effort: Effort) -> Goal:
    times = _checked(measure_cell(shape, KIB_64, [BY_NAME[_COLLECTING]], effort), _COLLECTING)
    speed = shape.size / times[_COLLECTING].median
    return Goal(f"skim, {shape.name}, {KIB_64}", f">= {asked} GB/s", f"{speed:.2f} GB/s", speed >= asked)


def _faster_than_guide(shape: Shape, chunking: str, asked: float, effort: Effort) -> Goal:
    times = _checked(measure_cell(shape, chunking, [BY_NAME[OURS], BY_NAME[GUIDE]], effort), OURS, GUIDE)
    ratio = times[GUIDE].ratio_to(times[OURS])
    title = f"{shape.events:,} OpenAI-shaped events, {chunking}, against the guide's loop"
    return Goal(title, f">= {asked}x", f"{ratio:.1f}x", ratio >= asked)


def _big_event(effort: Effort) -> Goal:
    shape = big_shape()
    times = _checked(measure_cell(shape, _PIECES, [BY_NAME[OURS]], effort), OURS)
    milliseconds = times[OURS].best / 1e6
    title = f"one {shape.size / 2**20:.0f} MB event in {_PIECES} pieces"
    return Goal(title, "< 50 ms", f"{milliseconds:.1f} ms", milliseconds < 50)


def _checked(cell: Cell, *names: str) -> dict[str, Times]:
    for name in names:
        if name in cell.notes:
            raise AssertionError(f"{name} on {cell.shape.name}, {cell.chunking}: {cell.notes[name]}")
    return cell.times


def _linear(title: str, streams: list[bytes], effort: Effort) -> Goal:
    cut = every(1)
    small, large = interleaved({n: partial(BY_NAME[OURS].read, cut(s)) for n, s in enumerate(streams)}, effort).values()
    ratio = large.ratio_to(small)
    grown = len(streams[1]) / len(streams[0])
    return Goal(
        f"{title}: time for {grown:.1f}x the bytes",
        f"<= {_LINEAR_AT_MOST:g}x",
        f"{ratio:.2f}x",
        ratio <= _LINEAR_AT_MOST,
    )
