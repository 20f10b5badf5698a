"""Requests that are held back, and what is told of it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from eugpt_fast.batch import Line, Options, Outcome
from eugpt_fast.batch.stop import Stop
from eugpt_fast.batch.throttle import Throttle

LINE = Line(1, "a", "/v1/responses", {"input": "x" * 400})


def throttle(**options: Any) -> tuple[Throttle, Stop]:
    stop = Stop()
    return Throttle(Options(**options), stop), stop


def refusal(status: int, seconds: str, code: str = "slow_down") -> Outcome:
    return Outcome("refused", status, error=(code, "…"), headers={"retry-after": seconds})


async def settled(*tasks: asyncio.Task[Any]) -> list[bool]:
    """Which of them are done, once all could run."""
    for _ in range(5):
        await asyncio.sleep(0)
    return [task.done() for task in tasks]


def test_without_limits_nobody_waits() -> None:
    async def main() -> None:
        free, _ = throttle()
        assert await free.turn(LINE) == 0.0
        assert (free.held, free.waiting()) == (0, None)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("options", "why"),
    [({"rpm": 1200}, "no more than 1,200 requests a minute"), ({"tpm": 600}, "no more than 600 tokens a minute")],
)
def test_a_rate_holds_back_what_is_too_much(options: dict[str, float], why: str) -> None:
    async def main() -> None:
        slow, stop = throttle(**options)
        turns = [asyncio.create_task(slow.turn(LINE)) for _ in range(25)]
        done = await settled(*turns)
        assert slow.held == done.count(False) > 0
        wait = slow.waiting()
        assert wait is not None
        assert wait.why == why
        stop.now("enough", hurry=True)
        await asyncio.wait_for(asyncio.gather(*turns), 10)
        assert (slow.held, slow.waiting()) == (0, None)

    asyncio.run(main())


def test_tokens_are_estimated_where_they_are_limited() -> None:
    async def main() -> None:
        assert await throttle(tpm=1e9)[0].turn(LINE) > 100

    asyncio.run(main())


def test_a_pause_holds_all_back_and_is_told_also_if_nobody_waits() -> None:
    async def main() -> None:
        asked, stop = throttle()
        asked.learn(refusal(429, "60"), 0.0)
        wait = asked.waiting()
        assert wait is not None
        assert wait.left == pytest.approx(60, abs=1)
        turns = [asyncio.create_task(asked.turn(LINE)) for _ in range(3)]
        assert await settled(*turns) == [False] * 3
        wait = asked.waiting()
        assert wait is not None
        assert wait.why == "the server asks for it (status 429: slow_down)"
        stop.now("enough", hurry=True)
        await asyncio.wait_for(asyncio.gather(*turns), 10)

    asyncio.run(main())


def test_a_pause_also_holds_for_who_waited_for_a_rate_when_it_was_asked_for() -> None:
    async def main() -> None:
        slow, stop = throttle(rpm=1200)
        for _ in range(20):
            await slow.turn(LINE)
        late = asyncio.create_task(slow.turn(LINE))  # has to wait for 50 ms
        await settled(late)
        slow.learn(refusal(503, "100"), 0.0)
        await asyncio.sleep(0.2)
        assert not late.done()
        stop.now("enough", hurry=True)
        await asyncio.wait_for(late, 10)

    asyncio.run(main())


def test_what_a_server_calls_its_limit_cannot_steer_a_terminal() -> None:
    asked, _ = throttle()
    asked.learn(refusal(429, "60", "\x1b[2J" + "y" * 1000), 0.0)
    wait = asked.waiting()
    assert wait is not None
    assert "\x1b" not in wait.why
    assert len(wait.why) <= 200
