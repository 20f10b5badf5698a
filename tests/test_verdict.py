"""Terminal events, in every spelling."""

import json
import pickle
from typing import Any, cast

import pytest
from eugpt_fast import EventStream, Verdict, errors
from eugpt_fast.events import Event


def read(*events: dict[str, Any]) -> tuple[EventStream, Any]:
    stream = EventStream([b"data: " + json.dumps(event).encode() + b"\n\n" for event in events])
    try:
        list(stream)
    except errors.StreamError as error:
        return stream, error
    return stream, None


DELTA = {"type": "response.output_text.delta", "delta": "Hi", "sequence_number": 1}


@pytest.mark.parametrize(
    ("kind", "status", "verdict", "error"),
    [
        ("response.completed", "completed", "completed", None),
        ("response.completed", None, "completed", None),
        ("response.completed", "incomplete", "incomplete", None),
        ("response.completed", "failed", "failed", errors.ResponseFailed),
        ("response.completed", "cancelled", "cancelled", errors.ResponseCancelled),
        ("response.completed", "in_progress", "completed", None),
        ("response.completed", 7, "completed", None),
        ("response.incomplete", "incomplete", "incomplete", None),
        ("response.failed", "failed", "failed", errors.ResponseFailed),
        ("response.cancelled", "cancelled", "cancelled", errors.ResponseCancelled),
        ("response.canceled", None, "cancelled", errors.ResponseCancelled),
    ],
)
def test_a_terminal_event_gives_the_verdict(kind: Any, status: Any, verdict: Any, error: Any) -> None:
    stream, raised = read(DELTA, {"type": kind, "response": {"id": "r", "status": status}})
    assert stream.verdict == verdict
    assert type(raised) is (error or type(None))
    if raised is not None:
        assert (raised.text, raised.last_sequence_number, raised.response_id) == ("Hi", 1, "r")
        assert raised.verdict == verdict


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "code": "c", "message": "m", "param": "p"},
        {"type": "error", "error": {"code": "c", "message": "m", "param": "p"}},
        {"type": "error", "error": {"code": "c", "message": "m", "param": "p", "type": "server_error"}, "code": "x"},
    ],
)
def test_an_error_event_may_be_flat_or_nested(event: Any) -> None:
    stream, raised = read(DELTA, event)
    assert stream.verdict is Verdict.ERROR
    assert isinstance(raised, errors.ResponseError)
    assert (raised.code, raised.message, raised.param) == ("c", "m", "p")
    assert "m" in str(raised)


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "error": "boom"},
        {"type": "response.failed", "response": {"error": "boom"}},
        {"type": "response.failed", "response": {"error": None}, "error": {"message": "boom"}},
    ],
)
def test_an_error_that_is_a_mere_string_or_elsewhere_is_not_lost(event: Any) -> None:
    raised = read(event)[1]
    assert raised.message == "boom"
    assert "boom" in str(raised)


@pytest.mark.parametrize(
    ("code", "retryable"),
    [("server_error", True), ("rate_limit_exceeded", True), (503, True), ("invalid_prompt", False), (None, False)],
)
def test_an_error_says_whether_trying_again_may_help(code: Any, retryable: Any) -> None:
    assert read({"type": "error", "code": code})[1].retryable is retryable
    assert read({"type": "response.failed", "response": {"error": {"code": code}}})[1].retryable is retryable


@pytest.mark.parametrize(
    "kind",
    ["response.mcp_call.failed", "response.mcp_list_tools.failed", "response.output_text.done", "keepalive", "errors"],
)
def test_other_events_end_nothing(kind: Any) -> None:
    stream, raised = read(DELTA, {"type": kind, "response": {"status": "completed"}})
    assert stream.verdict is Verdict.INTERRUPTED
    assert isinstance(raised, errors.StreamInterrupted)


@pytest.mark.parametrize("response", [None, "text", 5, [], {}])
def test_a_terminal_event_without_a_proper_response_still_gives_the_verdict(response: Any) -> None:
    assert read({"type": "response.completed", "response": response})[0].verdict is Verdict.COMPLETED
    assert isinstance(read({"type": "response.failed", "response": response})[1], errors.ResponseFailed)


def test_a_caller_that_changes_the_terminal_event_does_not_change_the_verdict() -> None:
    stream = EventStream([b'data: {"type":"error","message":"m"}\n\n', b": more\n\n"])
    with pytest.raises(errors.ResponseError, match="m"):
        for event in stream:
            cast("dict[str, Any]", event)["type"] = "response.completed"


def test_an_empty_stream_is_interrupted() -> None:
    stream = EventStream([])
    with pytest.raises(errors.StreamInterrupted) as caught:
        list(stream)
    assert (caught.value.text, caught.value.last_sequence_number, caught.value.response_id) == ("", None, None)


def test_every_error_survives_pickling() -> None:
    originals = [
        read(DELTA)[1],
        read({"type": "error", "code": "c", "message": "m"})[1],
        errors.EventDecodeError("msg", "doc", 1, cast("list[Event]", [{"a": 1}])),
        errors.EventTooDeep("msg", "doc", 0),
        errors.EventTooLarge(5, [1]),
        errors.EventTruncated("half"),
        errors.UnexpectedResponse(500, "text/html", "<html>"),
    ]
    for original in originals:
        copy = pickle.loads(pickle.dumps(original))
        assert type(copy) is type(original)
        assert str(copy) == str(original)
        assert vars(copy) == vars(original)
