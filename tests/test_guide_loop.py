"""``EventStream`` beside the loop of the API guide, as ``docs/GUIDE-LOOP.md`` tells it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from conftest import random_cuts
from eugpt_fast import EventStream, Verdict, errors
from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream
from test_recorded import RECORDINGS

from benches.guide import guide_events, texts


class Outcome(NamedTuple):
    """The events that a loop was given, and what it raised."""

    events: list[Any]
    error: Exception | None


def outcome(events: Iterable[Any]) -> Outcome:
    got: list[Any] = []
    try:
        got.extend(events)
    except Exception as error:
        return Outcome(got, error)
    return Outcome(got, None)


def guide(chunks: Iterable[bytes]) -> Outcome:
    return outcome(guide_events(texts(chunks)))


def ours(chunks: Iterable[bytes]) -> Outcome:
    return outcome(EventStream(chunks))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_every_recording_gives_the_same_events(recording: Path) -> None:
    body = recording.read_bytes()
    expected = guide([body])
    if expected.error is not None:
        # The end mark of a chat stream is the only thing in the recordings that this loop cannot read.
        assert isinstance(expected.error, json.JSONDecodeError)
        assert expected.error.doc == "[DONE]"
        assert body.rstrip().endswith(b"data: [DONE]")
    for chunks in ([body], *random_cuts(body, recording.name)):
        assert guide(chunks).events == expected.events
        found = ours(chunks)
        assert found.events == expected.events
        assert list(map(list, found.events)) == list(map(list, expected.events))  # the order of keys too
        # What is raised is the verdict, which comes after the events.
        assert found.error is None or isinstance(found.error, errors.StreamError)


def event(text: str = "a", **fields: Any) -> dict[str, Any]:
    return {"type": "response.output_text.delta", "delta": text, **fields}


COMPLETED = {"type": "response.completed", "response": {"status": "completed"}}


def stream(*events: dict[str, Any], end: str = "\n", field: str = "data: ") -> bytes:
    lines = (f"{field}{json.dumps(each, ensure_ascii=False)}{end}{end}" for each in events)
    return "".join(lines).encode()


class Break(NamedTuple):
    """A stream that is well-formed by the standard, and what the guide's loop makes of it. We read all of it."""

    body: bytes
    guide_events: list[dict[str, Any]]
    guide_raises: type[Exception] | None
    events: list[dict[str, Any]]


WHOLE = [event("a"), event("b"), COMPLETED]
SEPARATED = [event("a\u2028b\u2029c\x85d"), COMPLETED]
BREAKS = {
    "U+2028, U+2029 or U+0085 in the JSON": Break(stream(*SEPARATED), [], json.JSONDecodeError, SEPARATED),
    "lines that end in CRLF": Break(stream(*WHOLE, end="\r\n"), [], None, WHOLE),
    "lines that end in CR": Break(stream(*WHOLE, end="\r"), [], None, WHOLE),
    "no space behind `data:`": Break(stream(*WHOLE, field="data:"), [], None, WHOLE),
    "a leading BOM": Break(b"\xef\xbb\xbf" + stream(*WHOLE), WHOLE[1:], None, WHOLE),
    "JSON over several data lines": Break(
        b'data: {"type":\ndata: "response.completed"}\n\n', [], json.JSONDecodeError, [{"type": "response.completed"}]
    ),
    "an end mark": Break(stream(*WHOLE) + b"data: [DONE]\n\n", WHOLE, json.JSONDecodeError, WHOLE),
}


@pytest.mark.parametrize("broken", BREAKS.values(), ids=BREAKS)
def test_what_breaks_the_guides_loop_is_read(broken: Break) -> None:
    events, error = guide([broken.body])
    assert events == broken.guide_events
    assert (None if error is None else type(error)) is broken.guide_raises
    assert (events, error) != (broken.events, None)
    for chunks in ([broken.body], [broken.body[at : at + 1] for at in range(len(broken.body))]):
        assert ours(chunks) == Outcome(broken.events, None)


