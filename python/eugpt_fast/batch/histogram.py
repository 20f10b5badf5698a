"""Percentiles of any number of times, in fixed memory."""

from __future__ import annotations

import math
from itertools import accumulate

__all__ = ["Histogram"]

_PER_OCTAVE = 32  # buckets from one power of two to the next: a value is known within 1.1 %
_LOWEST = -14  # 2**-14 s, 61 µs: what is shorter counts as that long
_HIGHEST = 17  # 2**17 s, a day and a half
_BUCKETS = (_HIGHEST - _LOWEST) * _PER_OCTAVE
_SHORTEST = 2.0**_LOWEST


class Histogram:
    """Counts times in seconds in buckets that widen with the value, as HdrHistogram does: 992 integers, whatever comes.

    ``count``, ``total``, ``least`` and ``most`` are exact; percentiles are right within 1.1 %, and never outside of
    what was seen.
    """

    __slots__ = ("_buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self._buckets = [0] * _BUCKETS
        self.count = 0
        self.total = 0.0
        self.least = math.inf
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Counts one time. Negative ones, which a stepping clock could give, count as 0."""
        seconds = max(seconds, 0.0)
        at = int((math.log2(max(seconds, _SHORTEST)) - _LOWEST) * _PER_OCTAVE)
        self._buckets[min(at, _BUCKETS - 1)] += 1
        self.count += 1
        self.total += seconds
        self.least = min(self.least, seconds)
        self.most = max(self.most, seconds)

    def percentile(self, percent: float) -> float | None:
        """The seconds that ``percent`` of all times did not exceed (nearest rank); ``None`` of no times."""
        if not self.count:
            return None
        rank = max(1, math.ceil(self.count * percent / 100))
        at = next(at for at, below in enumerate(accumulate(self._buckets)) if below >= rank)
        middle: float = 2.0 ** (_LOWEST + (at + 0.5) / _PER_OCTAVE)
        return min(max(middle, self.least), self.most)

    def buckets(self) -> list[tuple[float, float, int]]:
        """The buckets that hold something: from and to, in seconds, and how many."""
        edge = [2.0 ** (_LOWEST + at / _PER_OCTAVE) for at in range(_BUCKETS + 1)]
        return [(edge[at], edge[at + 1], held) for at, held in enumerate(self._buckets) if held]

    def as_json(self) -> dict[str, float | int | None]:
        """``count``, and ``min``, ``mean``, ``p50``, ``p90``, ``p99`` and ``max`` in seconds."""
        some = self.count > 0
        return {
            "count": self.count,
            "min": self.least if some else None,
            "mean": self.total / self.count if some else None,
            "p50": self.percentile(50),
            "p90": self.percentile(90),
            "p99": self.percentile(99),
            "max": self.most if some else None,
        }
