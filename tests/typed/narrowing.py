"""What type checkers know of events. Checked by mypy and pyright, never run."""

from __future__ import annotations

from typing import Any, Literal, cast

from eugpt_fast import AsyncEventStream, EventStream, Parser, astream, stream
from eugpt_fast.errors import EventDecodeError
from eugpt_fast.events import (
    ChatChunk,
    Completed,
    Event,
    FunctionCall,
    OutputTextDelta,
    Response,
    UnknownEvent,
    WebSearchCallProgress,
)
from typing_extensions import assert_never, assert_type


def by_if(event: Event) -> None:
    if event["type"] == "response.output_text.delta":
        assert_type(event, OutputTextDelta)
        assert_type(event["delta"], str)
        assert_type(event.get("item_id"), str | None)
    elif event["type"] == "response.completed":
        assert_type(event["response"], Response)
        assert_type(event["response"]["id"], str)
        assert_type(event["response"].get("status"), str | None)
    elif event["type"] == "response.output_item.done" and event["item"]["type"] == "function_call":
        assert_type(event["item"], FunctionCall)
        assert_type(event["item"]["arguments"], str)
    elif event["type"] == "response.web_search_call.searching":
        assert_type(event, WebSearchCallProgress)
    assert_type(event.get("sequence_number"), int | None)


def by_match(event: Event) -> None:
    match event["type"]:
        case "response.output_text.delta":
            assert_type(event["delta"], str)
        case "response.cancelled" | "response.canceled":
            assert_type(event.get("response"), Response | None)
        case _:
            pass


def what_is_left(event: OutputTextDelta | Completed | UnknownEvent) -> None:
    if event["type"] == "response.output_text.delta":
        assert_type(event["delta"], str)
    elif event["type"] == "response.completed":
        assert_type(event["type"], Literal["response.completed"])
    elif event["type"] == "<unknown>":
        assert_type(event, UnknownEvent)
    else:
        assert_never(event)


def unknown(event: Event) -> None:
    plain = cast("dict[str, Any]", event)
    if plain["type"] == "vendor.progress":
        print(plain["percent"])


def from_every_door(events: EventStream, parser: Parser, error: EventDecodeError) -> None:
    assert_type(next(iter(events)), Event)
    assert_type(next(events), Event)
    assert_type(next(iter(stream("Hi"))), Event)
    assert_type(parser.feed(b""), list[Event])
    assert_type(error.events, list[Event])
    assert_type(cast("list[ChatChunk]", parser.feed(b""))[0]["choices"][0]["delta"].get("content"), str | None)


async def from_every_async_door(events: AsyncEventStream) -> None:
    assert_type(await anext(events), Event)
    async for event in astream("Hi"):
        assert_type(event, Event)