def test_a_stream_that_was_cut_raises_where_the_guides_loop_ends_as_if_all_were_well() -> None:
    between, inside = stream(*WHOLE[:2]), stream(*WHOLE)[:-1]
    for body, inside_event in ((between, False), (inside, True)):
        assert guide([body]) == Outcome(WHOLE[:2], None)
        events, error = ours([body])
        assert events == WHOLE[:2]
        assert isinstance(error, errors.StreamInterrupted)
        assert error.inside_event == inside_event


@pytest.mark.parametrize(
    ("terminal", "error"),
    [
        ({"type": "error", "code": "server_error", "message": "no"}, errors.ResponseError),
        ({"type": "response.failed", "response": {"error": {"code": "x"}}}, errors.ResponseFailed),
        ({"type": "response.cancelled", "response": {}}, errors.ResponseCancelled),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_bad_end_raises_after_its_event(terminal: dict[str, Any], error: type[Exception]) -> None:
    body = stream(event(), terminal)
    assert guide([body]) == Outcome([event(), terminal], None)
    events, raised = ours([body])
    assert events == [event(), terminal]
    assert type(raised) is error


def test_a_bad_event_is_the_error_that_it_was_and_the_rest_is_not_lost() -> None:
    body = stream(event("a")) + b"data: {oops\n\n" + stream(event("b"), COMPLETED)
    before, raised = guide([body])
    events = EventStream([body])
    first = outcome(events)
    assert first.events == before == [event("a")]
    assert isinstance(first.error, json.JSONDecodeError)
    assert isinstance(raised, json.JSONDecodeError)
    assert (first.error.msg, first.error.doc, first.error.pos) == (raised.msg, raised.doc, raised.pos)
    assert outcome(events) == Outcome([event("b"), COMPLETED], None)
    assert events.verdict is Verdict.COMPLETED


def test_a_broken_connection_is_an_interruption_caused_by_what_httpx_raised() -> None:
    reply = Reply(openai_stream(20).body, fault=Fault.BROKEN_CHUNK)
    with ReplayServer([reply, reply]) as server:
        with httpx.stream("POST", server.url) as response:
            expected = outcome(guide_events(response.iter_text()))
        with httpx.stream("POST", server.url) as response:
            found = outcome(EventStream(response))
    assert found.events == expected.events
    assert isinstance(expected.error, httpx.RemoteProtocolError)
    assert isinstance(found.error, errors.StreamInterrupted)
    assert type(found.error.__cause__) is type(expected.error)


def responses(body: bytes, content_type: str) -> Iterator[httpx.Response]:
    for _ in range(2):
        yield httpx.Response(200, headers={"content-type": content_type}, content=body)


def test_a_page_in_place_of_a_stream_raises_where_the_guides_loop_sees_no_event() -> None:
    for_guide, for_us = responses(b"<html>sign in</html>", "text/html")
    assert outcome(guide_events(for_guide.iter_text())) == Outcome([], None)
    events, error = outcome(EventStream(for_us))
    assert events == []
    assert isinstance(error, errors.UnexpectedResponse)


def test_the_stream_is_utf_8_whatever_the_content_type_says() -> None:
    for_guide, for_us = responses(stream(event("é"), COMPLETED), "text/event-stream; charset=iso-8859-1")
    assert outcome(guide_events(for_guide.iter_text())).events == [event("Ã©"), COMPLETED]
    assert outcome(EventStream(for_us)) == Outcome([event("é"), COMPLETED], None)


def test_an_event_beyond_the_limit_is_an_error_and_the_rest_is_not_lost() -> None:
    body = stream(event("a"), event("b" * 100), COMPLETED)
    events = EventStream([body], max_event_size=100)
    first = outcome(events)
    assert first.events == [event("a")]
    assert isinstance(first.error, errors.EventTooLarge)
    assert outcome(events) == Outcome([COMPLETED], None)
    assert guide([body]) == Outcome([event("a"), event("b" * 100), COMPLETED], None)


def test_leaving_the_loop_closes_the_response() -> None:
    body = openai_stream(20).body
    with ReplayServer([body, body]) as server, httpx.Client() as client:
        for events_of, closed in ((lambda response: guide_events(response.iter_text()), False), (EventStream, True)):
            with client.stream("POST", server.url) as response:
                for _ in events_of(response):
                    break
                assert response.is_closed is closed
