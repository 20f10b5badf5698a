"""Chat completion chunks: what they make together, beside the official SDK, and how they ended."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import eugpt_fast
import httpx
import openai
import pytest
from conftest import random_cuts
from eugpt_fast._backend import HAS_TRANSPORT
from eugpt_fast.batch.chat import ChatReader
from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream

HERE = Path(__file__).parent
SHARED = HERE.parent.parent.parent / "shared" / "streams" / "recorded"  # absent on most machines
DONE = b"data: [DONE]\n\n"


def sse(*events: Any) -> bytes:
    return b"".join(e if isinstance(e, bytes) else b"data: %b\n\n" % json.dumps(e).encode() for e in events)


def chunk(*choices: dict[str, Any], **fields: Any) -> dict[str, Any]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1760801489, "model": "m"}
    return {**head, "choices": list(choices), **fields}


def delta(finish_reason: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"index": index, "delta": fields, "logprobs": None, "finish_reason": finish_reason}


def said(*words: str, finish_reason: str | None = "stop", **fields: Any) -> list[dict[str, Any]]:
    """The chunks of an answer of one choice."""
    deltas = [delta(role="assistant", content="", refusal=None), *(delta(content=word) for word in words)]
    return [chunk(each, **fields) for each in (*deltas, delta(finish_reason))]


def token(text: str) -> dict[str, Any]:
    return {"token": text, "logprob": -0.25, "bytes": list(text.encode()), "top_logprobs": []}


def call(index: int, arguments: str, **fields: Any) -> dict[str, Any]:
    return {"index": index, "function": {"arguments": arguments, **fields.pop("function", {})}, **fields}


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
STREAMS = {
    "text": [*said("Hel", "lo", ""), chunk(usage=USAGE), DONE],
    "unicode": [*said("\u2028\x85 日本", "🙂"), DONE],
    "fields of the server": [*said("Hi", service_tier="default", system_fingerprint="fp_1"), DONE],
    "length": [*said("Hi", finish_reason="length"), DONE],
    "refusal": [chunk(delta(role="assistant", refusal="I can")), chunk(delta("stop", refusal="not")), DONE],
    "two choices, mixed": [
        chunk(delta(role="assistant", content="A")),
        chunk(delta(index=1, role="assistant", content="B")),
        chunk(delta(content="a"), delta(index=1, content="b")),
        chunk(delta("stop", index=1)),
        chunk(delta("length")),
        DONE,
    ],
    "parallel calls": [
        chunk(delta(role="assistant", content=None)),
        chunk(delta(tool_calls=[call(0, "", id="call_a", type="function", function={"name": "search"})])),
        chunk(delta(tool_calls=[call(0, '{"q":')])),
        chunk(delta(tool_calls=[call(1, "", id="call_b", type="function", function={"name": "open"})])),
        chunk(delta(tool_calls=[call(1, "{}"), call(0, '"x"}')])),
        chunk(delta("tool_calls")),
        DONE,
    ],
    "function call": [
        chunk(delta(role="assistant", content=None, function_call={"name": "f", "arguments": ""})),
        chunk(delta(function_call={"arguments": '{"a"'})),
        chunk(delta(function_call={"arguments": ":1}"})),
        chunk(delta("function_call")),
        DONE,
    ],
    "logprobs": [
        chunk({**delta(role="assistant", content="a"), "logprobs": {"content": [token("a")], "refusal": None}}),
        chunk({**delta(content="bc"), "logprobs": {"content": [token("b"), token("c")], "refusal": None}}),
        chunk(delta("stop")),
        DONE,
    ],
    "reasoning": [
        chunk(delta(role="assistant", reasoning_content="We")),
        chunk(delta(reasoning_content=" think", content="Hi")),
        chunk(delta("stop")),
    ],
}

TRANSPORTS = [None, *([eugpt_fast.AsyncTransport] if HAS_TRANSPORT else [])]


async def chunks_of(pieces: Iterable[bytes], failure: Exception | None = None) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
    if failure is not None:
        raise failure


def read(*pieces: bytes, failure: Exception | None = None, **options: Any) -> ChatReader:
    reader = ChatReader(**options)
    asyncio.run(reader.read(chunks_of(pieces, failure)))
    return reader


def over_http(reply: Reply, transport: Any, **options: Any) -> ChatReader:
    async def main(url: str) -> ChatReader:
        reader = ChatReader(**options)
        async with (
            httpx.AsyncClient(transport=transport and transport()) as client,
            client.stream("POST", url) as response,
        ):
            await reader.read(response)
        return reader

    with ReplayServer(reply) as server:
        return asyncio.run(main(server.url))


def sdk_completion(body: bytes) -> dict[str, Any]:
    """What the SDK's helper makes of the same bytes."""
    with (
        ReplayServer(body) as server,
        openai.OpenAI(api_key="none", base_url=server.url + "/v1") as client,
        client.chat.completions.stream(model="m", messages=[]) as stream,
    ):
        try:
            completion = stream.get_final_completion()
        except openai.LengthFinishReasonError as error:
            completion = error.completion  # type: ignore[assignment]
        return completion.to_dict(mode="json", warnings=False)


