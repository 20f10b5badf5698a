"""Over real connections an accelerated client gives what the untouched one gives, again and again."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream
from openai import AsyncOpenAI, OpenAI
from openai_sdk import MODES, read, read_async

BODY = lean_stream(20).body
REPLIES = {
    "whole": Reply(BODY),
    "cut": Reply(BODY, fault=Fault.NO_TERMINAL),
    "broken": Reply(BODY, fault=Fault.BROKEN_CHUNK),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_over_http_everything_is_the_same_again_and_again(mode: str, reply: Reply) -> None:
    logs = []
    for fast in (False, True):
        with ReplayServer([reply, reply]) as server:
            for _ in range(2):
                logs.append(_read_from(server.url, mode, fast))
    assert logs[0] == logs[1] == logs[2] == logs[3]
    assert len(logs[0]) > 5


def _read_from(url: str, mode: str, fast: bool) -> list[Any]:
    options: dict[str, Any] = {"base_url": url, "api_key": "none", "max_retries": 0}
    if mode == "sync":
        with OpenAI(**options) as client:
            return read(accelerate(client) if fast else client)

    async def main() -> list[Any]:
        async with AsyncOpenAI(**options) as client:
            return await read_async(accelerate(client) if fast else client)

    return asyncio.run(main())


@pytest.mark.parametrize("verdict", [False, True])
@pytest.mark.parametrize("unknown", [False, True])
def test_a_bare_break_tells_the_event_loop_of_no_error(verdict: bool, unknown: bool) -> None:
    first = b'data: {"type":"response.of_a_new_kind"}\n\n' if unknown else b""
    complaints: list[Any] = []

    async def main(url: str) -> int:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
            accelerate(client, verdict=verdict)
            for _ in range(3):
                await _leave_at_once(client)
                gc.collect()
                await asyncio.sleep(0.01)
        return len(complaints)  # when the loop shuts down, the SDK and its transport complain by themselves

    with ReplayServer(Reply(first + BODY)) as server:
        assert asyncio.run(main(server.url)) == 0, complaints


async def _leave_at_once(client: AsyncOpenAI) -> None:
    async for _ in await client.responses.create(model="m", input="x", stream=True):
        break
