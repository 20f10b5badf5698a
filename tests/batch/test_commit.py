"""Writing in groups."""

from __future__ import annotations

import asyncio
import threading

import pytest
from eugpt_fast.batch.commit import GROUP, GroupCommit


def test_entries_are_written_in_order_and_in_groups() -> None:
    groups: list[list[int]] = []

    async def run() -> None:
        commit = GroupCommit(groups.append)
        await asyncio.gather(*[commit.add(number) for number in range(2 * GROUP + 10)])
        commit.close()

    asyncio.run(run())
    assert [number for group in groups for number in group] == list(range(2 * GROUP + 10))
    assert len(groups[0]) == GROUP
    assert len(groups) <= 3


def test_one_entry_does_not_wait_for_others() -> None:
    async def run() -> None:
        commit = GroupCommit[int](lambda group: None)
        await asyncio.wait_for(commit.add(1), 30)
        commit.close()

    asyncio.run(run())


def test_an_entry_is_done_when_it_is_written_and_not_before() -> None:
    async def run() -> None:
        written = threading.Event()
        commit = GroupCommit[int](lambda group: asserted(written.wait(30)))
        durable = commit.add(1)
        flushing = asyncio.create_task(commit.flush())
        await asyncio.sleep(0.05)
        assert not durable.done()
        assert not flushing.done()
        written.set()
        await flushing
        assert durable.done()
        commit.close()

    asyncio.run(run())


def asserted(condition: bool) -> None:
    assert condition


def test_an_error_ends_all() -> None:
    written: list[list[int]] = []

    def write(group: list[int]) -> None:
        if written:
            raise OSError(28, "no room")
        written.append(group)

    async def run() -> None:
        commit = GroupCommit(write)
        await commit.add(1)
        second = commit.add(2)
        with pytest.raises(OSError, match="no room"):
            await commit.flush()
        with pytest.raises(OSError, match="no room"):
            await second
        with pytest.raises(OSError, match="no room"):
            await commit.add(3)
        commit.close()

    asyncio.run(run())
    assert written == [[1]]


def test_entries_that_wait_while_a_write_fails_fail_too() -> None:
    failing = threading.Event()

    def write(group: list[int]) -> None:
        asserted(failing.wait(30))
        raise OSError(5, "broken")

    async def run() -> None:
        commit = GroupCommit(write)
        entries = [commit.add(number) for number in range(GROUP + 1)]
        failing.set()
        results = await asyncio.gather(*entries, return_exceptions=True)
        assert all(isinstance(result, OSError) for result in results)
        commit.close()

    asyncio.run(run())


def test_whoever_stops_waiting_does_not_take_the_entry_back() -> None:
    groups: list[list[int]] = []

    async def run() -> None:
        commit = GroupCommit(groups.append)
        waiting = asyncio.ensure_future(commit.add(1))
        waiting.cancel()
        await commit.flush()
        commit.close()

    asyncio.run(run())
    assert groups == [[1]]


def test_closing_writes_what_waits() -> None:
    groups: list[list[int]] = []

    async def run() -> None:
        commit = GroupCommit(groups.append)
        durable = commit.add(1)
        commit.close()
        assert groups == [[1]]
        await durable

    asyncio.run(run())


def test_closing_says_what_it_could_not_write() -> None:
    def write(group: list[int]) -> None:
        raise OSError(28, "no room")

    async def run() -> None:
        commit = GroupCommit(write)
        durable = commit.add(1)
        with pytest.raises(OSError, match="no room"):
            commit.close()
        with pytest.raises(OSError, match="no room"):
            await durable

    asyncio.run(run())
