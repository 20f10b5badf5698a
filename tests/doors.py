"""Every door through which a stream is read in the tests: libraries, transports, blocking and async."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Any

import anyio
import eugpt_fast
import httpx
import httpx2
import pytest
import requests
from eugpt_fast import AsyncEventStream, EventStream, errors
from eugpt_fast.testing import Fault, Reply

PATIENCE = 0.3  # seconds, for the faults that stall
needs_native = pytest.mark.skipif(not hasattr(eugpt_fast, "Transport"), reason="no native transport in this build")


@dataclass
class Reading:
    """What one reading of a stream came to."""

    events: list[Any] = field(default_factory=list)
    stream: Any = None
    """The ``EventStream`` or ``AsyncEventStream`` that was read."""
    error: Any = None
    """The ``StreamError`` that it raised, or None."""


def options(reply: Reply) -> dict[str, Any]:
    stalls = reply.fault in (Fault.STALL, Fault.STALL_COMMENTS)
    return {"content_timeout": PATIENCE} if stalls else {}


def iterate(response: Any, reply: Reply) -> Reading:
    reading = Reading(stream=EventStream(response, **options(reply)))
    try:
        for event in reading.stream:
            reading.events.append(event)
    except errors.StreamError as error:
        reading.error = error
    return reading


async def aiterate(response: Any, reply: Reply) -> Reading:
    reading = Reading(stream=AsyncEventStream(response, **options(reply)))
    try:
        async for event in reading.stream:
            reading.events.append(event)
    except errors.StreamError as error:
        reading.error = error
    return reading


def read_httpx(url: str, reply: Reply) -> Reading:
    with httpx.stream("POST", url, timeout=10) as response:
        return iterate(response, reply)


def read_httpx2(url: str, reply: Reply) -> Reading:
    with httpx2.stream("POST", url, timeout=10) as response:
        return iterate(response, reply)


def read_requests(url: str, reply: Reply) -> Reading:
    with requests.post(url, stream=True, timeout=10) as response:
        return iterate(response, reply)


def read_iterable(url: str, reply: Reply) -> Reading:
    with httpx.stream("POST", url, timeout=2 * PATIENCE if options(reply) else 10) as response:
        return iterate(response.iter_bytes(), reply)


def read_async(url: str, reply: Reply, library: Any = httpx) -> Reading:
    async def read() -> Reading:
        async with library.AsyncClient(timeout=10) as client, client.stream("POST", url) as response:
            return await aiterate(response, reply)

    return asyncio.run(read())


def read_async_httpx2(url: str, reply: Reply) -> Reading:
    return read_async(url, reply, httpx2)


def read_async_iterable(url: str, reply: Reply) -> Reading:
    async def read() -> Reading:
        async with httpx.AsyncClient(timeout=10) as client, client.stream("POST", url) as response:
            return await aiterate(response.aiter_bytes(), reply)

    return asyncio.run(read())


def read_native(url: str, reply: Reply, library: Any = httpx) -> Reading:
    transport = eugpt_fast.Transport()
    with library.Client(transport=transport, timeout=10) as client, client.stream("POST", url) as response:
        return iterate(response, reply)


def read_native_httpx2(url: str, reply: Reply) -> Reading:
    return read_native(url, reply, httpx2)


def read_async_native(url: str, reply: Reply, library: Any = httpx) -> Reading:
    async def read() -> Reading:
        transport = eugpt_fast.AsyncTransport()
        async with library.AsyncClient(transport=transport, timeout=10) as client, client.stream("POST", url) as answer:
            return await aiterate(answer, reply)

    return asyncio.run(read())


def read_async_native_httpx2(url: str, reply: Reply) -> Reading:
    return read_async_native(url, reply, httpx2)


def read_trio(url: str, reply: Reply) -> Reading:
    async def read() -> Reading:
        async with httpx.AsyncClient(timeout=10) as client, client.stream("POST", url) as response:
            return await aiterate(response, reply)

    return anyio.run(read, backend="trio")


def collect(url: str, reply: Reply, transport: httpx.BaseTransport | None = None) -> Reading:
    """Collecting sees no events; the expectation's are filled in from what iterating would give."""
    with httpx.Client(transport=transport, timeout=10) as client, client.stream("POST", url) as response:
        reading = Reading(stream=EventStream(response, **options(reply)))
        with contextlib.suppress(errors.StreamError):
            reading.stream.collect()
            return reading
        with pytest.raises(errors.StreamError) as caught:
            reading.stream.collect()  # the verdict stays what it is
        reading.error = caught.value
        return reading


def collect_native(url: str, reply: Reply) -> Reading:
    return collect(url, reply, eugpt_fast.Transport())


def acollect_native(url: str, reply: Reply) -> Reading:
    async def read() -> Reading:
        transport = eugpt_fast.AsyncTransport()
        async with httpx.AsyncClient(transport=transport, timeout=10) as client, client.stream("POST", url) as answer:
            reading = Reading(stream=AsyncEventStream(answer, **options(reply)))
            try:
                await reading.stream.collect()
            except errors.StreamError as error:
                reading.error = error
            return reading

    return asyncio.run(read())


STOCK = [
    read_httpx,
    read_httpx2,
    read_requests,
    read_iterable,
    read_async,
    read_async_httpx2,
    read_async_iterable,
    read_trio,
    collect,
]
NATIVE = [
    read_native,
    read_native_httpx2,
    read_async_native,
    read_async_native_httpx2,
    collect_native,
    acollect_native,
]
COLLECTING = [collect, collect_native, acollect_native]
DOORS = STOCK + [pytest.param(door, marks=needs_native) for door in NATIVE]
