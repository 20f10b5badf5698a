"""Tasks that are started as there is room."""

from __future__ import annotations

import asyncio
import gc

import pytest
from eugpt_fast.batch.tasks import Tasks


def test_as_many_run_as_there_is_room() -> None:
    async def main() -> None:
        tasks, most, done = Tasks(), 0, []

        async def work(number: int) -> None:
            await asyncio.sleep(0)
            done.append(number)

        for number in range(100):
            await tasks.until(lambda: len(tasks) < 7)
            tasks.start(work(number))
            most = max(most, len(tasks))
        await tasks.until(lambda: not tasks)
        assert most == 7
        assert sorted(done) == list(range(100))

    asyncio.run(main())


def test_what_they_wait_for_may_be_something_else() -> None:
    async def main() -> None:
        tasks, enough = Tasks(), False
        tasks.start(asyncio.sleep(1000))
        waiting = asyncio.create_task(tasks.until(lambda: enough))
        await asyncio.sleep(0)
        enough = True
        tasks.look()
        await asyncio.wait_for(waiting, 10)
        await tasks.end()
        assert len(tasks) == 0

    asyncio.run(main())


def test_the_first_failure_is_raised_and_no_other_is_complained_of() -> None:
    complaints = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        tasks = Tasks()

        async def fail(number: int) -> None:
            raise OSError(number)

        for number in range(5):
            tasks.start(fail(number))
        with pytest.raises(OSError, match="0"):
            await tasks.until(lambda: False)
        await tasks.end()
        del tasks
        gc.collect()

    asyncio.run(main())
    assert complaints == []
