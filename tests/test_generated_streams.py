"""The generated streams are well formed, and say of themselves what is true."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from eugpt_fast.testing import (
    Generated,
    big_event_stream,
    lean_stream,
    openai_stream,
    reasoning_stream,
    tool_call_stream,
    unicode_stream,
)

GENERATORS: list[Callable[..., Generated]] = [
    openai_stream,
    lean_stream,
    tool_call_stream,
    unicode_stream,
    reasoning_stream,
]


def events_of(stream: Generated) -> list[dict[str, Any]]:
    """The payloads, by the shape that every generated stream has: a name line, a data line, a blank line."""
    blocks = stream.body.split(b"\n\n")
    assert blocks.pop() == b""
    events = []
    for block in blocks:
        name, data = block.split(b"\n")
        assert name.startswith(b"event: ")
        events.append(json.loads(data.removeprefix(b"data: ")))
    return events


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")


@pytest.mark.parametrize("generate", [*GENERATORS, lambda: big_event_stream(1000)])
def test_every_stream_is_numbered_counted_and_completed(generate: Callable[..., Generated]) -> None:
    stream = generate()
    events = events_of(stream)
    assert len(events) == stream.events
    assert [event["sequence_number"] for event in events] == list(range(stream.events))
    assert text_of(events) == stream.text
    assert events[0]["type"] == "response.created"
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["status"] == "completed"
    assert events[-1]["response"]["id"] == events[0]["response"]["id"]


@pytest.mark.parametrize("generate", GENERATORS)
def test_a_stream_is_the_same_every_time_and_another_with_another_seed(generate: Callable[..., Generated]) -> None:
    assert generate(50) == generate(50)
    assert generate(50).body != generate(50, seed=1).body


def test_the_openai_stream_has_2008_events_of_277_bytes_by_default() -> None:
    stream = openai_stream()
    assert stream.events == 2008
    assert round(len(stream.body) / stream.events) == 277


def test_the_openai_stream_has_the_events_of_the_api_in_their_order() -> None:
    types = [event["type"].removeprefix("response.") for event in events_of(openai_stream(2))]
    assert types == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


def test_the_final_response_holds_the_text_and_the_usage() -> None:
    stream = openai_stream(20)
    response = events_of(stream)[-1]["response"]
    assert response["output"][0]["content"][0]["text"] == stream.text
    assert response["usage"]["output_tokens"] == 20


def test_the_lean_stream_names_every_event_message_and_its_deltas_hold_three_fields() -> None:
    stream = lean_stream(5)
    assert stream.events == 7
    assert stream.body.count(b"event: message\n") == 7
    assert list(events_of(stream)[1]) == ["type", "sequence_number", "delta"]


def test_parallel_tool_calls_take_turns_and_their_arguments_are_json() -> None:
    events = events_of(tool_call_stream(6))
    deltas = [event for event in events if event["type"] == "response.function_call_arguments.delta"]
    assert [delta["output_index"] for delta in deltas] == [0, 1] * 6
    for index, item in enumerate(events[-1]["response"]["output"]):
        arguments = "".join(delta["delta"] for delta in deltas if delta["output_index"] == index)
        assert arguments == item["arguments"]
        assert list(json.loads(arguments)) == ["query"]


def test_the_unicode_stream_has_false_line_ends_raw_and_surrogate_pairs_escaped() -> None:
    stream = unicode_stream()
    for false_line_end in "\u2028\u2029\x85":
        assert false_line_end.encode() in stream.body
    assert b"\\ud83d\\ude42" in stream.body
    assert "🙂".encode() in stream.body


def test_the_reasoning_summary_comes_first_and_is_not_the_text() -> None:
    stream = reasoning_stream(10)
    events = events_of(stream)
    summary = "".join(event["delta"] for event in events if event["type"] == "response.reasoning_summary_text.delta")
    reasoning, message = events[-1]["response"]["output"]
    assert reasoning["summary"][0]["text"] == summary
    assert message["content"][0]["text"] == stream.text != summary


def test_the_big_delta_has_exactly_the_size_asked_for() -> None:
    stream = big_event_stream(123_457)
    assert stream.events == 3
    assert len(stream.text.encode()) == 123_457
    assert len(big_event_stream().text) == 8 * 2**20
