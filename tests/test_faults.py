"""Every fault of the replay server, over real sockets, through every door: events first, then the verdict."""

import json
from typing import Any, cast

import httpx
import httpx2
import pytest
import requests
from doors import COLLECTING, DOORS, Reading, read_async_iterable, read_httpx, read_iterable, read_requests
from eugpt_fast import Parser, Verdict, errors
from eugpt_fast.testing import Fault, Framing, ReplayServer, Reply, chunking, damage, openai_stream

STREAM = openai_stream(20)
HALF = STREAM.events // 2


def replay(door: Any, reply: Reply) -> Reading:
    with ReplayServer(reply) as server:
        found: Reading = door(server.url + "/v1/responses", reply)
        return found


def events_of(body: bytes) -> list[Any]:
    return Parser().feed(body)


def text_of(events: list[Any]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


@pytest.fixture(params=DOORS, ids=lambda door: door.__name__)
def door(request: pytest.FixtureRequest) -> Any:
    return request.param


def check(reading: Reading, door: Any, expected: list[Any]) -> None:
    if door not in COLLECTING:
        assert reading.events == expected
    assert reading.stream.text == text_of(expected)
    assert reading.stream.metrics.events == len(expected)
    assert reading.stream.last_sequence_number == expected[-1]["sequence_number"]
    assert reading.stream.response_id == expected[0]["response"]["id"]


GOOD = {
    "plain": Reply(STREAM.body),
    "content-length": Reply(STREAM.body, framing=Framing.LENGTH),
    "close": Reply(STREAM.body, framing=Framing.CLOSE),
    "gzip": Reply(STREAM.body, gzip=True),
    "7 bytes a chunk": Reply(STREAM.body, chunking=chunking.every(7)),
    "whole": Reply(STREAM.body, chunking=chunking.whole),
    "mid-CRLF": Reply(damage(STREAM.body, Fault.CRLF), chunking=chunking.mid_crlf),
    **{
        fault.value: Reply(STREAM.body, fault=fault)
        for fault in (Fault.COMMENTS, Fault.KEEPALIVE_EVENTS, Fault.DONE, Fault.BOM, Fault.CRLF)
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_a_whole_stream_is_completed(door: Any, name: Any) -> None:
    reply = GOOD[name]
    reading = replay(door, reply)
    expected = events_of(damage(STREAM.body, reply.fault) if reply.fault else STREAM.body)
    assert reading.error is None
    assert reading.stream.verdict == "completed"
    assert reading.stream.verdict is Verdict.COMPLETED
    assert reading.stream.response == expected[-1]["response"]
    assert reading.stream.text == STREAM.text
    check(reading, door, expected)
    metrics = reading.stream.metrics
    assert (metrics.gaps, metrics.repeats, metrics.reorders) == (0, 0, 0)


def test_no_time_of_a_stream_is_before_the_one_it_follows(door: Any) -> None:
    metrics = replay(door, Reply(STREAM.body)).stream.metrics
    assert 0 <= metrics.time_to_first_byte <= metrics.time_to_first_event <= metrics.time_to_first_text
    assert metrics.time_to_first_text <= metrics.duration


CUTS = {
    "no terminal event": (Reply(STREAM.body, fault=Fault.NO_TERMINAL), False, type(None)),
    "cut in an event": (Reply(STREAM.body, fault=Fault.CUT_IN_EVENT), True, errors.EventTruncated),
    "reset": (Reply(STREAM.body, fault=Fault.RESET), False, (OSError, httpx.ReadError, httpx2.ReadError)),
    "broken chunk": (
        Reply(STREAM.body, fault=Fault.BROKEN_CHUNK),
        True,
        (httpx.RemoteProtocolError, httpx2.RemoteProtocolError, requests.RequestException),
    ),
    "silence": (Reply(STREAM.body, fault=Fault.STALL), False, (TimeoutError, httpx.ReadTimeout)),
    "only comments": (Reply(STREAM.body, fault=Fault.STALL_COMMENTS), False, TimeoutError),
    "no terminal event, then [DONE]": (
        Reply(damage(STREAM.body, Fault.NO_TERMINAL, HALF) + b"data: [DONE]\n\n"),
        False,
        type(None),
    ),
}


@pytest.mark.parametrize("name", CUTS)
def test_a_stream_without_a_terminal_event_is_interrupted(door: Any, name: Any) -> None:
    reply, inside_event, cause = CUTS[name]
    if door is read_requests:
        inside_event &= name != "broken chunk"  # requests withholds the part of a broken chunk
    reading = replay(door, reply)
    expected = events_of(STREAM.body)[:HALF]
    assert isinstance(reading.error, errors.StreamInterrupted)
    assert reading.stream.verdict is reading.error.verdict is Verdict.INTERRUPTED
    assert reading.error.retryable
    assert reading.error.inside_event is inside_event
    assert isinstance(reading.error.__cause__, cast(type, cause))
    assert reading.error.text == text_of(expected)
    assert reading.error.last_sequence_number == expected[-1]["sequence_number"]
    assert reading.error.response_id == expected[0]["response"]["id"]
    assert reading.stream.response is None
    check(reading, door, expected)


@pytest.mark.parametrize("fault", [Fault.ERROR_FLAT, Fault.ERROR_NESTED])
def test_an_error_event_raises_with_what_it_says(door: Any, fault: Any) -> None:
    reading = replay(door, Reply(STREAM.body, fault=fault))
    assert isinstance(reading.error, errors.ResponseError)
    assert reading.stream.verdict is reading.error.verdict is Verdict.ERROR
    assert reading.error.code == "server_error"
    assert str(reading.error.message) in str(reading.error)
    assert reading.error.param is None
    assert reading.error.retryable
    check(reading, door, events_of(damage(STREAM.body, fault)))


def test_a_failed_response_raises_with_what_it_says(door: Any) -> None:
    reading = replay(door, Reply(STREAM.body, fault=Fault.FAILED))
    assert isinstance(reading.error, errors.ResponseFailed)
    assert reading.stream.verdict is reading.error.verdict is Verdict.FAILED
    assert reading.error.code == "server_error"
    check(reading, door, events_of(damage(STREAM.body, Fault.FAILED)))


def test_an_incomplete_response_returns_quietly_and_says_so(door: Any) -> None:
    reading = replay(door, Reply(STREAM.body, fault=Fault.INCOMPLETE))
    assert reading.error is None
    assert reading.stream.verdict is Verdict.INCOMPLETE
    assert reading.stream.response["status"] == "incomplete"
    check(reading, door, events_of(damage(STREAM.body, Fault.INCOMPLETE)))


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.RESET, None), (Fault.BROKEN_CHUNK, None), (Fault.STALL, None), (Fault.CUT_IN_EVENT, None)],
)
def test_what_happens_behind_the_terminal_event_changes_nothing(door: Any, fault: Any, status: Any) -> None:
    tail = b'data: {"type":"keepalive","sequence_number":900}\n\n'
    reply = Reply(STREAM.body + tail, fault=fault, after_events=STREAM.events)
    if door is read_iterable and fault is Fault.STALL:
        pytest.skip("nobody can wake a blocked iterable but the transport")
    reading = replay(door, reply)
    assert reading.error is None
    assert reading.stream.verdict is Verdict.COMPLETED
    check(reading, door, events_of(STREAM.body))


REFUSALS = {
    "a JSON error": (Reply.error(400, message="bad model"), 400, "bad model"),
    "an HTML page": (Reply.html(502), 502, "Bad Gateway"),
    "an HTML page with status 200": (Reply.html(200), 200, "<html>"),
    "a rate limit": (Reply.error(429, retry_after=1), 429, "Too Many"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_is_no_event_stream_is_told_with_its_status_and_body(door: Any, name: Any) -> None:
    if door in (read_iterable, read_async_iterable):
        pytest.skip("an iterable of bytes has no head")
    reply, status, said = REFUSALS[name]
    with pytest.raises(errors.UnexpectedResponse) as caught:
        replay(door, reply)
    assert caught.value.status == status
    assert said in caught.value.body
    assert said in str(caught.value)
    assert str(status) in str(caught.value)


def test_a_huge_wrong_answer_is_not_read_to_its_end() -> None:
    body = json.dumps({"error": "x" * 5_000_000}).encode()
    reply = Reply(body, status=500, headers={"content-type": "application/json"}, chunking=chunking.every(65536))
    with pytest.raises(errors.UnexpectedResponse) as caught:
        replay(read_httpx, reply)
    assert len(caught.value.body) <= 2048
