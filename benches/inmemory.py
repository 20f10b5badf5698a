"""The parsers by themselves: every contender on every shape in every chunking, equality first."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .measure import Effort, Times, interleaved
from .parsers import CONTENDERS, GUIDE, ORJSON, Contender, Read
from .shapes import CHUNKINGS, Shape


class OutOfPatience(Exception):
    """The check of a contender took too long; the argument says how many bytes it got through."""


@dataclass(frozen=True)
class Cell:
    """All contenders on one shape in one chunking: either times or the reason why there are none."""

    shape: Shape
    chunking: str
    times: dict[str, Times]
    notes: dict[str, str]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The cell as plain data, a row per contender."""
        events = self.shape.events
        guide, orjson = self.times.get(GUIDE), self.times.get(ORJSON)
        for contender in CONTENDERS:
            name = contender.name
            row: dict[str, Any] = {"shape": self.shape.name, "chunking": self.chunking, "contender": name}
            times = self.times.get(name)
            if times is None:
                yield {**row, "note": self.notes[name]}
                continue
            yield {
                **row,
                "rounds": len(times.rounds),
                "min_us_per_event": times.best / events / 1000,
                "median_us_per_event": times.median / events / 1000,
                "times_faster_than_guide": guide and guide.ratio_to(times),
                "times_orjson": orjson and times.ratio_to(orjson),
            }


def measure(shape: Shape, chunkings: Iterable[str], effort: Effort) -> Iterator[Cell]:
    for chunking in chunkings:
        yield measure_cell(shape, chunking, CONTENDERS, effort)


def measure_cell(shape: Shape, chunking: str, contenders: Sequence[Contender], effort: Effort) -> Cell:
    """Checks each contender against ``json.loads``, then times those that passed."""
    chunked = [CHUNKINGS[chunking](stream) for stream in shape.streams]
    jobs: dict[str, Callable[[], Any]] = {}
    notes: dict[str, str] = {}
    for contender in contenders:
        note = _objection(contender, shape, chunked, effort.patience)
        if note is None:
            pieces = shape.payloads if contender.is_floor else chunked
            jobs[contender.name] = partial(_read_all, contender.read, pieces)
        else:
            notes[contender.name] = note
    return Cell(shape, chunking, interleaved(jobs, effort), notes)


def _read_all(read: Read, streams: list[list[bytes]]) -> list[Any]:
    return [read(pieces) for pieces in streams]


def _objection(contender: Contender, shape: Shape, chunked: list[list[bytes]], patience: float) -> str | None:
    """Why this contender cannot be timed here, or None: it found the same events, in time."""
    inputs = shape.payloads if contender.is_floor else chunked
    truth = shape.expected  # made at first use, which must not count against the deadline
    deadline = time.perf_counter() + patience
    done = 0
    for pieces, expected in zip(inputs, truth, strict=True):
        try:
            found = contender.read(pieces if contender.is_floor else _until(deadline, pieces))
        except OutOfPatience as error:
            return f">{patience:g} s at {(done + error.args[0]) / shape.size:.0%}"
        except ValueError as error:
            return f"raises {type(error).__name__}"
        if not _identical(found, contender.expect(expected)):
            return "differs"
        done += sum(map(len, pieces))
    return None


def _until(deadline: float, pieces: Iterable[bytes]) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        if time.perf_counter() > deadline:
            raise OutOfPatience(done)
        yield piece
        done += len(piece)


def _identical(found: Any, expected: Any) -> bool:
    # == takes 1 for 1.0 and True, and any order of keys; repr takes none of them.
    return found == expected and repr(found) == repr(expected)
