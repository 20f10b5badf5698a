"""Requests that are few enough to be held in memory, with their outcomes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import Any

from .._client.request import build
from .client import client
from .completion import Completion
from .lines import Line
from .options import Options
from .outcome import Outcome
from .stats import Stats

__all__ = ["complete_all", "completing"]

_STOPPING = "stopping"
_Completing = Callable[[Iterable[Line]], Awaitable[list[tuple[Line, Outcome]]]]


@contextlib.asynccontextmanager
async def completing(options: Options) -> AsyncGenerator[_Completing, None]:
    """What completes requests, over one client and under one set of limits, however often it is called.

    Raises:
        MissingApiKey, ValueError: there is no key, or no address.
    """
    build({}, options.api_key, options.base_url)
    async with client() as http:
        completion = Completion(http, options, Stats())

        async def complete(line: Line) -> tuple[Line, Outcome]:
            outcome = await completion.complete(line)
            stopped = Outcome("expired", error=(_STOPPING, completion.stop.why or ""))
            return line, outcome or stopped

        async def complete_these(lines: Iterable[Line]) -> list[tuple[Line, Outcome]]:
            completion.stop.go_on()
            return list(await _gather(complete(line) for line in lines))

        yield complete_these


async def complete_all(lines: Iterable[Line], options: Options) -> list[tuple[Line, Outcome]]:
    """The outcomes of these requests, in their order, all in memory.

    Raises:
        BadKey: the first answer is a 401.
        MissingApiKey, ValueError: there is no key, or no address.
    """
    async with completing(options) as complete:
        return await complete(lines)


async def _gather(work: Iterable[Awaitable[Any]]) -> list[Any]:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
