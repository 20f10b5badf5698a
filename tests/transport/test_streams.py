"""Streams of events over the transports: many at once, and those of the official SDK."""

from __future__ import annotations

import asyncio
from collections import Counter

import httpx2
import openai
import pytest
from eugpt_fast import AsyncEventStream
from eugpt_fast.testing import ReplayServer, Reply, openai_stream

from .stacks import NATIVE, OWN, Stack, stacks

STREAM = openai_stream(20)
ASYNC = [OWN[1], NATIVE[1], NATIVE[3]]


@pytest.mark.parametrize("stack", stacks(*ASYNC))
@pytest.mark.parametrize("fused", [False, True], ids=["bytes", "events"])
def test_many_streams_at_once_are_each_whole(stack: Stack, fused: bool) -> None:
    async def read(client: httpx2.AsyncClient) -> object:
        async with client.stream("POST", server.url) as answer:
            if fused:
                return (await AsyncEventStream(answer).collect()).text
            return b"".join([part async for part in answer.aiter_raw()])

    async def main() -> list[object]:
        transport = stack.transport(limits=stack.library.Limits(max_connections=None))
        async with stack.library.AsyncClient(transport=transport, timeout=60) as client:
            return await asyncio.gather(*(read(client) for _ in range(150)))

    with ReplayServer(Reply(STREAM.body, pace=0.02)) as server:
        found = asyncio.run(main())
        assert server.connections == 150
    assert Counter(found) == {STREAM.text if fused else STREAM.body: 150}


@pytest.mark.parametrize("stack", stacks(OWN[2], NATIVE[2]))
def test_the_official_sdk(stack: Stack) -> None:
    with ReplayServer(STREAM.body) as server:
        http_client = httpx2.Client(transport=stack.transport())
        with openai.OpenAI(base_url=server.url, api_key="key", http_client=http_client) as client:
            for _ in range(2):
                events = list(client.responses.create(model="any", input="Hi", stream=True))
                assert events[-1].type == "response.completed"
                assert len(events) == STREAM.events
        assert server.connections == 1
        assert server.requests[0].headers["authorization"] == "Bearer key"


@pytest.mark.parametrize("stack", stacks(NATIVE[3]))
def test_the_official_sdk_async(stack: Stack) -> None:
    async def main() -> list[str]:
        http_client = httpx2.AsyncClient(transport=stack.transport())
        async with openai.AsyncOpenAI(base_url=server.url, api_key="key", http_client=http_client) as client:
            events = await client.responses.create(model="any", input="Hi", stream=True)
            return [event.type async for event in events]

    with ReplayServer(STREAM.body) as server:
        types = asyncio.run(main())
    assert len(types) == STREAM.events
    assert types[-1] == "response.completed"
