"""What frees the connection, and what does not lose events."""

import asyncio
import gc
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import httpx
import pytest
from eugpt_fast import AsyncEventStream, EventStream, Parser, Verdict, errors
from eugpt_fast.events import Completed
from eugpt_fast.testing import Fault, ReplayServer, Reply, chunking, openai_stream

STREAM = openai_stream(20)
OPEN_ENDED = Reply(STREAM.body, fault=Fault.STALL, after_events=10)
BAD = b'data: {"type":"a"}\n\ndata: {bad\n\ndata: {"type":"b"}\n\ndata: {"type":"response.completed"}\n\n'


def wait_until(condition: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def leave_by_close(stream: EventStream) -> None:
    next(stream)
    stream.close()


def leave_by_break(stream: EventStream) -> None:
    for _ in stream:
        break


def leave_by_exception(stream: EventStream) -> None:
    with pytest.raises(ZeroDivisionError):
        for _ in stream:
            raise ZeroDivisionError


def leave_the_with_block(stream: EventStream) -> None:
    with stream:
        next(stream)


def forget(stream: EventStream) -> None:
    next(stream)


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_break, leave_by_exception, leave_the_with_block, forget])
def test_leaving_early_frees_the_connection(leave: Any) -> None:
    with ReplayServer(OPEN_ENDED) as server, httpx.Client(timeout=10) as client:
        response = client.send(client.build_request("POST", server.url), stream=True)
        leave(EventStream(response))
        gc.collect()
        wait_until(lambda: server.open_connections == 0)
        assert response.is_closed


async def aleave_by_close(stream: AsyncEventStream) -> None:
    await anext(stream)
    await stream.aclose()


async def aleave_by_break(stream: AsyncEventStream) -> None:
    async for _ in stream:
        break


async def aleave_by_exception(stream: AsyncEventStream) -> None:
    with pytest.raises(ZeroDivisionError):
        async for _ in stream:
            raise ZeroDivisionError


async def aleave_the_with_block(stream: AsyncEventStream) -> None:
    async with stream:
        await anext(stream)


async def aleave_by_cancellation(stream: AsyncEventStream) -> None:
    async def read() -> None:
        async for _ in stream:
            pass

    task = asyncio.create_task(read())
    while stream.metrics.events == 0:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize(
    "leave",
    [aleave_by_close, aleave_by_break, aleave_by_exception, aleave_the_with_block, aleave_by_cancellation],
)
def test_leaving_early_frees_the_connection_async(leave: Any) -> None:
    async def run() -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            response = await client.send(client.build_request("POST", server.url), stream=True)
            await leave(AsyncEventStream(response))
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if server.open_connections == 0:
                    break
            assert server.open_connections == 0
            assert response.is_closed

    with ReplayServer(OPEN_ENDED) as server:
        asyncio.run(run())


def test_a_finished_stream_leaves_its_connection_for_the_next_one() -> None:
    with ReplayServer(STREAM.body) as server, httpx.Client(timeout=10) as client:
        for _ in range(5):
            with client.stream("POST", server.url) as response:
                assert EventStream(response).collect().verdict is Verdict.COMPLETED
        assert server.connections == 1


def test_a_stream_closed_behind_its_terminal_event_keeps_its_events_and_its_verdict() -> None:
    stream = EventStream([STREAM.body])
    next(stream)
    stream.close()
    assert stream.verdict is Verdict.COMPLETED
    assert len(list(stream)) == STREAM.events - 1


def test_breaking_at_the_terminal_event_leaves_the_verdict() -> None:
    def chunks() -> Iterator[Any]:
        yield STREAM.body
        raise AssertionError("nobody asked for more")

    stream = EventStream(chunks())
    for event in stream:
        if event["type"] == "response.completed":
            break
    assert stream.verdict is Verdict.COMPLETED


