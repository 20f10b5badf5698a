"""Work that is done aside."""

from __future__ import annotations

import threading

from eugpt_fast.batch.aside import Aside


def test_nobody_waits_for_it_and_the_last_value_counts() -> None:
    busy, free, seen = threading.Event(), threading.Event(), []

    def work(value: int) -> None:
        busy.set()
        free.wait(30)
        seen.append(value)

    with Aside(work) as aside:
        aside.put(1)
        assert busy.wait(30)
        for value in range(2, 100):
            aside.put(value)
        assert seen == []
        free.set()
    assert seen == [1, 99]


def test_leaving_waits_for_what_was_put_last() -> None:
    for _ in range(50):
        seen: list[int] = []
        with Aside(seen.append) as aside:
            aside.put(1)
            aside.put(2)
        assert seen[-1] == 2


def test_without_values_nothing_is_done() -> None:
    with Aside(lambda value: 1 / 0):
        pass
