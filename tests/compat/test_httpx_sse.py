"""``eugpt_fast.compat.httpx_sse`` beside the original: what is the same. What is not has a file of its own."""

from __future__ import annotations

import asyncio
import inspect
import json
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path
from types import ModuleType
from typing import Any

import anyio
import httpx
import httpx2
import httpx_sse
import pytest
from conftest import random_cuts
from eugpt_fast.compat import httpx_sse as ours
from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream
from test_recorded import RECORDINGS

EVENT_STREAM = {"content-type": "text/event-stream"}
STREAM = openai_stream(20)
CLIENTS = {httpx: (httpx.Client, httpx.AsyncClient), httpx2: (httpx2.Client, httpx2.AsyncClient)}


@pytest.fixture(params=[httpx, httpx2], ids=lambda library: library.__name__)
def library(request: pytest.FixtureRequest) -> ModuleType:
    found: ModuleType = request.param
    return found


def told(sse: Any) -> tuple[str, str, str, int | None]:
    return sse.event, sse.data, sse.id, sse.retry


def sync_events(module: Any, library: Any, chunks: list[bytes]) -> list[tuple[Any, ...]]:
    response = library.Response(200, headers=EVENT_STREAM, content=iter(chunks))
    return [told(sse) for sse in module.EventSource(response).iter_sse()]


def async_events(module: Any, library: Any, chunks: list[bytes]) -> list[tuple[Any, ...]]:
    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def read() -> list[tuple[Any, ...]]:
        response = library.Response(200, headers=EVENT_STREAM, content=body())
        return [told(sse) async for sse in module.EventSource(response).aiter_sse()]

    return asyncio.run(read())


@pytest.mark.parametrize("events", [sync_events, async_events])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_recordings_give_the_events_of_the_original_under_random_cuts(
    events: Any, library: ModuleType, recording: Path
) -> None:
    body = recording.read_bytes()
    # One recording has an event name without data, which is an event to the original alone.
    expected = [event for event in events(httpx_sse, library, [body]) if event[1]]
    assert events(ours, library, [body]) == expected
    for chunks in random_cuts(body, recording.name):
        assert events(ours, library, chunks) == expected


FRAMING = {
    "names, ids and times": b"event: a\nid: 1\nretry: 9\ndata: x\n\ndata: y\n\nid\ndata: z\n\n",
    "several data lines": b"data: a\ndata:\ndata: b\n\ndata\n\ndata\ndata\n\n",
    "one space is removed": b"data:a\n\ndata:  a \n\ndata:\ta\n\n",
    "CR, LF and CRLF": b"data: a\rdata: b\r\ndata: c\n\r\ndata: d\r\r",
    "no other line ends": "data: a\u2028b\u2029c\x85d\x0be\n\n".encode(),
    "comments and unknown fields": b": hi\n\ndatas: x\nData: x\nfoo\ndata: a\n\n",
    "an id with NUL": b"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\n",
    "invalid UTF-8": b"data: a\xff\xf0\x9f\x98b\xe2\x82\n\n",
    "an open block at the end": b"data: a\n\ndata: b\nid: 3\n",
    "half a line at the end": b"data: a\n\ndata: b",
    "no bytes": b"",
}


@pytest.mark.parametrize("body", FRAMING.values(), ids=FRAMING)
@pytest.mark.parametrize("events", [sync_events, async_events])
def test_framing_is_that_of_the_original(events: Any, body: bytes) -> None:
    expected = events(httpx_sse, httpx, [body])
    assert events(ours, httpx, [body]) == expected
    assert events(ours, httpx, [body[at : at + 1] for at in range(len(body))]) == expected


def test_an_event_comes_with_the_chunk_that_closes_it(library: ModuleType) -> None:
    given: list[bytes] = []

    def body() -> Iterator[bytes]:
        for chunk in (b"data: 1\n", b"\ndata: 2\n\ndata: ", b"3\n\n"):
            given.append(chunk)
            yield chunk

    events = ours.EventSource(library.Response(200, headers=EVENT_STREAM, content=body())).iter_sse()
    assert [(sse.data, len(given)) for sse in events] == [("1", 2), ("2", 2), ("3", 3)]


