"""CPU time, round by round."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True)
class Effort:
    """How long to measure.

    Args:
        rounds: the most rounds of one contender.
        budget: CPU seconds after which a contender sits out, once it has had ``fewest`` rounds.
        fewest: rounds that everybody gets.
        patience: seconds that the untimed check of a contender may take before it is given up as too slow.
    """

    rounds: int
    budget: float
    fewest: int
    patience: float


FULL = Effort(rounds=40, budget=0.33, fewest=4, patience=2.0)
QUICK = Effort(rounds=5, budget=0.02, fewest=1, patience=0.3)


@dataclass
class Times:
    """CPU nanoseconds of each round."""

    rounds: list[float] = field(default_factory=list)

    @property
    def best(self) -> float:
        return min(self.rounds)

    @property
    def median(self) -> float:
        return statistics.median(self.rounds)

    def ratio_to(self, other: "Times") -> float:
        """How many times as long this took: the median over the rounds that both ran, each pair back to back.

        The machine's slow spells last longer than a round, so they cancel out here, and would not in the best rounds.
        """
        return statistics.median(mine / theirs for mine, theirs in zip(self.rounds, other.rounds, strict=False))


def interleaved(jobs: Mapping[Key, Callable[[], Any]], effort: Effort) -> dict[Key, Times]:
    """Runs every job once per round, so that a slow spell of the machine hits all of them alike."""
    times = {name: Times() for name in jobs}
    for number in range(effort.rounds):
        for name, job in jobs.items():
            if number < effort.fewest or sum(times[name].rounds) < effort.budget * 1e9:
                times[name].rounds.append(_cpu_time(job))
    return times


def _cpu_time(job: Callable[[], Any]) -> int:
    gc.disable()
    try:
        begun = time.process_time_ns()
        result = job()
        spent = time.process_time_ns() - begun
    finally:
        gc.enable()
    del result  # only now: dropping what was read is the caller's business, whoever read it
    return spent
