"""A run that never was, for what shows runs."""

from __future__ import annotations

import random
from typing import Any

from eugpt_fast.batch.outcome import Outcome
from eugpt_fast.batch.stats import Stats


class Clock:
    """A clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def outcome(verdict: str = "completed", **fields: Any) -> Outcome:
    return Outcome(verdict, **{"duration": 1.0, **fields})


def run(seconds: int = 60, **options: Any) -> Stats:
    """Ten requests a second, of which one fails and one is repeated."""
    dice, clock = random.Random(seconds), Clock()
    stats = Stats(20 * seconds, clock=clock, **options)
    usage = {"input_tokens": 10, "output_tokens": 20}
    for _ in range(seconds):
        clock.now += 1
        for number in range(10):
            if number == 0:
                stats.retried(outcome("refused", error=("429", "…")))
            if number == 1:
                stats.finished(outcome("refused", error=("invalid_prompt", "…")))
            else:
                times: dict[str, Any] = {"time_to_first_text": dice.uniform(0.1, 1), "duration": dice.uniform(1, 9)}
                stats.finished(outcome(events=30, usage=usage, **times))
        stats.sample(16, 12)
    return stats