def stated(value: Any) -> Any:
    """Without what says nothing: null, and what only the SDK adds or only streams have."""
    if isinstance(value, dict):
        kept = {name: stated(each) for name, each in value.items() if name not in ("parsed", "parsed_arguments")}
        return {name: each for name, each in kept.items() if each is not None}
    return [stated(each) for each in value] if isinstance(value, list) else value


def without_index(completion: dict[str, Any]) -> dict[str, Any]:
    for choice in completion["choices"]:
        for each in choice["message"].get("tool_calls") or ():
            each.pop("index", None)
    return completion


@pytest.mark.parametrize("events", STREAMS.values(), ids=STREAMS)
def test_a_completion_is_that_of_the_sdk_under_any_cut(events: list[Any]) -> None:
    body = sse(*events)
    expected = stated(without_index(sdk_completion(body)))
    for pieces in ([body], *random_cuts(body, "chat")):
        reader = read(*pieces, n=len({choice["index"] for event in events[:-1] for choice in event["choices"]}))
        assert stated(reader.body) == expected
        assert reader.verdict == ("incomplete" if b'"length"' in body else "completed")
        assert reader.error is None


def recorded(name: str) -> bytes:
    path = SHARED / name
    if not path.exists():
        pytest.skip("the shared recordings are not here")
    return path.read_bytes()


def test_a_recorded_answer_is_the_completion_of_the_sdk_and_the_fields_that_it_drops() -> None:
    body = recorded("deepseek_reasoning_azure_vercel.sse")
    expected = stated(sdk_completion(body))
    expected["choices"][0]["matched_stop"] = 1  # of the last chunk: the SDK looks at the first
    for pieces in ([body], *random_cuts(body, "deepseek")):
        reader = read(*pieces)
        assert stated(reader.body) == expected
        assert (reader.verdict, (reader.usage or {})["total_tokens"]) == ("completed", 1739)


def test_a_recorded_error_among_chunks_is_one_although_a_choice_has_finished() -> None:
    reader = read(recorded("chat_openrouter_comments.sse"))
    assert (reader.verdict, reader.retryable) == ("error", False)
    assert reader.error == ("400", "the stream ended with an error event: [400] Token limit reached")
    [choice] = reader.body["choices"]
    assert (choice["finish_reason"], choice["message"]["role"]) == ("length", "assistant")
    assert choice["message"]["reasoning"] == "We need to respond to a greeting. The user"
    [details] = choice["message"]["reasoning_details"]
    assert details["text"] == choice["message"]["reasoning"]


def test_the_body_is_that_of_the_endpoint() -> None:
    reader = read(sse(*said("Hel", "lo"), chunk(usage=USAGE), DONE))
    message = {"role": "assistant", "content": "Hello", "refusal": None}
    assert reader.body == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1760801489,
        "model": "m",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": USAGE,
    }
    assert (reader.text, reader.usage, reader.events) == ("Hello", USAGE, 5)


def test_a_tool_call_has_no_index_and_keeps_its_name_that_every_delta_repeats() -> None:
    part = {"id": "call_a", "type": "function", "function": {"name": "search"}}
    calls = [chunk(delta(tool_calls=[call(0, piece, **part)])) for piece in ('{"a"', ":1}")]
    [choice] = read(sse(*calls, chunk(delta("tool_calls")))).body["choices"]
    function = {"name": "search", "arguments": '{"a":1}'}
    assert choice["message"]["tool_calls"] == [{"id": "call_a", "type": "function", "function": function}]


def test_choices_and_calls_are_in_the_order_of_their_index() -> None:
    late = chunk(delta("stop", index=1, content="B"), delta("stop", tool_calls=[call(1, "b"), call(0, "a")]))
    first, second = read(sse(late), n=2).body["choices"]
    assert [each["function"]["arguments"] for each in first["message"]["tool_calls"]] == ["a", "b"]
    assert second["message"]["content"] == "B"


def test_empty_names_before_and_after_the_answer_name_nothing() -> None:
    filters = {**chunk({"index": 0, "content_filter_results": {"hate": {"severity": "safe"}}}), "object": ""}
    nameless = {"id": "", "created": 0, "model": ""}
    before = chunk(prompt_filter_results=[{"prompt_index": 0}], **nameless)
    body = read(sse(before, *said("Hi"), {**filters, **nameless}, {**filters, **nameless})).body
    assert (body["id"], body["created"], body["model"]) == ("chatcmpl-1", 1760801489, "m")
    assert body["prompt_filter_results"] == [{"prompt_index": 0}]
    assert body["choices"][0]["content_filter_results"] == {"hate": {"severity": "safe"}}


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_choice_that_was_cut_short_makes_the_answer_incomplete(reason: str) -> None:
    both = chunk(delta("stop", content="a"), delta(reason, index=1, content="b"))
    assert read(sse(both), n=2).verdict == "incomplete"


