"""Events that the I/O thread reads before their consumer does, and consumers that are slower or faster than it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import eugpt_fast
import httpx
import pytest
from eugpt_fast import AsyncEventStream, EventStream

from .wire import CHUNKED, PATIENCE, Connection, WireServer, chunk

WANTED = "response.output_text.delta"


def event(kind: str, size: int = 0) -> bytes:
    return chunk(b"data: " + json.dumps({"type": kind, "delta": "x" * size}).encode() + b"\n\n")


END = event("response.completed") + chunk(b"")


def read_by_thread(url: str, handle: Callable[[Any], None]) -> EventStream:
    with (
        httpx.Client(transport=eugpt_fast.Transport(buffer_size=10_000), timeout=PATIENCE) as client,
        client.stream("GET", url) as answer,
    ):
        events = EventStream(answer, only={WANTED})
        for event in events:
            handle(event)
        return events


def read_by_task(url: str, handle: Callable[[Any], None]) -> AsyncEventStream:
    async def main() -> AsyncEventStream:
        transport = eugpt_fast.AsyncTransport(buffer_size=10_000)
        async with (
            httpx.AsyncClient(transport=transport, timeout=PATIENCE) as client,
            client.stream("GET", url) as answer,
        ):
            events = AsyncEventStream(answer, only={WANTED})
            async for event in events:
                handle(event)
            return events

    return asyncio.run(main())


both = pytest.mark.parametrize("read", [read_by_thread, read_by_task])


@both
@pytest.mark.timeout(PATIENCE)
def test_a_buffer_that_filled_up_while_the_consumer_was_busy_does_not_stop_the_stream(read: Callable[..., Any]) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + event(WANTED))
        assert busy.wait(PATIENCE)
        connection.send(event("other", 1000) * 20_000 + END)

    def handle(event: dict[str, str]) -> None:
        if event["type"] == WANTED:
            busy.set()
            time.sleep(0.3)  # in which the buffer fills up

    busy = threading.Event()
    with WireServer(script) as server:
        assert read(server.url, handle).verdict == "completed"


@both
def test_the_longest_pause_is_that_between_any_two_events(read: Callable[..., Any]) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + event("other") + event(WANTED))
        assert seen.wait(PATIENCE)
        time.sleep(0.05)
        connection.send(event(WANTED) + END)

    seen, begun = threading.Event(), time.monotonic()
    with WireServer(script) as server:
        metrics = read(server.url, lambda event: seen.set()).metrics
    assert 0.05 <= metrics.longest_pause <= time.monotonic() - begun


def test_the_time_of_the_consumer_is_no_pause() -> None:
    def script(connection: Connection) -> None:
        connection.request()
        for _ in range(3):
            connection.send((CHUNKED if not taken.is_set() else b"") + event(WANTED))
            assert taken.wait(PATIENCE)
        connection.send(END)

    taken, begun = threading.Event(), time.monotonic()
    with (
        WireServer(script) as server,
        httpx.Client(transport=eugpt_fast.Transport()) as client,
        client.stream("GET", server.url) as answer,
    ):
        events = EventStream(answer)
        for _ in events:
            taken.set()
            time.sleep(0.05)
    assert events.metrics.longest_pause <= time.monotonic() - begun  # it was the time since the machine has started


def test_what_comes_behind_the_terminal_event_may_take_its_consumer_long(monkeypatch: pytest.MonkeyPatch) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + event("response.completed"))
        assert seen.wait(PATIENCE)
        connection.send(event("behind"))
        connection.until_closed()

    monkeypatch.setattr("eugpt_fast._reader.base._DRAIN", 0.2)
    seen, kinds = threading.Event(), []
    with (
        WireServer(script) as server,
        httpx.Client(transport=eugpt_fast.Transport()) as client,
        client.stream("GET", server.url) as answer,
    ):
        events = EventStream(answer)
        for found in events:
            seen.set()
            kinds.append(found["type"])
            if str(found["type"]) == "behind":
                time.sleep(0.3)
    assert kinds[:1] == ["response.completed"]
    assert events.verdict == "completed"


def test_a_stream_that_another_thread_closes_is_not_asked_for_again() -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b": nothing yet\n\n"))
        asked.set()
        connection.until_closed()

    asked = threading.Event()
    with WireServer(script) as server, httpx.Client(transport=eugpt_fast.Transport()) as client:
        events = eugpt_fast.stream("Hi", client=client, base_url=server.url, api_key="any")

        def close() -> None:
            assert asked.wait(PATIENCE)
            time.sleep(0.05)  # in which the other thread begins to wait
            events.close()

        closer = threading.Thread(target=close)
        closer.start()
        with pytest.raises(eugpt_fast.errors.StreamClosed):
            list(events)
        closer.join()
        assert events.verdict is None
        assert len(server.requests) == 1


def test_a_stream_that_never_pauses_leaves_the_others_their_turns() -> None:
    def flood(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED)
        while not seen.is_set():
            connection.send(flooding)

    def slow(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + event(WANTED))
        assert seen.wait(PATIENCE)
        connection.send(END)

    async def main() -> None:
        async with (
            httpx.AsyncClient(transport=eugpt_fast.AsyncTransport(), timeout=PATIENCE) as client,
            client.stream("GET", calm.url) as answer,
        ):
            async for _ in AsyncEventStream(answer):
                seen.set()

    def collect() -> None:
        with (
            httpx.Client(transport=eugpt_fast.Transport()) as client,
            client.stream("GET", noisy.url) as answer,
            pytest.raises(eugpt_fast.errors.StreamInterrupted),
        ):
            EventStream(answer).collect()

    flooding, seen = event("other", 100) * 4000, threading.Event()
    with WireServer(flood) as noisy, WireServer(slow) as calm:
        collector = threading.Thread(target=collect)
        collector.start()
        noisy.wait_for(lambda: noisy.requests != [])
        try:
            asyncio.run(asyncio.wait_for(main(), PATIENCE))
        finally:
            seen.set()
            collector.join()
