"""One attempt: whatever a server answers is an outcome, never an exception."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from eugpt_fast.batch import Line, Options, Outcome, complete_all
from eugpt_fast.batch.chat import asking_for_usage
from eugpt_fast.testing import Fault, ReplayServer, Reply, damage, openai_stream, tool_call_stream

RESPONSES, CHAT = "/v1/responses", "/v1/chat/completions"


def attempted(reply: Reply, url: str = RESPONSES, **body: Any) -> tuple[Outcome, dict[str, Any]]:
    """The outcome, and the body that the server got."""
    with ReplayServer(reply) as server:
        options = Options(base_url=server.url, api_key="key", attempts=1)
        [(_, outcome)] = asyncio.run(complete_all([Line(1, "a", url, body)], options))
        return outcome, json.loads(server.requests[0].body)


def whole(body: bytes | dict[str, Any], **headers: str) -> Reply:
    said = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(said, headers={"content-type": "application/json", **headers})


def finished(reason: str) -> dict[str, Any]:
    return {"object": "chat.completion", "choices": [{"index": 0, "finish_reason": reason, "message": {}}]}


def broken(message: Any = "no", **error: Any) -> dict[str, Any]:
    return {"error": {"message": message, **error}}


@pytest.mark.parametrize(
    ("body", "verdict", "code", "retryable"),
    [
        ({"object": "response", "status": "completed", "error": None}, "completed", None, False),
        ({"object": "response", "status": "incomplete"}, "incomplete", None, False),
        ({"object": "response", "status": "failed", **broken(code="server_error")}, "failed", "server_error", True),
        ({"object": "response", "status": "cancelled"}, "cancelled", "cancelled", False),
        (finished("stop"), "completed", None, False),
        (finished("length"), "incomplete", None, False),
        (finished("content_filter"), "incomplete", None, False),
        ({"choices": 7}, "completed", None, False),
        (broken(code=429), "error", "429", True),
        (b'{"object":', "error", "JSONDecodeError", True),
        (b"\xff", "error", "UnicodeDecodeError", True),
        (b"[]", "error", "error", True),
    ],
)
def test_an_answer_in_one_piece_has_a_verdict_too(
    body: bytes | dict[str, Any], verdict: str, code: str | None, retryable: bool
) -> None:
    outcome, _ = attempted(whole(body), CHAT if isinstance(body, dict) and "choices" in body else RESPONSES)
    assert (outcome.verdict, outcome.retryable) == (verdict, retryable)
    assert (outcome.error[0] if outcome.error else None) == code
    assert outcome.body == (body if isinstance(body, dict) else None)


def test_integers_of_any_size_in_an_answer_stay_exact() -> None:
    outcome, _ = attempted(whole(b'{"object":"response","big":18446744073709551617}'))
    assert outcome.body == {"object": "response", "big": 2**64 + 1}


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("content_type", ["application/json", "text/event-stream"])
def test_an_answer_that_cannot_be_decompressed_is_an_outcome(status: int, content_type: str) -> None:
    headers = {"content-encoding": "gzip", "content-type": content_type}
    outcome, _ = attempted(Reply(b"this is no gzip", status=status, headers=headers))
    assert not outcome.ok
    assert outcome.retryable == (status == 200)


@pytest.mark.parametrize(
    ("said", "code", "message", "body"),
    [
        (b'{"error":{"code":"c","message":"m"},"more":[1,{"a":"key"}]}', "c", "m", True),
        (b'{"error":{"type":"t"}}', "t", "", True),
        (b'{"detail":"no"}', "400", '{"detail":"no"}', True),
        (b'"no"', "400", '"no"', False),
        (b"<html>key</html>", "400", "<html>[api key]</html>", False),
        (b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}", "400", '{"a":' + "[" * 1995, False),
        (b'{"a":"' + b"x" * 70_000 + b'"}', "400", '{"a":"' + "x" * 1994, False),
    ],
)
def test_what_a_refusal_says_is_kept_without_the_key(said: bytes, code: str, message: str, body: bool) -> None:
    outcome, _ = attempted(Reply(said, status=400, headers={"content-type": "application/json"}))
    assert (outcome.verdict, outcome.status_code, outcome.error) == ("refused", 400, (code, message))
    assert outcome.body == (json.loads(said.replace(b'"key"', b'"[api key]"')) if body else None)


def test_what_a_failed_response_says_is_kept() -> None:
    failed = {"id": "r", "object": "response", "status": "failed", "error": {"code": "server_error", "message": "key"}}
    event = {"type": "response.failed", "response": failed}
    outcome, _ = attempted(Reply(b"data: %b\n\n" % json.dumps(event).encode()))
    assert outcome.verdict == "failed"
    assert outcome.body == {**failed, "error": {"code": "server_error", "message": "[api key]"}}


def test_calls_are_whole_also_where_the_final_response_leaves_them_out() -> None:
    body = tool_call_stream(10).body
    *events, last = body.strip().split(b"\n\n")
    name, data = last.split(b"\n")
    final = json.loads(data.removeprefix(b"data: "))
    calls, final["response"]["output"] = final["response"]["output"], []
    changed = b"\n\n".join([*events, name + b"\ndata: " + json.dumps(final).encode(), b""])
    outcome, _ = attempted(Reply(changed))
    assert outcome.body is not None
    assert outcome.body["output"] == calls


def test_the_first_text_comes_before_the_end() -> None:
    outcome, _ = attempted(Reply(damage(openai_stream(5).body, Fault.COMMENTS), pace=0.005))
    assert outcome.time_to_first_text is not None
    assert 0 < outcome.time_to_first_text < outcome.duration


def test_a_chat_is_asked_for_its_usage_unless_the_request_says_otherwise() -> None:
    for given, sent in (
        ({}, {"include_usage": True}),
        ({"stream_options": None}, {"include_usage": True}),
        ({"stream_options": {"include_usage": False, "other": 1}}, {"include_usage": False, "other": 1}),
    ):
        _, body = attempted(whole(finished("stop")), CHAT, **given)
        assert body["stream_options"] == sent
    assert asking_for_usage({"stream_options": "odd"}) == {"stream_options": "odd"}
    _, body = attempted(whole({}), RESPONSES)
    assert "stream_options" not in body


def test_more_choices_than_one_are_waited_for() -> None:
    chunk = {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    reply = Reply(b"data: %b\n\n" % json.dumps(chunk).encode())
    assert attempted(reply, CHAT)[0].verdict == "completed"
    assert attempted(reply, CHAT, n=2)[0].verdict == "interrupted"