def test_a_stream_closed_before_its_end_has_no_verdict_and_says_so_when_read_on() -> None:
    half = len(STREAM.body) // 2
    stream = EventStream([STREAM.body[:half], STREAM.body[half:]])
    next(stream)
    stream.close()
    assert stream.verdict is None
    assert next(stream)["type"] == "response.in_progress"  # what had come is not lost
    with pytest.raises(errors.StreamClosed):
        list(stream)
    with pytest.raises(errors.StreamClosed):
        stream.collect()


def test_a_bad_event_raises_in_its_place_and_iterating_goes_on() -> None:
    stream = EventStream([BAD])
    seen = []
    with pytest.raises(errors.EventDecodeError) as caught:
        for event in stream:
            seen.append(event["type"])
    assert caught.value.doc == "{bad"
    assert seen == ["a"]
    assert [event["type"] for event in stream] == ["b", "response.completed"]
    assert stream.verdict is Verdict.COMPLETED


def test_a_bad_event_raises_in_its_place_and_next_goes_on() -> None:
    stream = EventStream([BAD])
    assert next(stream) == {"type": "a"}
    with pytest.raises(errors.EventDecodeError):
        next(stream)
    assert next(stream) == {"type": "b"}


def test_a_bad_event_does_not_spoil_collecting() -> None:
    stream = EventStream([BAD])
    with pytest.raises(errors.EventDecodeError):
        stream.collect()
    assert stream.collect().verdict is Verdict.COMPLETED
    assert stream.metrics.events == 3


def test_a_bad_event_raises_in_its_place_async() -> None:
    async def chunks() -> AsyncIterator[Any]:
        yield BAD

    async def run() -> None:
        stream = AsyncEventStream(chunks())
        assert await anext(stream) == {"type": "a"}
        with pytest.raises(errors.EventDecodeError):
            await anext(stream)
        assert [event["type"] async for event in stream] == ["b", "response.completed"]

    asyncio.run(run())


def test_a_verdict_that_raises_does_so_again() -> None:
    stream = EventStream([STREAM.body[:600]])
    for _ in range(2):
        with pytest.raises(errors.StreamInterrupted):
            list(stream)
    with pytest.raises(errors.StreamInterrupted):
        stream.collect()


def test_a_stream_can_be_begun_by_iterating_and_ended_by_collecting() -> None:
    stream = EventStream(STREAM.body[at : at + 100] for at in range(0, len(STREAM.body), 100))
    next(stream)
    assert stream.collect().text == STREAM.text


def test_collecting_gives_everything() -> None:
    collected = EventStream([STREAM.body]).collect()
    last = cast(Completed, Parser().feed(STREAM.body)[-1])
    assert collected.text == STREAM.text
    assert collected.response == last["response"]
    assert collected.usage == last["response"].get("usage")
    assert collected.response_id == last["response"]["id"]
    assert collected.metrics.events == STREAM.events


def test_only_chooses_what_is_delivered_but_not_what_is_counted() -> None:
    stream = EventStream([STREAM.body], only={"response.created"})
    assert [event["type"] for event in stream] == ["response.created", "response.completed"]
    assert stream.text == STREAM.text
    assert stream.metrics.events == STREAM.events
    assert stream.metrics.gaps == 0


def test_missing_repeated_and_reordered_events_are_counted() -> None:
    numbers = [0, 1, 3, 3, 2, 4, 9]
    body = b"".join(b'data: {"type":"x","sequence_number":%d}\n\n' % number for number in numbers)
    stream = EventStream([body + b'data: {"type":"response.completed"}\n\n'])
    assert [event.get("sequence_number") for event in stream] == [*numbers, None]
    metrics = stream.metrics
    assert (metrics.gaps, metrics.repeats, metrics.reorders) == (2, 1, 1)


def test_an_error_of_the_source_itself_is_not_taken_for_the_network() -> None:
    def chunks() -> Iterator[Any]:
        yield STREAM.body[:600]
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        list(EventStream(chunks()))