@pytest.mark.parametrize("name", ["connect_sse", "aconnect_sse", "EventSource", "SSEError", "ServerSentEvent"])
def test_every_public_name_takes_what_the_original_takes(name: str) -> None:
    assert name in ours.__all__
    original, drop_in = getattr(httpx_sse, name), getattr(ours, name)
    assert bare_signature(drop_in) == bare_signature(original)
    for member in vars(original):
        if not member.startswith("_"):
            assert hasattr(drop_in, member)
            if callable(getattr(original, member)):
                assert bare_signature(getattr(drop_in, member)) == bare_signature(getattr(original, member))
    assert name == "SSEError" or inspect.iscoroutinefunction(drop_in) == inspect.iscoroutinefunction(original)


def bare_signature(function: Any) -> list[tuple[Any, ...]]:
    parameters = inspect.signature(function).parameters.values()
    return [(each.name, each.kind, each.default) for each in parameters if each.name != "self"]


@pytest.mark.parametrize(
    "content_type",
    ["text/event-stream; charset=utf-8", "a/b, text/event-stream", "Text/Event-Stream", "a/b; text/event-stream", None],
)
def test_the_content_types_that_the_original_takes_are_taken(content_type: str | None, library: ModuleType) -> None:
    outcomes: list[Any] = []
    for module in (httpx_sse, ours):
        headers = {} if content_type is None else {"content-type": content_type}
        source = module.EventSource(library.Response(200, headers=headers, content=iter([b"data: a\n\n"])))
        events = source.iter_sse()  # nothing is checked before the first event is asked for
        try:
            outcomes.append(next(events).data)
        except module.SSEError as error:
            outcomes.append((isinstance(error, httpx.TransportError), "text/event-stream" in str(error)))
    assert outcomes[0] == outcomes[1]
    assert outcomes[1] in ("a", (True, True))


def test_aiter_sse_checks_the_content_type_too() -> None:
    async def read() -> None:
        async for _ in ours.EventSource(httpx.Response(200, text="hello")).aiter_sse():
            pass

    with pytest.raises(ours.SSEError, match="text/plain"):
        asyncio.run(read())


def test_a_sync_response_is_refused_by_aiter_sse_as_by_the_original() -> None:
    for module in (httpx_sse, ours):
        with pytest.raises(RuntimeError, match="async iterator on an sync stream"):
            response = httpx.Response(200, headers=EVENT_STREAM, content=iter([b""]))
            asyncio.run(anext_of(module.EventSource(response).aiter_sse()))


async def anext_of(events: AsyncIterator[Any]) -> Any:
    return await anext(events)


def test_a_response_that_was_read_can_be_iterated_again_and_one_that_was_streamed_cannot(library: ModuleType) -> None:
    whole = library.Response(200, headers=EVENT_STREAM, content=b"id: 1\ndata: a\n\n")
    source = ours.EventSource(whole)
    assert source.response is whole
    assert [told(sse) for sse in source.iter_sse()] == [told(sse) for sse in source.iter_sse()]
    streamed = ours.EventSource(library.Response(200, headers=EVENT_STREAM, content=iter([b"data: a\n\n"])))
    assert len(list(streamed.iter_sse())) == 1
    with pytest.raises(library.StreamConsumed):
        next(streamed.iter_sse())


REPLIES = {
    "plain": Reply(STREAM.body),
    "gzip": Reply(STREAM.body, gzip=True),
    "broken": Reply(STREAM.body, fault=Fault.BROKEN_CHUNK),
}


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES)
def test_connect_sse_reads_what_the_original_reads_over_http(library: ModuleType, reply: Reply) -> None:
    outcomes = []
    with ReplayServer([reply, reply]) as server, CLIENTS[library][0](timeout=10) as client:
        for module in (httpx_sse, ours):
            events: list[Any] = []
            failure = None
            with module.connect_sse(client, "POST", server.url, json={"input": "Hi"}) as source:
                try:
                    events.extend(told(sse) for sse in source.iter_sse())
                except library.TransportError as error:
                    failure = type(error), str(error)
            assert source.response.is_closed
            outcomes.append((events, failure))
        assert server.requests[0].headers == server.requests[1].headers
        assert server.requests[1].headers["accept"] == "text/event-stream"
        assert server.requests[1].headers["cache-control"] == "no-store"
        assert server.requests[1].body == server.requests[0].body
    assert outcomes[0] == outcomes[1]
    assert (outcomes[1][1] is None) == (reply.fault is None)
    assert outcomes[1][0]


