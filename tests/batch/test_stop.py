"""What ends a run before its requests do."""

from __future__ import annotations

import asyncio
import time

import pytest
from eugpt_fast.batch import BadKey
from eugpt_fast.batch.outcome import Outcome
from eugpt_fast.batch.stop import Stop

GOOD = Outcome("completed", 200, usage={"total_tokens": 10})
REFUSED = Outcome("refused", 401, error=("invalid_api_key", "no such key"))
DEAD = Outcome("unreachable", error=("unreachable", "ConnectError: refused"))


class Clock:
    now = 100.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def learned(stop: Stop, *outcomes: Outcome) -> Stop:
    for outcome in outcomes:
        stop.learn(outcome)
    return stop


def told(stop: Stop) -> tuple[str | None, bool]:
    return stop.why, stop.hurried


def test_a_budget_stops_and_hurries_nobody() -> None:
    stop = learned(Stop(25), GOOD, GOOD)
    assert stop.why is None
    learned(stop, GOOD)
    assert told(stop) == ("the budget of tokens is used up", False)
    stop.go_on()
    assert stop.why is not None, "it stays used up"


def test_the_first_answer_tells_that_the_key_is_bad() -> None:
    with pytest.raises(BadKey, match="no such key"):
        learned(Stop(), DEAD, REFUSED)


def test_a_key_that_is_refused_later_stops_if_it_is_no_chance() -> None:
    stop = learned(Stop(), GOOD, *[REFUSED] * 9)
    assert stop.why is None
    assert not stop.is_behind(REFUSED)
    learned(stop, GOOD, *[REFUSED] * 9)
    assert stop.why is None, "they were not in a row"
    learned(stop, REFUSED)
    assert stop.why == "the API refuses the key: no such key"
    assert not stop.hurried
    assert stop.is_behind(REFUSED)
    assert not stop.is_behind(Outcome("refused", 400))


def test_no_answer_for_long_and_to_many_attempts_is_an_outage(clock: Clock) -> None:
    stop = learned(Stop(), *[DEAD] * 9)
    assert not stop.in_outage
    learned(stop, DEAD)
    assert (stop.in_outage, stop.why) == (True, None)
    clock.now += 31
    learned(stop, DEAD)
    assert stop.why == "no answer for 30 seconds (ConnectError: refused)"
    assert stop.hurried
    assert stop.is_behind(DEAD)
    stop.go_on()
    assert (*told(stop), stop.in_outage) == (None, False, False)


def test_any_answer_ends_an_outage_and_none_without_a_status(clock: Clock) -> None:
    stop = learned(Stop(), *[DEAD] * 10, Outcome("expired"))
    assert stop.in_outage
    learned(stop, Outcome("refused", 503))
    assert not stop.in_outage


def test_that_nothing_answers_is_told_after_a_while(clock: Clock) -> None:
    stop = learned(Stop(), DEAD)
    assert stop.waiting() is None
    clock.now += 6
    wait = stop.waiting()
    assert wait is not None
    assert wait.why == "the server does not answer (ConnectError: refused)"
    assert wait.left == pytest.approx(24, abs=1)
    learned(stop, GOOD)
    assert stop.waiting() is None


def test_the_first_reason_counts_and_every_change_is_told() -> None:
    told = []
    stop = Stop()
    stop.changed = lambda: told.append((stop.why, stop.hurried))
    stop.now("first", hurry=False)
    stop.now("second", hurry=True)
    stop.now("third", hurry=False)
    assert told == [("first", False), ("first", True), ("first", True)]


def test_who_sleeps_wakes_up_when_it_stops() -> None:
    async def main() -> None:
        stop = Stop()
        asleep = asyncio.create_task(stop.sleep(1000))
        await asyncio.sleep(0)
        stop.now("enough", hurry=True)
        await asyncio.wait_for(asleep, 10)
        await asyncio.wait_for(stop.sleep(1000), 10)

    asyncio.run(main())
