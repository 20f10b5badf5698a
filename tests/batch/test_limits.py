"""How fast a batch may go."""

from __future__ import annotations

import asyncio
import time

import pytest
from eugpt_fast.batch.limits import Bucket, Concurrency, Pause, estimated_tokens
from eugpt_fast.batch.outcome import Outcome


class Clock:
    """A clock that only waiting moves."""

    now = 100.0

    def wait(self, seconds: float) -> float:
        self.now += seconds
        return seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def answered(limit: Concurrency, *, overloaded: bool = False) -> None:
    limit.running = max(limit.running, int(limit.limit))  # all places are taken
    limit.release(overloaded=overloaded)


def test_good_answers_raise_the_limit_up_to_the_ceiling() -> None:
    limit = Concurrency(None, 20)
    before = limit.limit
    answered(limit)
    assert limit.limit == before + 1
    for _ in range(100):
        answered(limit)
    assert limit.limit == 20


def test_a_limit_that_is_not_reached_teaches_nothing() -> None:
    limit = Concurrency(None, 20)
    before = limit.limit
    limit.running = 1
    limit.release(overloaded=False)
    assert limit.limit == before


def test_a_window_has_one_cut_however_many_errors_it_brings() -> None:
    limit = Concurrency(None, 256)
    limit.limit = 100.0
    for _ in range(50):
        answered(limit, overloaded=True)
    assert limit.limit == pytest.approx(70.0)


def test_one_error_is_chance_and_few_among_many_are_no_overload() -> None:
    limit = Concurrency(None, 256)
    limit.limit = 100.0
    answered(limit, overloaded=True)
    assert limit.limit == 100.0
    limit = Concurrency(None, 256)
    limit.limit = 100.0
    for number in range(100):
        answered(limit, overloaded=number in (50, 99))
    assert limit.limit >= 100.0


def test_behind_a_cut_the_limit_rises_by_one_a_round() -> None:
    limit = Concurrency(None, 256)
    limit.limit = 100.0
    for _ in range(3):
        answered(limit, overloaded=True)
    limit._window_ends = 0.0
    before = limit.limit
    for _ in range(int(before)):
        answered(limit)
    assert before + 0.5 < limit.limit <= before + 1.0


def test_a_fixed_limit_stays() -> None:
    limit = Concurrency(3, 256)
    for overloaded in [True] * 10 + [False] * 10:
        answered(limit, overloaded=overloaded)
    assert limit.limit == 3


def test_no_more_run_than_may_and_a_cancelled_one_takes_no_place() -> None:
    async def main() -> None:
        limit = Concurrency(2, 2)
        running = most = 0

        async def work() -> None:
            nonlocal running, most
            await limit.acquire()
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1
            limit.release(overloaded=False)

        tasks = [asyncio.create_task(work()) for _ in range(50)]
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert most == 2
        assert limit.running == 0

    asyncio.run(main())


def test_a_place_given_to_a_task_that_is_cancelled_goes_to_the_next() -> None:
    async def main() -> None:
        limit = Concurrency(1, 1)
        await limit.acquire()
        second, third = (asyncio.create_task(limit.acquire()) for _ in range(2))
        await asyncio.sleep(0)
        limit.release(overloaded=False)  # the second's, which has not run since
        second.cancel()
        await asyncio.wait_for(third, 5)
        assert limit.running == 1

    asyncio.run(main())


def test_places_that_are_held_for_another_reason_teach_nothing() -> None:
    limit = Concurrency(None, 20)
    before = limit.limit
    limit.running = int(before)
    limit.release(overloaded=False, held=1)
    assert limit.limit == before


def test_a_bucket_makes_wait_for_what_was_taken_too_much(clock: Clock) -> None:
    bucket = Bucket(600.0)  # ten a second
    assert [bucket.take(1.0) for _ in range(10)] == [0.0] * 10
    assert clock.wait(bucket.take(1.0)) == pytest.approx(0.1)
    bucket.correct(30.0)  # more was used than was taken
    assert clock.wait(bucket.take(1.0)) == pytest.approx(3.1)
    assert Bucket(None).take(1e9) == 0.0


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Outcome("refused", 429, headers={"retry-after": "3"}), 3.0),
        (Outcome("refused", 503, headers={"retry-after": "7"}), 7.0),
        (Outcome("completed", 200, headers={"retry-after": "7"}), 0.0),
        (Outcome("refused", 429, headers={"retry-after": "9999"}), Pause.LONGEST),
        (
            Outcome(
                "completed",
                200,
                headers={"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m2.5s"},
            ),
            62.5,
        ),
        (
            Outcome(
                "completed",
                200,
                headers={"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "20ms"},
            ),
            0.02,
        ),
        (
            Outcome(
                "completed",
                200,
                headers={"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "9s"},
            ),
            0.0,
        ),
        (
            Outcome(
                "completed",
                200,
                headers={"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "soon"},
            ),
            0.0,
        ),
    ],
)
def test_what_the_server_asks_for_holds_for_all(outcome: Outcome, seconds: float, clock: Clock) -> None:
    pause = Pause()
    pause.heed(outcome)
    assert pause.left == pytest.approx(seconds)
    assert bool(pause.why) == bool(seconds)


def test_a_shorter_pause_does_not_end_a_longer_one(clock: Clock) -> None:
    pause = Pause()
    for asked in ("20", "5"):
        pause.heed(Outcome("refused", 429, error=("slow_down", "…"), headers={"retry-after": asked}))
    assert pause.left == pytest.approx(20.0)
    assert pause.why == "the server asks for it (status 429: slow_down)"


def test_tokens_are_estimated_from_text_and_limit() -> None:
    assert estimated_tokens({"input": "x"}, 400) == 100
    assert estimated_tokens({"max_output_tokens": 50}, 400) == 150
    assert estimated_tokens({"max_tokens": 7, "max_completion_tokens": None}, 0) == 0
