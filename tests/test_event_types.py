"""The types of events are those of the events that servers send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eugpt_fast import Parser
from eugpt_fast._pure.account import TERMINAL
from eugpt_fast.errors import EventDecodeError
from eugpt_fast.events import ChatChunk, Event, OutputItem, OutputTextDelta, TerminalEvent, UnknownEvent
from eugpt_fast.testing import Generated, lean_stream, openai_stream, reasoning_stream, tool_call_stream
from fits import misfits, types_of
from test_recorded import RECORDINGS

GENERATED = [lean_stream, openai_stream, reasoning_stream, tool_call_stream]


def events_of(body: bytes) -> Iterator[Event]:
    parser = Parser()
    while True:
        try:
            yield from parser.feed(body)
        except EventDecodeError as error:
            yield from error.events
            body = b""
        else:
            return


def misfits_of(event: Event) -> list[str]:
    return misfits(event, ChatChunk if "choices" in event else Event, str(event.get("type", "chunk")))


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda path: path.stem)
def test_recorded_events_fit_their_types(recording: Path) -> None:
    for event in events_of(recording.read_bytes()):
        assert misfits_of(event) == []


@pytest.mark.parametrize("generate", GENERATED)
def test_generated_events_fit_their_types(generate: Callable[[int], Generated]) -> None:
    assert [each for event in events_of(generate(4).body) for each in misfits_of(event)] == []


def test_every_terminal_type_has_a_type() -> None:
    assert types_of(TerminalEvent) == TERMINAL
    assert types_of(TerminalEvent) < types_of(Event)


def test_no_type_stands_twice() -> None:
    for union in (Event, OutputItem):
        names = [name for member in union.__args__ for name in types_of(member)]
        assert sorted(names) == sorted(set(names))


def test_required_is_what_an_event_is_about() -> None:
    assert OutputTextDelta.__required_keys__ == {"type", "delta"}
    assert UnknownEvent.__required_keys__ == {"type"}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ({"type": "response.output_text.delta", "delta": "a"}, []),
        ({"type": "response.output_text.delta"}, [": no delta"]),
        ({"type": "response.output_text.delta", "delta": 1}, [".delta: int, not <class 'str'>"]),
        ({"type": "response.output_text.delta", "delta": "a", "colour": 1}, [": unknown colour"]),
        ({"type": "response.colour"}, [": unknown type 'response.colour'"]),
        ({"type": "response.created", "response": {"object": "response"}}, [".response: no id"]),
        (
            {"type": "response.output_item.done", "item": {"type": "message", "content": [{"type": "output_text"}]}},
            [".item.content[0]: no text"],
        ),
    ],
)
def test_the_oracle_of_this_file_sees_what_does_not_fit(event: dict[str, Any], told: list[str]) -> None:
    assert misfits(event, Event) == told
