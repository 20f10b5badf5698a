"""How a run went over time, in a fixed number of points."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Point", "Series"]

CAPACITY = 512
"""Points that are kept: more than a plot on a screen can show."""


@dataclass(slots=True)
class Point:
    """What happened in ``seconds``, up to ``at`` seconds after the start."""

    at: float
    seconds: float
    done: int
    failed: int
    retries: int
    events: int
    output_tokens: int
    concurrency: float
    """The limit that was in force: the mean over time, as ``in_flight`` is."""
    in_flight: float

    def joined(self, later: Point) -> Point:
        """This point and the one after it as one."""
        seconds = self.seconds + later.seconds
        share = later.seconds / seconds if seconds else 0.5
        sums = {name: getattr(self, name) + getattr(later, name) for name in _SUMS}
        return Point(
            at=later.at,
            concurrency=self.concurrency + (later.concurrency - self.concurrency) * share,
            in_flight=self.in_flight + (later.in_flight - self.in_flight) * share,
            **sums,
        )


_SUMS = [field.name for field in fields(Point) if field.name not in ("at", "concurrency", "in_flight")]


class Series:
    """Points in order. When there are too many, neighbours are joined and each later point takes twice the samples."""

    __slots__ = ("_in_last", "_per_point", "points")

    def __init__(self) -> None:
        self.points: list[Point] = []
        self._per_point = 1
        self._in_last = 0  # samples in the last point

    def add(self, point: Point) -> None:
        """Adds what happened since the last call."""
        if self.points and self._in_last < self._per_point:
            self.points[-1] = self.points[-1].joined(point)
            self._in_last += 1
            return
        if len(self.points) == CAPACITY:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [earlier.joined(later) for earlier, later in pairs]
            self._per_point *= 2
        self.points.append(point)
        self._in_last = 1
