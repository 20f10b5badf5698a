"""As ``clients``, awaited."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import eugpt_fast
import httpx
import httpx2
import httpx_sse
import openai
from eugpt_fast import AsyncEventStream
from eugpt_fast.compat import httpx_sse as drop_in
from eugpt_fast.compat.openai import accelerate

from .byhand import ByHand
from .clients import (
    ASYNC,
    BODY,
    BY_HAND,
    COLLECT,
    DELTA,
    DROP_IN,
    FAST_SDK,
    FLOOR,
    HAS_NATIVE,
    HTTPX_SSE,
    LIMITS,
    NATIVE,
    OURS,
    SDK,
    Result,
)

AIOHTTP = "aiohttp + orjson"


class AsyncClients:
    """One pooled client per library. Used, and made, in one event loop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._httpx = httpx.AsyncClient(limits=httpx.Limits(**LIMITS))
        self._aiohttp = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=3600))
        sdk = partial(openai.AsyncOpenAI, api_key="none", max_retries=0)
        self._sdk = {SDK: sdk(), FAST_SDK: accelerate(sdk())}
        if HAS_NATIVE:
            self._native = httpx.AsyncClient(transport=_native(httpx))
            self._sdk[FAST_SDK + NATIVE] = accelerate(sdk(http_client=httpx2.AsyncClient(transport=_native(httpx2))))

    async def aclose(self) -> None:
        await self._httpx.aclose()
        await self._aiohttp.close()
        for client in self._sdk.values():
            await client.close()
        if HAS_NATIVE:
            await self._native.aclose()

    @property
    def contenders(self) -> dict[str, Callable[[str], Awaitable[Result]]]:
        """By name; what they take is the name of the stream."""
        native: dict[str, Callable[[str], Awaitable[Result]]] = {}
        if HAS_NATIVE:
            native = {
                OURS + NATIVE: partial(self.ours, self._native),
                COLLECT + NATIVE: partial(self.ours_collecting, self._native),
                FAST_SDK + NATIVE: partial(self.sdk, FAST_SDK + NATIVE),
            }
        everyone = native | {
            OURS: partial(self.ours, self._httpx),
            COLLECT: partial(self.ours_collecting, self._httpx),
            BY_HAND: self.by_hand,
            AIOHTTP: self.aiohttp,
            DROP_IN: partial(self.httpx_sse, drop_in),
            HTTPX_SSE: partial(self.httpx_sse, httpx_sse),
            FAST_SDK: partial(self.sdk, FAST_SDK),
            SDK: partial(self.sdk, SDK),
            FLOOR: self.raw,
        }
        return {name + ASYNC: read for name, read in everyone.items()}

    def _post(self, client: Any, stream: str) -> Any:
        return client.stream("POST", self._path(stream), json=BODY)

    def _path(self, stream: str) -> str:
        return f"{self._url}/{stream}/responses"

    async def ours(self, client: Any, stream: str) -> Result:
        async with self._post(client, stream) as response:
            return await _taken(AsyncEventStream(response))

    async def native_events(self, stream: str) -> list[Any]:
        """All of what the native transport gives."""
        async with self._post(self._native, stream) as response:
            return [event async for event in AsyncEventStream(response)]

    async def ours_collecting(self, client: Any, stream: str) -> Result:
        async with self._post(client, stream) as response:
            collected = await AsyncEventStream(response).collect()
        return collected.metrics.events, collected.text

    async def by_hand(self, stream: str) -> Result:
        async with self._post(self._httpx, stream) as response:
            return await _parsed(response.aiter_raw())

    async def aiohttp(self, stream: str) -> Result:
        async with self._aiohttp.post(self._path(stream), json=BODY) as response:
            return await _parsed(response.content.iter_any())

    async def httpx_sse(self, module: Any, stream: str) -> Result:
        count, deltas = 0, []
        async with module.aconnect_sse(self._httpx, "POST", self._path(stream), json=BODY) as source:
            async for sse in source.aiter_sse():
                event = sse.json()
                count += 1
                if event["type"] == DELTA:
                    deltas.append(event["delta"])
        return count, "".join(deltas)

    async def sdk(self, name: str, stream: str) -> Result:
        client = self._sdk[name]
        client.base_url = f"{self._url}/{stream}"
        count, deltas = 0, []
        async for event in await client.responses.create(**BODY):
            count += 1
            if event.type == DELTA:
                deltas.append(event.delta)
        return count, "".join(deltas)

    async def raw(self, stream: str) -> Result:
        size = 0
        async with self._post(self._httpx, stream) as response:
            async for chunk in response.aiter_raw():
                size += len(chunk)
        return size, ""


def _native(library: Any) -> Any:
    return eugpt_fast.AsyncTransport(limits=library.Limits(**LIMITS))


async def _taken(events: AsyncIterator[Any]) -> Result:
    count, deltas = 0, []
    async for event in events:
        count += 1
        if event["type"] == DELTA:
            deltas.append(event["delta"])
    return count, "".join(deltas)


async def _parsed(chunks: AsyncIterator[bytes]) -> Result:
    parser = ByHand()
    count, deltas = 0, []
    async for chunk in chunks:
        for event in parser.feed(chunk):
            count += 1
            if event["type"] == DELTA:
                deltas.append(event["delta"])
    return count, "".join(deltas)
