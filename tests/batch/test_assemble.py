"""The body that the endpoint would have returned without streaming, from the stream."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eugpt_fast import EventStream
from eugpt_fast.batch.assemble import ITEM_DONE, response_body
from eugpt_fast.testing import (
    Fault,
    Generated,
    big_event_stream,
    damage,
    lean_stream,
    openai_stream,
    reasoning_stream,
    tool_call_stream,
    unicode_stream,
)
from openai.types.responses import Response

HERE = Path(__file__).parent
SHARED = HERE.parent.parent.parent / "shared" / "streams" / "recorded"  # absent on most machines
GENERATED = {
    "text": openai_stream(50),
    "unicode": unicode_stream(50),
    "lean": lean_stream(50),
    "tools": tool_call_stream(10),
    "reasoning": reasoning_stream(20),
}
RECORDED = sorted([*HERE.parent.joinpath("data").glob("*.sse"), *SHARED.glob("*.sse")])


def events_of(body: bytes) -> list[Any]:
    return list(EventStream([body]))


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)


def assembled(body: bytes, request: dict[str, Any] | None = None, *, items: bool = False) -> dict[str, Any]:
    whole = [event["item"] for event in events_of(body) if event["type"] == ITEM_DONE] if items else []
    return response_body(EventStream([body]).collect(), request or {}, whole)


def stated(response: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in response.items() if value is not None and name != "output"}


def without_output(body: bytes) -> bytes:
    """The stream, its final response without the output."""
    events = events_of(body)
    events[-1]["response"].pop("output")
    return sse(*events)


@pytest.mark.parametrize("stream", GENERATED.values(), ids=GENERATED)
def test_a_final_response_is_returned_as_it_came(stream: Generated) -> None:
    assert assembled(stream.body, {"model": "other"}) == events_of(stream.body)[-1]["response"]


@pytest.mark.parametrize("stream", [GENERATED[name] for name in ("text", "unicode", "tools", "reasoning")])
def test_finished_items_make_up_for_a_missing_output(stream: Generated) -> None:
    assert assembled(without_output(stream.body), items=True) == events_of(stream.body)[-1]["response"]


@pytest.mark.parametrize("recording", RECORDED, ids=lambda path: path.stem)
def test_recorded_streams_give_their_final_response_with_its_output_and_without(recording: Path) -> None:
    body = recording.read_bytes()
    if b"response.completed" not in body:
        pytest.skip("no Responses stream that ends well")
    final = events_of(body)[-1]["response"]
    assert assembled(body) == final
    if ITEM_DONE.encode() not in body:
        pytest.skip("it has no items")
    found = assembled(without_output(body), items=True)
    # Some servers word an item that is done and the same item of the response differently.
    assert [item["type"] for item in found["output"]] == [item["type"] for item in final["output"]]
    assert Response.construct(**found).output_text == Response.construct(**final).output_text
    assert stated(found) == stated(final)


def test_deltas_make_up_for_missing_items() -> None:
    stream = reasoning_stream(20)
    final = events_of(stream.body)[-1]["response"]
    found = assembled(without_output(stream.body))
    reasoning, message = found["output"]
    assert reasoning == {"type": "reasoning", "summary": final["output"][0]["summary"]}
    assert message["content"] == [{"type": "output_text", "text": stream.text, "annotations": []}]
    assert Response.construct(**found).output_text == stream.text


def test_an_empty_output_beside_text_is_no_output() -> None:
    stream = big_event_stream(1000)
    assert events_of(stream.body)[-1]["response"]["output"] == []
    assert assembled(stream.body)["output"][0]["content"][0]["text"] == stream.text


def test_an_empty_output_beside_nothing_stays() -> None:
    final = {"id": "r", "status": "completed", "output": []}
    assert assembled(sse({"type": "response.completed", "response": final})) == final


def test_arguments_of_calls_keep_their_ids_and_order() -> None:
    body = without_output(tool_call_stream(6).body)
    final = events_of(tool_call_stream(6).body)[-1]["response"]
    expected = [(call["id"], call["type"], call["arguments"]) for call in final["output"]]
    assert [(call["id"], call["type"], call["arguments"]) for call in assembled(body)["output"]] == expected


def test_refusals_and_raw_reasoning_are_kept() -> None:
    body = sse(
        {"type": "response.reasoning_text.delta", "delta": "No."},
        {"type": "response.refusal.delta", "delta": "I can"},
        {"type": "response.refusal.delta", "delta": "not."},
        {"type": "response.completed"},
    )
    reasoning, message = assembled(body)["output"]
    assert reasoning["content"] == [{"type": "reasoning_text", "text": "No."}]
    assert message["content"] == [{"type": "refusal", "refusal": "I cannot."}]


def test_without_a_response_the_request_tells_its_parameters_and_nothing_is_made_up() -> None:
    body = sse({"type": "response.output_text.delta", "delta": "Hi"}, {"type": "response.completed"})
    request = {"model": "m", "input": "secret", "temperature": 0.5, "stream": True}
    assert assembled(body, request) == {
        "object": "response",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "usage": None,
        "model": "m",
        "temperature": 0.5,
        "output": [
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
            }
        ],
    }


def test_what_the_server_says_counts_more_than_the_request() -> None:
    response = {"id": "r_1", "model": "m-2026", "status": "completed", "usage": {"total_tokens": 3}}
    body = sse({"type": "response.completed", "response": response})
    assert assembled(body, {"model": "m"}).items() >= response.items()


def test_an_incomplete_response_says_so() -> None:
    body = damage(without_output(openai_stream(20).body), Fault.INCOMPLETE)
    found = assembled(body)
    assert found["status"] == "incomplete"
    assert found["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found["output"][0]["content"][0]["text"] == EventStream([body]).collect().text
