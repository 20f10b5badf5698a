"""The contenders over HTTP: each asks for one stream, reads it, and returns how many events and what text it got."""

import json
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

import httpx
import httpx2
import httpx_sse
import openai
from eugpt_fast import AsyncEventStream, EventStream
from eugpt_fast.compat import httpx_sse as drop_in
from eugpt_fast.compat.openai import accelerate

from .guide import guide_events

Result = tuple[int, str]
"""Events and text; of the floors, bytes and no text."""

_BODY = {"model": "replay", "input": "Hi", "stream": True}
_DELTA = "response.output_text.delta"


class Clients:
    """One pooled client per library, so that every contender keeps its connection alive."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._httpx = httpx.Client()
        self._httpx2 = httpx2.Client()
        self._async_httpx = httpx.AsyncClient()
        # The SDK takes its base URL once, so it has one client per stream, and another that is accelerated.
        self._sdk: dict[tuple[str, bool], openai.OpenAI] = {}
        self._async_sdk: dict[tuple[str, bool], openai.AsyncOpenAI] = {}

    def close(self) -> None:
        for client in (self._httpx, self._httpx2, *self._sdk.values()):
            client.close()

    async def aclose(self) -> None:
        await self._async_httpx.aclose()
        for client in self._async_sdk.values():
            await client.close()

    @property
    def blocking(self) -> dict[str, Callable[[str], Result]]:
        return {
            OURS: self.ours,
            f"{OURS} collect()": self.ours_collecting,
            GUIDE: self.guide,
            DROP_IN: partial(self.httpx_sse, drop_in),
            HTTPX_SSE: partial(self.httpx_sse, httpx_sse),
            "httpx2.EventSource": self.httpx2_event_source,
            FAST_SDK: partial(self.sdk, fast=True),
            SDK: self.sdk,
            FLOOR: self.raw,
        }

    @property
    def awaiting(self) -> dict[str, Callable[[str], Awaitable[Result]]]:
        return {
            f"{OURS}{ASYNC}": self.ours_async,
            f"{OURS} collect(){ASYNC}": self.ours_collecting_async,
            f"{DROP_IN}{ASYNC}": partial(self.httpx_sse_async, drop_in),
            f"{HTTPX_SSE}{ASYNC}": partial(self.httpx_sse_async, httpx_sse),
            f"{FAST_SDK}{ASYNC}": partial(self.sdk_async, fast=True),
            f"{SDK}{ASYNC}": self.sdk_async,
            f"{FLOOR}{ASYNC}": self.raw_async,
        }

    def _post(self, stream: str) -> Any:
        return self._httpx.stream("POST", self._path(stream), json=_BODY)

    def _async_post(self, stream: str) -> Any:
        return self._async_httpx.stream("POST", self._path(stream), json=_BODY)

    def _path(self, stream: str) -> str:
        return f"{self._url}/{stream}/responses"

    def ours(self, stream: str) -> Result:
        with self._post(stream) as response:
            return _taken(EventStream(response))

    def ours_collecting(self, stream: str) -> Result:
        with self._post(stream) as response:
            collected = EventStream(response).collect()
        return collected.metrics.events, collected.text

    def guide(self, stream: str) -> Result:
        with self._post(stream) as response:
            return _taken(guide_events(response.iter_text()))

    def httpx_sse(self, module: Any, stream: str) -> Result:
        with module.connect_sse(self._httpx, "POST", self._path(stream), json=_BODY) as source:
            return _taken(sse.json() for sse in source.iter_sse())

    def httpx2_event_source(self, stream: str) -> Result:
        with self._httpx2.stream("POST", self._path(stream), json=_BODY) as response:
            return _taken(json.loads(sse.data) for sse in httpx2.EventSource(response))

    def sdk(self, stream: str, fast: bool = False) -> Result:
        client = self._sdk.get((stream, fast))
        if client is None:
            client = openai.OpenAI(base_url=f"{self._url}/{stream}", api_key="none", max_retries=0)
            self._sdk[stream, fast] = accelerate(client) if fast else client
        count, deltas = 0, []
        for event in client.responses.create(**_BODY):
            count += 1
            if event.type == _DELTA:
                deltas.append(event.delta)
        return count, "".join(deltas)

    def raw(self, stream: str) -> Result:
        with self._post(stream) as response:
            return sum(map(len, response.iter_raw())), ""

    async def ours_async(self, stream: str) -> Result:
        count, deltas = 0, []
        async with self._async_post(stream) as response:
            async for event in AsyncEventStream(response):
                count += 1
                if event["type"] == _DELTA:
                    deltas.append(event["delta"])
        return count, "".join(deltas)

    async def ours_collecting_async(self, stream: str) -> Result:
        async with self._async_post(stream) as response:
            collected = await AsyncEventStream(response).collect()
        return collected.metrics.events, collected.text

    async def httpx_sse_async(self, module: Any, stream: str) -> Result:
        count, deltas = 0, []
        async with module.aconnect_sse(self._async_httpx, "POST", self._path(stream), json=_BODY) as source:
            async for sse in source.aiter_sse():
                event = sse.json()
                count += 1
                if event["type"] == _DELTA:
                    deltas.append(event["delta"])
        return count, "".join(deltas)

    async def sdk_async(self, stream: str, fast: bool = False) -> Result:
        client = self._async_sdk.get((stream, fast))
        if client is None:
            client = openai.AsyncOpenAI(base_url=f"{self._url}/{stream}", api_key="none", max_retries=0)
            self._async_sdk[stream, fast] = accelerate(client) if fast else client
        count, deltas = 0, []
        async for event in await client.responses.create(**_BODY):
            count += 1
            if event.type == _DELTA:
                deltas.append(event.delta)
        return count, "".join(deltas)

    async def raw_async(self, stream: str) -> Result:
        size = 0
        async with self._async_post(stream) as response:
            async for chunk in response.aiter_raw():
                size += len(chunk)
        return size, ""


OURS = "eugpt_fast"
GUIDE = "the guide's loop"
HTTPX_SSE = "httpx-sse"
DROP_IN = "eugpt_fast.compat.httpx_sse"
SDK = "openai SDK"
FAST_SDK = "openai SDK, accelerated"
ASYNC = ", async"
"""Behind the name of whoever awaits."""
FLOOR = "httpx alone (floor)"


def _taken(events: Iterable[Any]) -> Result:
    count, deltas = 0, []
    for event in events:
        count += 1
        if event["type"] == _DELTA:
            deltas.append(event["delta"])
    return count, "".join(deltas)
