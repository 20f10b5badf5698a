"""The figures that the project asked of itself, measured and judged."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from eugpt_fast.testing import big_event_stream

from .inmemory import Cell, measure_cell
from .measure import FULL, Effort, Times, interleaved
from .parsers import BY_NAME, GUIDE, OURS
from .shapes import KIB_64, PER_EVENT, Shape, big_shape, every, openai_shape

_PIECES = "1,400 B"
_LINEAR_AT_MOST = 5.0  # four times the bytes: 16 would be quadratic, 4 is ideal, the rest is for a noisy machine


@dataclass(frozen=True)
class Goal:
    """What was asked, what was measured, and whether that is enough."""

    title: str
    asked: str
    measured: str
    met: bool


def check(effort: Effort = FULL) -> Iterator[Goal]:
    openai = openai_shape()
    yield _faster_than_guide(openai, KIB_64, 10, effort)
    yield _faster_than_guide(openai, PER_EVENT, 5, effort)
    yield _big_event(effort)
    yield _linear("1-byte chunks inside one event", _one_event, effort)
    yield _linear("1-byte chunks of many events", _many_events, effort)


def _faster_than_guide(shape: Shape, chunking: str, asked: float, effort: Effort) -> Goal:
    times = _checked(measure_cell(shape, chunking, [BY_NAME[OURS], BY_NAME[GUIDE]], effort), OURS, GUIDE)
    ratio = times[GUIDE].best / times[OURS].best
    title = f"{shape.events:,} OpenAI-shaped events, {chunking}, against the guide's loop"
    return Goal(title, f">= {asked}x", f"{ratio:.1f}x", ratio >= asked)


def _big_event(effort: Effort) -> Goal:
    shape = big_shape()
    times = _checked(measure_cell(shape, _PIECES, [BY_NAME[OURS]], effort), OURS)
    milliseconds = times[OURS].best / 1e6
    return Goal(f"{shape.size / 2**20:.0f} MB event in {_PIECES} pieces", "< 50 ms", f"{milliseconds:.1f} ms", milliseconds < 50)


def _checked(cell: Cell, *names: str) -> dict[str, Times]:
    for name in names:
        if name in cell.notes:
            raise AssertionError(f"{name} on {cell.shape.name}, {cell.chunking}: {cell.notes[name]}")
    return cell.times


def _one_event(size: int) -> bytes:
    return big_event_stream(size).body


def _many_events(size: int) -> bytes:
    body = openai_shape().streams[0]
    return (body * (size // len(body) + 1))[:size]