def test_what_the_consumer_takes_does_not_count_as_waiting() -> None:
    def chunks() -> Iterator[Any]:
        yield from (STREAM.body[at : at + 700] for at in range(0, len(STREAM.body), 700))

    stream = EventStream(chunks(), content_timeout=0.05)
    for number, _ in enumerate(stream):
        if number < 3:
            time.sleep(0.1)
    assert stream.verdict is Verdict.COMPLETED


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    with ReplayServer(STREAM.body) as server, httpx.Client(timeout=10) as client:
        for _ in range(3):
            with client.stream("POST", server.url) as response:
                list(EventStream(response, content_timeout=30))
    wait_until(lambda: threading.active_count() <= before)


@pytest.mark.parametrize("source", [b"data: 1\n\n", "text", 5, None])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(TypeError, match="iterable of bytes"):
        EventStream(source)
    with pytest.raises(TypeError, match="async"):
        AsyncEventStream(source)


def test_a_response_of_the_other_kind_of_client_is_refused() -> None:
    async def run() -> None:
        async with httpx.AsyncClient(timeout=10) as client, client.stream("POST", server.url) as response:
            with pytest.raises(TypeError, match="AsyncEventStream"):
                EventStream(response)

    with ReplayServer(STREAM.body) as server:
        asyncio.run(run())
        with httpx.stream("POST", server.url) as response, pytest.raises(TypeError, match="use EventStream"):
            AsyncEventStream(response)


def test_a_response_that_was_read_already_can_still_be_parsed() -> None:
    with ReplayServer(STREAM.body) as server:
        response = httpx.post(server.url)
    assert EventStream(response).collect().text == STREAM.text


def test_a_trailing_done_leaves_the_connection_for_the_next_one() -> None:
    reply = Reply(STREAM.body, fault=Fault.DONE, pace=0.002)
    with ReplayServer(reply) as server, httpx.Client(timeout=10) as client:
        for _ in range(3):
            with client.stream("POST", server.url) as response:
                assert EventStream(response).collect().verdict is Verdict.COMPLETED
        assert server.connections == 1


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_content_timeout_must_be_positive(value: Any) -> None:
    with pytest.raises(ValueError, match="content_timeout"):
        EventStream([], content_timeout=value)


@pytest.mark.parametrize("chunk", ["whole", "per event"])
def test_a_terminal_event_behind_a_bad_one_does_not_wait_for_the_end_of_the_body(chunk: Any) -> None:
    body = BAD + b'data: {"type":"keepalive"}\n\n'
    cut = chunking.whole if chunk == "whole" else chunking.per_event
    reply = Reply(body, fault=Fault.STALL, after_events=4, chunking=cut)
    with ReplayServer(reply) as server, httpx.stream("POST", server.url, timeout=60) as response:
        stream = EventStream(response)
        with pytest.raises(errors.EventDecodeError):
            list(stream)
        begun = time.monotonic()
        list(stream)
        assert time.monotonic() - begun < 30
        assert stream.verdict is Verdict.COMPLETED


class Chunks:
    """An iterable whose iterator has something to clean up."""

    def __init__(self) -> None:
        self.cleaned = False

    def __iter__(self) -> Iterator[Any]:
        try:
            while True:
                yield b'data: {"type":"keepalive"}\n\n'
        finally:
            self.cleaned = True

    async def __aiter__(self) -> AsyncIterator[Any]:
        try:
            while True:
                yield b'data: {"type":"keepalive"}\n\n'
        finally:
            self.cleaned = True


def test_leaving_closes_the_iterator_of_an_iterable() -> None:
    chunks = Chunks()
    with EventStream(chunks) as stream:
        next(stream)
        assert not chunks.cleaned
    assert chunks.cleaned


def test_leaving_closes_the_async_iterator_of_an_iterable() -> None:
    async def main() -> None:
        chunks = Chunks()
        async with AsyncEventStream(chunks) as stream:
            await anext(stream)
            assert not chunks.cleaned
        assert chunks.cleaned

    asyncio.run(main())