def test_every_cut_before_the_last_choice_has_finished_is_an_interruption() -> None:
    body = sse(*said("Hel", "lo"), DONE)
    finished = body.index(DONE)
    for at in range(finished):
        reader = read(body[:at])
        assert (reader.verdict, reader.retryable) == ("interrupted", True)
        assert "Hello".startswith(reader.text)
    assert read(body[:finished]).verdict == "completed"


def test_a_choice_that_never_came_is_missed() -> None:
    body = sse(*said("Hello"), DONE)
    assert read(body, n=2).verdict == "interrupted"


def test_a_mark_at_the_end_finishes_nothing() -> None:
    reader = read(sse(*said("Hello", finish_reason=None), DONE))
    assert (reader.verdict, reader.text) == ("interrupted", "Hello")
    assert reader.error is not None
    assert reader.error[0] == "interrupted"


def test_a_connection_that_breaks_costs_nothing_once_all_is_said() -> None:
    body = sse(*said("Hello"))
    assert read(body, failure=ConnectionResetError("reset")).verdict == "completed"
    reader = read(body[:-40], failure=ConnectionResetError("reset"))
    assert reader.verdict == "interrupted"
    assert reader.error is not None
    assert "ConnectionResetError: reset" in reader.error[1]


@pytest.mark.parametrize(
    ("error", "told", "retryable"),
    [
        ({"code": "rate_limit_exceeded", "message": "Slow down"}, "rate_limit_exceeded", True),
        ({"code": 503, "message": "Busy"}, "503", True),
        ({"code": "invalid_prompt", "message": "No"}, "invalid_prompt", False),
        ("It broke", "error", False),
    ],
)
def test_an_error_object_is_the_verdict_and_its_code_says_whether_to_repeat(
    error: Any, told: str, retryable: bool
) -> None:
    for events in ([chunk(delta(content="Hel")), {"error": error}], [*said("Hi"), chunk(error=error)]):
        reader = read(sse(*events, DONE))
        assert (reader.verdict, reader.retryable) == ("error", retryable)
        assert reader.error is not None
        assert reader.error[0] == told
        assert "error" not in reader.body


def test_what_is_no_chunk_is_counted_and_changes_nothing() -> None:
    odd: list[Any] = [
        1,
        None,
        [],
        {"choices": None},
        {"choices": {"a": 1}},
        {"choices": [7, None]},
        {"type": "keepalive"},
    ]
    odd += [chunk({"index": "x", "delta": "y", "logprobs": "z", "finish_reason": None})]
    reader = read(sse(*odd, *said("Hi")))
    assert (reader.verdict, reader.text, reader.events) == ("completed", "Hi", len(odd) + 3)


@pytest.mark.parametrize(
    ("reply", "verdict", "code"),
    [
        (Reply(sse(*said("Hel", "lo")), fault=Fault.RESET, after_events=2), "interrupted", "interrupted"),
        (Reply(sse(*said("Hel", "lo")), fault=Fault.BROKEN_CHUNK, after_events=2), "interrupted", "interrupted"),
        (Reply(sse(*said("Hel", "lo")), fault=Fault.STALL_COMMENTS, after_events=2), "interrupted", "interrupted"),
        (Reply.html(200), "error", "UnexpectedResponse"),
        (Reply(b"data: {oops\n\n" + sse(*said("Hi"))), "error", "EventDecodeError"),
        (Reply(openai_stream(3).body), "interrupted", "interrupted"),
    ],
)
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_faults_of_the_connection_are_told(reply: Reply, verdict: str, code: str, transport: Any) -> None:
    reader = over_http(reply, transport, content_timeout=0.3)
    assert (reader.verdict, reader.retryable) == (verdict, True)
    assert reader.error is not None
    assert reader.error[0] == code
    assert reader.text in ("", "Hel")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_answer_over_http_is_whole_and_timed(transport: Any) -> None:
    reader = over_http(Reply(sse(*said("Hel", "lo"), chunk(usage=USAGE), DONE), pace=0.02), transport)
    assert (reader.verdict, reader.text, reader.usage) == ("completed", "Hello", USAGE)
    assert reader.time_to_first_text is not None
    assert reader.time_to_first_text > 0.0


def test_a_server_that_never_ends_its_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eugpt_fast.batch.chat._DRAIN", 0.1)
    reader = over_http(Reply(sse(*said("Hello")), fault=Fault.STALL, after_events=3), None)
    assert (reader.verdict, reader.text) == ("completed", "Hello")
