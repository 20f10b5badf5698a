"""What ``docs/COMPAT-HTTPX-SSE.md`` lists as different from the original, each line with both sides of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import httpx
import httpx_sse
import pytest
from eugpt_fast import build_info
from eugpt_fast.compat import httpx_sse as ours
from eugpt_fast.errors import EventDecodeError, EventTooDeep, EventTooLarge
from test_httpx_sse import EVENT_STREAM, told

Events = list[tuple[str, str, str, int | None]]


class Difference(NamedTuple):
    """A stream, its events as the original gives them, and as the standard and we do."""

    body: bytes
    original: Events
    ours: Events


def message(data: str, id: str = "", retry: int | None = None) -> tuple[str, str, str, int | None]:
    return "message", data, id, retry


DIFFERENCES = {
    "a name without data is no event": Difference(
        b"event: ping\n\ndata: a\n\n", [("ping", "", "", None), message("a")], [message("a")]
    ),
    "a time without data is no event": Difference(
        b"retry: 10\n\ndata: a\n\n", [message("", retry=10), message("a")], [message("a")]
    ),
    "an id without data is no event": Difference(
        b"id: 7\n\ndata: a\n\n", [message("", "7"), message("a", "7")], [message("a", "7")]
    ),
    "after an id, a comment and a second blank line are no events": Difference(
        b"id: 7\ndata: a\n\n: ping\n\n\ndata: b\n\n",
        [message("a", "7"), message("", "7"), message("", "7"), message("b", "7")],
        [message("a", "7"), message("b", "7")],
    ),
    "a leading BOM is removed": Difference(
        b"\xef\xbb\xbfdata: a\n\ndata: b\n\n", [message("b")], [message("a"), message("b")]
    ),
    "a time has ASCII digits only": Difference(
        "".join(f"retry: {time}\ndata\n\n" for time in ("-5", "+5", "1_0", " 7", "\u0663")).encode(),
        [message("", retry=time) for time in (-5, 5, 10, 7, 3)],
        [message("")] * 5,
    ),
    "a time beyond 64 bits is ignored": Difference(
        b"retry: 18446744073709551616\ndata: a\n\n", [message("a", retry=2**64)], [message("a")]
    ),
}


def events(module: Any, chunks: Iterator[bytes], content_type: str = "text/event-stream") -> Iterator[Any]:
    response = httpx.Response(200, headers={"content-type": content_type}, content=chunks)
    found: Iterator[Any] = module.EventSource(response).iter_sse()
    return found


@pytest.mark.parametrize("difference", DIFFERENCES.values(), ids=DIFFERENCES)
def test_the_standard_is_followed_where_the_original_does_not(difference: Difference) -> None:
    assert [told(sse) for sse in events(httpx_sse, iter([difference.body]))] == difference.original
    assert [told(sse) for sse in events(ours, iter([difference.body]))] == difference.ours
    lines = difference.body.decode().split("\n")
    decoder = ours.SSEDecoder()
    assert [told(sse) for line in lines if (sse := decoder.decode(line))] == difference.ours


def test_the_stream_is_utf_8_whatever_the_content_type_says() -> None:
    for module, data in ((httpx_sse, "Ã©"), (ours, "é")):
        (sse,) = events(module, iter(["data: é\n\n".encode()]), "text/event-stream; charset=iso-8859-1")
        assert sse.data == data


def test_an_event_that_ends_in_cr_does_not_wait_for_the_next_chunk() -> None:
    for module, chunks_taken in ((httpx_sse, 2), (ours, 1)):
        chunks = iter([b"data: a\r\r", b"data: b\r\r", b""])
        assert next(events(module, chunks)).data == "a"
        assert len(list(chunks)) == 3 - chunks_taken


def test_what_is_set_without_an_event_can_be_asked_of_the_source() -> None:
    body = b"retry: 10\n\nid: 1\ndata: a\n\nid: 2\n\n"
    source = ours.EventSource(httpx.Response(200, headers=EVENT_STREAM, content=body))
    assert (source.last_event_id, source.retry) == ("", None)
    seen = [(sse.id, source.last_event_id, source.retry) for sse in source.iter_sse()]
    # The whole body was one chunk, and the source stands where the bytes end.
    assert seen == [("1", "2", 10)]
    assert not hasattr(httpx_sse.EventSource(source.response), "retry")


def test_an_event_beyond_the_limit_is_an_error_after_the_events_before_it() -> None:
    def body() -> Iterator[bytes]:
        yield b"data: a\n\ndata: b\n\ndata: "
        for _ in range(64):
            yield b"x" * 2**20
        yield b"x\n\n"

    found = events(ours, body())
    assert [next(found).data, next(found).data] == ["a", "b"]
    with pytest.raises(EventTooLarge) as caught:
        next(found)
    assert caught.value.limit == 64 * 2**20
    assert len(list(events(httpx_sse, body()))) == 3


def test_the_events_of_the_chunk_that_breaks_the_limit_come_first() -> None:
    chunk = b"data: a\n\ndata: " + b"x" * (64 * 2**20 + 1) + b"\n\n"
    found = events(ours, iter([chunk]))
    assert next(found).data == "a"
    with pytest.raises(EventTooLarge):
        next(found)

    async def body() -> AsyncIterator[bytes]:
        yield chunk

    async def read() -> None:
        found = ours.EventSource(httpx.Response(200, headers=EVENT_STREAM, content=body())).aiter_sse()
        assert (await anext(found)).data == "a"
        with pytest.raises(EventTooLarge):
            await anext(found)

    asyncio.run(read())


def test_bad_json_raises_a_subclass_of_what_the_original_raises() -> None:
    with pytest.raises(json.JSONDecodeError) as original:
        httpx_sse.ServerSentEvent(data="{oops").json()
    with pytest.raises(EventDecodeError) as caught:
        ours.ServerSentEvent(data="{oops").json()
    assert isinstance(caught.value, type(original.value))
    deep = "[" * 200_000
    with pytest.raises(RecursionError):
        httpx_sse.ServerSentEvent(data=deep).json()
    with pytest.raises(EventTooDeep) as too_deep:
        ours.ServerSentEvent(data=deep).json()
    assert isinstance(too_deep.value, RecursionError)


def test_the_callers_headers_are_left_alone_and_may_have_any_form_that_httpx_takes() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get_list("accept"))
        return httpx.Response(200, headers=EVENT_STREAM, content=b"")

    def ask(module: Any, headers: Any) -> None:
        client = httpx.Client(transport=httpx.MockTransport(answer))
        with client, module.connect_sse(client, "GET", "http://test", headers=headers):
            pass

    seen: list[list[str]] = []
    for module, left in ((httpx_sse, {"accept", "Accept", "Cache-Control"}), (ours, {"accept"})):
        headers = {"accept": "text/html"}
        ask(module, headers)
        assert set(headers) == left
    assert seen == [["text/html", "text/event-stream"], ["text/event-stream"]]

    odd: Any
    for odd in (None, [("accept", "text/html")]):
        with pytest.raises(TypeError):
            ask(httpx_sse, odd)
        ask(ours, odd)
        assert seen[-1] == ["text/event-stream"]


def test_the_line_decoder_refuses_what_is_more_than_a_line() -> None:
    original, decoder = httpx_sse._decoders.SSEDecoder(), ours.SSEDecoder()
    for line in ("data: a\n", "data: a\r\n", "data: a\rdata: b", "\n"):
        assert original.decode(line) is None
        with pytest.raises(ValueError, match="one line"):
            decoder.decode(line)


def test_the_message_of_sse_error_is_worded_otherwise() -> None:
    messages = []
    for module in (httpx_sse, ours):
        with pytest.raises(module.SSEError) as caught:
            next(events(module, iter([b""]), "text/html"))
        messages.append(str(caught.value))
    assert messages[0] != messages[1]
    assert all("'text/html'" in text for text in messages)


def test_events_with_the_same_fields_are_equal() -> None:
    for module, equal in ((httpx_sse, False), (ours, True)):
        one, other = module.ServerSentEvent(data="d", id="i"), module.ServerSentEvent(data="d", id="i")
        assert (one == other, hash(one) == hash(other)) == (equal, equal)


@pytest.mark.skipif(build_info()["backend"] == "pure", reason="the twin takes anything, as the original does")
def test_an_event_made_by_hand_checks_its_types() -> None:
    for arguments, error in (({"data": 1}, TypeError), ({"retry": -1}, OverflowError)):
        httpx_sse.ServerSentEvent(**arguments)  # type: ignore[arg-type]
        with pytest.raises(error):
            ours.ServerSentEvent(**arguments)  # type: ignore[arg-type]


def test_names_that_are_private_in_the_original_are_not_there() -> None:
    for name in ("__version__", "_api", "_decoders", "_models"):
        assert hasattr(httpx_sse, name)
        assert not hasattr(ours, name)
