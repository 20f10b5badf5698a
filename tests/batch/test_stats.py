"""What a run counts: right, of one size, and about this run where it says so."""

import json
import random
import sys
from statistics import quantiles
from typing import Any

import pytest
from eugpt_fast.batch.histogram import Histogram
from eugpt_fast.batch.series import CAPACITY
from eugpt_fast.batch.stats import OTHER, Stats

from .made_up import Clock, outcome


@pytest.fixture
def clock() -> Clock:
    return Clock()


def size_of(thing: Any, seen: set[int]) -> int:
    """Bytes of an object and of all it refers to."""
    if id(thing) in seen:
        return 0
    seen.add(id(thing))
    parts: list[object] = [*thing.items()] if isinstance(thing, dict) else []
    if isinstance(thing, (list, tuple)) or type(thing).__name__ == "deque":
        parts = [*thing]
    for kind in type(thing).__mro__:
        parts += [getattr(thing, name) for name in getattr(kind, "__slots__", ())]
    parts += [*getattr(thing, "__dict__", {}).values()]
    return sys.getsizeof(thing) + sum(size_of(part, seen) for part in parts)


@pytest.mark.parametrize("spread", [(0.0002, 0.01), (0.1, 2.0), (5.0, 4000.0)])
def test_percentiles_are_right_within_a_bucket(spread: Any) -> None:
    dice = random.Random(1)
    times = [dice.uniform(*spread) for _ in range(5000)]
    histogram = Histogram()
    for seconds in times:
        histogram.add(seconds)
    exact = quantiles(times, n=100, method="inclusive")
    for percent in (1, 50, 90, 99):
        assert histogram.percentile(percent) == pytest.approx(exact[percent - 1], rel=0.02)
    told = histogram.as_json()
    assert (told["min"], told["max"], told["count"]) == (min(times), max(times), 5000)
    assert told["mean"] == pytest.approx(sum(times) / 5000)
    assert sum(held for _, _, held in histogram.buckets()) == 5000


@pytest.mark.parametrize("seconds", [-3.0, 0.0, 1e-9, 2.0**-14, 1.0, 2.0**17, 1e12])
def test_no_time_is_too_short_or_too_long(seconds: Any) -> None:
    histogram = Histogram()
    histogram.add(seconds)
    assert histogram.percentile(50) == max(seconds, 0.0)
    assert [held for *_, held in histogram.buckets()] == [1]


def test_a_value_lies_in_its_bucket() -> None:
    for exponent in range(-13, 17):
        histogram = Histogram()
        histogram.add(1.37 * 2.0**exponent)
        ((low, high, _),) = histogram.buckets()
        assert low <= 1.37 * 2.0**exponent < high


def test_nothing_counted_has_no_percentile() -> None:
    assert Histogram().percentile(99) is None
    assert Histogram().as_json()["min"] is None


def test_tokens_are_counted_from_both_shapes_of_usage() -> None:
    stats = Stats(2)
    stats.finished(outcome(usage={
        "input_tokens": 10, "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 7, "output_tokens_details": {"reasoning_tokens": 3}, "total_tokens": 17,
    }))  # fmt: skip
    stats.finished(outcome(usage={
        "prompt_tokens": 1, "prompt_tokens_details": None,
        "completion_tokens": 2, "completion_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 3,
    }))  # fmt: skip
    assert stats.as_json()["tokens"] == {"input": 11, "output": 9, "cached": 4, "reasoning": 4}


@pytest.mark.parametrize("usage", [{}, {"input_tokens": None}, {"output_tokens": "many"}, {"input_tokens": -5}])
def test_nonsense_about_usage_counts_nothing(usage: Any) -> None:
    stats = Stats(1)
    stats.finished(outcome(usage=usage))
    assert set(stats.tokens.values()) == {0}


def test_a_snapshot_adds_up(clock: Any) -> None:
    stats = Stats(10, done=2, failed=1, clock=clock)
    stats.finished(outcome(time_to_first_text=0.25, duration=2.0))
    stats.finished(outcome("incomplete", duration=4.0))
    stats.finished(outcome("refused", error=("invalid_prompt", "…")))
    stats.retried(outcome("refused", error=("429", "…")))
    stats.sample(16, 1)
    now = stats.snapshot()
    assert (now.total, now.done, now.failed, now.in_flight, now.pending) == (10, 4, 2, 1, 3)
    assert now.retries == {"429": 1}
    assert now.time_to_first_text["p50"] == 0.25
    assert now.duration["count"] == 2
    assert stats.errors == {"invalid_prompt": 1}
    assert stats.verdicts == {"completed": 1, "incomplete": 1, "refused": 1}


def test_rates_are_those_of_the_last_samples(clock: Any) -> None:
    stats = Stats(1000, done=500, clock=clock)
    for second in range(1, 31):
        clock.now += 1
        for _ in range(2 if second <= 15 else 8):
            stats.finished(outcome(events=10, usage={"output_tokens": 5}))
        stats.sample(16, 4)
    now = stats.snapshot()
    assert now.requests_per_s == pytest.approx(8)
    assert now.events_per_s == pytest.approx(80)
    assert now.tokens_per_s == pytest.approx(40)
    assert now.concurrency == 16
    # 150 of this run in 30 s; the 500 of earlier runs took no time of it.
    assert now.eta_s == pytest.approx(350 / 5)