@pytest.mark.parametrize("runner", ["asyncio", "trio"])
def test_aconnect_sse_reads_what_the_original_reads_over_http(library: ModuleType, runner: str) -> None:
    async def read() -> None:
        outcomes = []
        async with CLIENTS[library][1](timeout=10) as client:
            for module in (httpx_sse, ours):
                async with module.aconnect_sse(client, "POST", server.url, headers={"x-mine": "1"}) as source:
                    outcomes.append([told(sse) async for sse in source.aiter_sse()])
                assert source.response.is_closed
        assert outcomes[0] == outcomes[1]
        assert len(outcomes[1]) == STREAM.events

    with ReplayServer(STREAM.body) as server:
        anyio.run(read, backend=runner)
        assert server.requests[0].headers == server.requests[1].headers
        assert server.requests[1].headers["x-mine"] == "1"


def test_leaving_early_closes_the_response(library: ModuleType) -> None:
    async def leave() -> None:
        async with (
            CLIENTS[library][1](timeout=10) as client,
            ours.aconnect_sse(client, "GET", server.url) as source,
            aclosing(source.aiter_sse()) as events,
        ):
            await anext(events)
        assert source.response.is_closed

    with ReplayServer(Reply(STREAM.body, fault=Fault.STALL_COMMENTS)) as server:
        with CLIENTS[library][0](timeout=10) as client, ours.connect_sse(client, "GET", server.url) as source:
            next(source.iter_sse())
        assert source.response.is_closed
        asyncio.run(leave())


def test_closing_aiter_sse_closes_what_reads_the_body() -> None:
    closed = []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"data: a\n\n"
        finally:
            closed.append(True)

    async def leave() -> None:
        response = httpx.Response(200, headers=EVENT_STREAM, content=body())
        response.aiter_raw = body  # type: ignore[method-assign, assignment]
        events = ours.EventSource(response).aiter_sse()
        await anext(events)
        assert not closed
        await events.aclose()
        assert closed

    asyncio.run(leave())


@pytest.mark.parametrize(
    "arguments",
    [{}, {"event": None, "data": None, "id": None}, {"event": "", "data": "", "id": ""}, {"data": "d", "retry": 0},
     {"event": "a'b", "data": "1\n2", "id": "i", "retry": 3}],
    ids=repr,
)  # fmt: skip
def test_an_event_made_by_hand_is_that_of_the_original(arguments: dict[str, Any]) -> None:
    original, sse = httpx_sse.ServerSentEvent(**arguments), ours.ServerSentEvent(**arguments)
    assert told(sse) == told(original)
    assert told(ours.ServerSentEvent(*told(original))) == told(original)
    assert repr(sse) == repr(original)
    assert told(pickle.loads(pickle.dumps(sse))) == told(sse)
    for one in (original, sse):
        with pytest.raises(AttributeError):
            one.data = "x"  # type: ignore[misc]


@pytest.mark.parametrize("data", ['{"a": [1, 2.5, null]}', "12345678901234567890123", "NaN", "", "{oops", '{"a": 1} x'])
def test_json_is_that_of_the_original(data: str) -> None:
    outcomes: list[Any] = []
    for module in (httpx_sse, ours):
        try:
            outcomes.append(repr(module.ServerSentEvent(data=data).json()))
        except json.JSONDecodeError as error:
            outcomes.append((str(error), error.doc, error.pos))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_the_line_decoder_gives_the_events_of_the_original(recording: Path) -> None:
    decoder, original = ours.SSEDecoder(), httpx_sse._decoders.SSEDecoder()
    for line in recording.read_text("utf-8").split("\n"):
        sse, expected = decoder.decode(line), original.decode(line)
        if expected is None or not expected.data:
            assert sse is None
        else:
            assert sse is not None
            assert told(sse) == told(expected)


def test_neither_httpx_sse_nor_httpx2_has_to_be_installed() -> None:
    program = "import sys; sys.modules['httpx_sse'] = sys.modules['httpx2'] = None; import eugpt_fast.compat.httpx_sse"
    subprocess.run([sys.executable, "-c", program], check=True)