def test_events_count_when_they_come(clock: Any) -> None:
    stats = Stats(10, clock=clock)
    told = []
    for under_way, ended in ((30, None), (60, None), (10, "interrupted"), (0, "completed"), (0, None)):
        clock.now += 1
        if ended == "interrupted":
            stats.retried(outcome(ended, events=70))  # 10 more than at the last sample
        elif ended:
            stats.finished(outcome(events=50))
        stats.sample(1, 1, under_way)
        told.append(stats.snapshot().events_per_s)
    points = stats.as_json()["series"]
    assert [point["events"] for point in points] == [30, 30, 20, 40, 0]
    assert told == pytest.approx([30, 30, 80 / 3, 30, 24])
    assert stats.as_json()["events"] == 120


def test_events_of_a_request_that_was_given_up_make_no_negative_rate(clock: Any) -> None:
    stats = Stats(10, clock=clock)
    for under_way in (500, 0):
        clock.now += 1
        stats.sample(1, 1, under_way)
    assert stats.snapshot().events_per_s == 0
    assert [point["events"] for point in stats.as_json()["series"]] == [500, 0]


def test_nothing_is_estimated_from_nothing(clock: Any) -> None:
    stats = Stats(10, clock=clock)
    clock.now += 5
    assert stats.snapshot().eta_s is None
    assert Stats(clock=clock).snapshot().pending is None
    stats.finished(outcome())
    assert stats.snapshot().eta_s == pytest.approx(45)


def test_the_series_keeps_every_count_however_often_it_is_halved(clock: Any) -> None:
    samples = 5 * CAPACITY + 3
    stats = Stats(samples, clock=clock)
    for second in range(samples):
        clock.now += 1
        stats.finished(outcome(events=3))
        stats.retried(outcome("interrupted"))
        stats.sample(second, 2)
    points = stats.as_json()["series"]
    assert CAPACITY / 2 <= len(points) <= CAPACITY
    assert sum(point["done"] for point in points) == samples
    assert sum(point["events"] for point in points) == 3 * samples
    assert sum(point["retries"] for point in points) == samples
    assert sum(point["seconds"] for point in points) == pytest.approx(samples)
    assert points[-1]["at"] == samples
    assert {point["in_flight"] for point in points} == {2}
    assert points[0]["concurrency"] == pytest.approx((points[0]["seconds"] - 1) / 2), "the mean over its seconds"


def test_what_came_after_the_last_sample_is_in_the_json(clock: Any) -> None:
    stats = Stats(2, clock=clock)
    clock.now += 1
    stats.sample(1, 1)
    clock.now += 0.5
    stats.finished(outcome())
    stats.as_json()
    points = stats.as_json()["series"]
    assert [point["done"] for point in points] == [0, 1]
    assert points[-1]["seconds"] == 0.5


def test_a_server_cannot_invent_kinds_without_end() -> None:
    stats = Stats(10_000)
    for number in range(10_000):
        stats.finished(outcome("error", error=(f"code {number}", "…")))
        stats.retried(outcome("error", error=(f"cause {number}", "…")))
    assert len(stats.errors) <= 65
    assert stats.errors[OTHER] > 9000
    assert stats.errors.total() == stats.retries.total() == 10_000


def test_what_a_server_calls_an_error_cannot_steer_a_terminal() -> None:
    stats = Stats(1)
    stats.finished(outcome("error", error=("\x1b[2Jgone\n" + "y" * 10_000, "…")))
    (code,) = stats.errors
    assert code.startswith("[2Jgoney")
    assert len(code) <= 60


def test_its_size_does_not_depend_on_the_number_of_requests(clock: Any) -> None:
    stats = Stats(clock=clock)
    dice = random.Random(2)
    sizes = []
    for number in range(1, 60_001):
        usage = {"input_tokens": 10, "output_tokens": 20}
        stats.finished(outcome(time_to_first_text=dice.random(), duration=dice.uniform(0, 500), usage=usage))
        if number % 20 == 0:
            clock.now += 1
            stats.sample(256, 250)
        if number in (20_000, 60_000):
            sizes.append(size_of(stats, set()))
    assert sizes[1] < 1.5 * sizes[0]
    assert sizes[1] < 400_000


def test_its_json_is_json(clock: Any) -> None:
    stats = Stats(clock=clock)
    assert json.loads(json.dumps(stats.as_json(), allow_nan=False))["requests_per_s"] == 0
    clock.now += 2
    stats.finished(outcome(time_to_first_text=0.1))
    told = json.loads(json.dumps(stats.as_json(), allow_nan=False))
    assert told["requests_per_s"] == 0.5
    assert told["elapsed_s"] == 2
    assert told["requests"]["unfinished"] is None
