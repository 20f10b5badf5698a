"""``only``, ``skim`` and the account that a ``ResponseParser`` keeps of its stream."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

import pytest
from conftest import account_of, cut
from eugpt_fast.errors import EventDecodeError, EventTooLarge

TERMINAL = [
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
    "response.canceled",
    "error",
]
NOT_TERMINAL = [
    "response.mcp_call.failed", "response.code_interpreter_call.completed", "response.created", "response.queued",
    "Response.completed", "response.completed ", "errors", "", "keepalive", "completed", "cancelled",
]  # fmt: skip


def stream(*events: Any) -> bytes:
    return b"".join(
        b"data: " + (event if isinstance(event, bytes) else json.dumps(event).encode()) + b"\n\n" for event in events
    )


def delta(kind: str, text: Any, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}.delta", "delta": text, **more}


@pytest.fixture(params=["feed", "skim"])
def method(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def parsed(backend: ModuleType, method: str, *events: Any) -> Any:
    """A parser that has read these events, in single bytes; the account is the same as in one piece."""
    body = stream(*events)
    whole, pieces = backend.ResponseParser(), backend.ResponseParser(only=[])
    delivered = getattr(whole, method)(body)
    found = [event for chunk in cut(body, *range(1, len(body))) for event in getattr(pieces, method)(chunk)]
    assert [event for event in delivered if event in found] == found
    assert repr(account_of(whole)) == repr(account_of(pieces))
    return whole


# Which events are delivered.


@pytest.mark.parametrize("cls", ["Parser", "ResponseParser"])
def test_only_delivers_what_was_asked_for_in_order(backend: ModuleType, cls: str) -> None:
    events = [
        {"type": "a", "n": 1},
        {"type": "b"},
        {"type": "a", "n": 2},
        {"n": 3},
        [4],
        "a",
        {"type": ["a"]},
        {"type": "c"},
    ]
    body = stream(*events)
    parser = getattr(backend, cls)
    assert parser(only={"a"}).feed(body) == [events[0], events[2]]
    assert parser(only=("a", "c")).feed(body) == [events[0], events[2], events[7]]
    assert parser(only=iter(["b"])).feed(body) == [events[1]]
    assert parser(only=[]).feed(body) == []
    assert parser(only=None).feed(body) == events


@pytest.mark.parametrize("kind", TERMINAL)
def test_terminal_events_always_come(backend: ModuleType, method: str, kind: str) -> None:
    event = {"a": 1, "type": kind, "z": {"type": "no"}}
    assert backend.Parser(only=[]).feed(stream(event)) == [event]
    parser = backend.ResponseParser(only=["x"])
    (found,) = getattr(parser, method)(stream({"type": "y"}, event))
    assert found == event
    assert parser.terminal is found


@pytest.mark.parametrize("kind", NOT_TERMINAL)
def test_other_failures_and_ends_are_not_terminal(backend: ModuleType, method: str, kind: str) -> None:
    event = {"type": kind}
    assert backend.Parser(only=[]).feed(stream(event)) == []
    parser = backend.ResponseParser(only=[])
    assert getattr(parser, method)(stream(event)) == []
    assert parser.terminal is None


def test_the_last_terminal_event_is_the_one_that_is_kept(backend: ModuleType, method: str) -> None:
    parser = parsed(backend, method, {"type": "response.completed"}, {"type": "error", "code": "late"}, {"type": "x"})
    assert parser.terminal == {"type": "error", "code": "late"}


def test_the_event_name_decides_nothing(backend: ModuleType) -> None:
    body = b'event: response.completed\ndata: {"type": "x"}\n\nevent: x\ndata: {"type": "error"}\n\n'
    assert backend.Parser(only=[]).feed(body) == [{"type": "error"}]


@pytest.mark.parametrize(
    ("text", "delivered"),
    [
        ('{"type": "error", "type": "x"}', False),  # of duplicate keys the last wins
        ('{"type": "x", "type": "error"}', True),
        ('{"type": "error", "type": 1}', False),
        ('{"\\u0074ype": "error"}', True),
        ('{"type": "\\u0065rror"}', True),
        ('{"type": "err\\u006fr"}', True),
        ('  {  "type"  :  "error"  }  ', True),
        ('{"type": ["error"]}', False),
        ('[{"type": "error"}]', False),
        ('{"a": {"type": "error"}}', False),
        ('{"a": "\\"type\\": \\"error\\"", "type": "x"}', False),
        ('{"a": [{"type": "x"}], "type": "error"}', True),
        ('{"type": null}', False),
        ('"error"', False),
    ],
)
def test_only_the_top_level_type_counts_wherever_and_however_it_is_written(
    backend: ModuleType, method: str, text: str, delivered: bool
) -> None:
    expected = [json.loads(text)] if delivered else []
    assert backend.Parser(only=[]).feed(stream(text.encode())) == expected
    assert backend.Parser(only=["x"]).feed(stream(text.encode())) == expected or json.loads(text)["type"] == "x"
    assert getattr(backend.ResponseParser(only=[]), method)(stream(text.encode())) == expected


def test_a_bad_payload_that_nobody_asked_for_is_still_an_error(backend: ModuleType, method: str) -> None:
    parser = backend.ResponseParser(only=[])
    with pytest.raises(EventDecodeError) as caught:
        getattr(parser, method)(
            stream({"type": "error", "n": 1}, b'{"type": "x", "a": tru}', {"type": "error", "n": 2})
        )
    assert caught.value.events == [{"type": "error", "n": 1}]
    assert (parser.events, parser.terminal) == (1, {"type": "error", "n": 1})
    assert getattr(parser, method)(b"") == [{"type": "error", "n": 2}]
    assert parser.events == 2


def test_feed_and_skim_may_alternate(backend: ModuleType) -> None:
    parser = backend.ResponseParser()
    event = delta("output_text", "x")
    assert parser.feed(stream(event)) == [event]
    assert parser.skim(stream(event) + b"data: ") == []
    assert parser.feed(json.dumps(event).encode() + b"\n\n") == [event]
    with pytest.raises(EventDecodeError):
        parser.skim(stream(b"{", event))
    assert parser.feed(stream(event)) == [event, event]
    assert parser.text == "x" * 5


# The account.


def test_a_new_account_is_empty(backend: ModuleType) -> None:
    parser = backend.ResponseParser()
    assert {name for name, value in account_of(parser).items() if value is None} == {
        "last_sequence_number",
        "response_id",
        "terminal",
    }
    assert (parser.text, parser.refusal, parser.reasoning, parser.reasoning_summary, parser.arguments) == (
        "",
        "",
        "",
        "",
        {},
    )
    assert (parser.events, parser.progress, parser.gaps, parser.repeats, parser.reorders) == (0, 0, 0, 0, 0)
    assert parser.has_text is False


def test_deltas_are_joined_each_kind_by_itself(backend: ModuleType, method: str) -> None:
    kinds = {
        "output_text": "text",
        "refusal": "refusal",
        "reasoning_text": "reasoning",
        "reasoning_summary_text": "reasoning_summary",
    }
    events = [delta(kind, f"{kind} {turn}\n€😀\x00") for turn in range(3) for kind in kinds]
    parser = parsed(backend, method, *events)
    for kind, attribute in kinds.items():
        assert getattr(parser, attribute) == "".join(f"{kind} {turn}\n€😀\x00" for turn in range(3))


def test_what_is_no_delta_is_no_text(backend: ModuleType, method: str) -> None:
    strange = [delta("output_text", value) for value in (1, None, ["x"], {"a": "x"}, True)]
    others = [
        delta("output_audio", "x"),
        {"type": "response.output_text.done", "delta": "x"},
        {"delta": "x"},
        ["x"],
        "x",
    ]
    parser = parsed(backend, method, *strange, *others, {"type": "response.output_text.delta"})
    assert (parser.text, parser.has_text) == ("", False)
    assert parser.events == 11


def test_an_empty_delta_is_no_text_yet(backend: ModuleType, method: str) -> None:
    assert parsed(backend, method, delta("output_text", "")).has_text is False
    assert parsed(backend, method, delta("output_text", ""), delta("output_text", "a")).has_text is True


def test_halves_of_a_surrogate_pair_in_two_deltas_stay_two(backend: ModuleType, method: str) -> None:
    pieces = [b'"\\ud83d"', b'"\\ude00"', b'"\\ud83d\\ude00"', b'"a\\ude00\\n"']
    parser = parsed(
        backend, method, *(b'{"type":"response.output_text.delta","delta":' + piece + b"}" for piece in pieces)
    )
    assert parser.text == "\ud83d" + "\ude00" + "\U0001f600" + "a\ude00\n"
    assert len(parser.text) == 6


def test_of_two_deltas_in_one_event_the_last_counts(backend: ModuleType, method: str) -> None:
    parser = parsed(backend, method, b'{"type":"response.output_text.delta","delta":"a","delta":"b"}')
    assert parser.text == "b"
    assert parsed(backend, method, b'{"type":"response.output_text.delta","delta":"a","delta":1}').text == ""


def test_arguments_are_joined_by_item_in_order_of_appearance(backend: ModuleType, method: str) -> None:
    kind = "function_call_arguments"
    events = [
        delta(kind, '{"a"', item_id="two"),
        delta(kind, "x", item_id="one"),
        delta(kind, ":1}", item_id="two"),
        delta(kind, "none"),
        delta(kind, "5", item_id=5),
        delta(kind, "", item_id="\ud800"),
        delta(kind, None, item_id="three"),
    ]
    parser = parsed(backend, method, *events)
    assert list(parser.arguments.items()) == [("two", '{"a":1}'), ("one", "x"), ("", "none5"), ("\ud800", "")]


def test_what_the_account_hands_out_is_the_callers_own(backend: ModuleType) -> None:
    parser = backend.ResponseParser()
    parser.feed(stream(delta("function_call_arguments", "x", item_id="i")))
    parser.arguments["i"] = "changed"
    assert parser.arguments == {"i": "x"}


def test_keepalive_is_an_event_but_no_progress(backend: ModuleType, method: str) -> None:
    parser = parsed(
        backend, method, {"type": "keepalive"}, {"type": "x"}, {"type": "keepalive", "sequence_number": 3}, [1], {}
    )
    assert (parser.events, parser.progress, parser.last_sequence_number) == (5, 3, 3)


def test_done_is_neither_event_nor_progress(backend: ModuleType, method: str) -> None:
    assert parsed(backend, method, b"[DONE]", {"type": "x"}, b" [DONE] ").events == 1


@pytest.mark.parametrize(
    ("numbers", "last", "faults"),
    [
        ([0, 1, 2, 3], 3, (0, 0, 0)),
        ([5, 6], 6, (0, 0, 0)),  # a stream need not begin at 0
        ([0, 2, 3, 9], 9, (2, 0, 0)),
        ([0, 1, 1, 2, 2], 2, (0, 2, 0)),
        ([0, 1, 3, 2, 4], 4, (1, 0, 1)),
        ([3, 2, 1, 0], 3, (0, 0, 3)),
        ([-5, -4, 0], 0, (1, 0, 0)),
        ([2**63 - 2, 2**63 - 1], 2**63 - 1, (0, 0, 0)),
        ([-(2**63), 2**63 - 1, -(2**63)], 2**63 - 1, (1, 0, 1)),
        ([1, 2**63, 2, -(2**63) - 1, 10**50, 3], 3, (0, 0, 0)),  # no number of 64 bits, no sequence number
        ([1, 2.0, "2", None, True, [2], 2], 2, (0, 0, 0)),
        ([], None, (0, 0, 0)),
    ],
)
def test_faults_of_the_sequence_are_counted(
    backend: ModuleType, method: str, numbers: list[Any], last: int | None, faults: tuple[int, int, int]
) -> None:
    parser = parsed(backend, method, *({"sequence_number": number} for number in numbers))
    assert parser.last_sequence_number == last
    assert (parser.gaps, parser.repeats, parser.reorders) == faults


@pytest.mark.parametrize("number", ['"%d"', "%d.0", "%de0", "[%d]", "null", '{"a": %d}', "1e%d", "9223372036854775%d"])
def test_what_is_no_sequence_number_is_none_however_often_it_comes(
    backend: ModuleType, method: str, number: str
) -> None:
    parser = backend.ResponseParser()
    for turn in range(800, 840):
        value = number % turn if "%" in number else number
        getattr(parser, method)(b'data: {"type":"x","sequence_number":%s,"n":%d}\n\n' % (value.encode(), turn))
    numbers = range(9223372036854775800, 2**63) if number.startswith("9") else []
    assert parser.last_sequence_number == max(numbers, default=None)
    assert parser.events == 40


def test_a_type_that_changes_in_a_stream_that_repeats_itself_is_seen(backend: ModuleType, method: str) -> None:
    event = '{"type":"%s","delta":"%s","item_id":"i","sequence_number":%d}'
    kinds = [
        *["response.output_text.delta"] * 30,
        "response.refusal.delta",
        *["error", "x"] * 5,
        "response.output_text.delta",
    ]
    texts = [event % (kind, f"d{turn}", turn) for turn, kind in enumerate(kinds)]
    parser = backend.ResponseParser(only=["x"])
    found = [found for text in texts for found in getattr(parser, method)(stream(text.encode()))]
    wanted = ["error", "x"] if method == "feed" else ["error"]
    assert found == [json.loads(text) for text, kind in zip(texts, kinds, strict=True) if kind in wanted]
    assert parser.text == "".join(f"d{turn}" for turn in [*range(30), len(kinds) - 1])
    assert parser.refusal == "d30"
    assert parser.last_sequence_number == len(kinds) - 1


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (['{"response":{"id":"a"}}'], "a"),
        (['{"response":{"id":"a"}}', '{"response":{"id":"b"}}', '{"response":{}}', '{"response":{"id":null}}'], "b"),
        (['{"response":{"x":{"id":"no"},"id":"a","y":[{"id":"no"}]}}'], "a"),
        (['{"response":{"id":"a","id":"b"}}'], "b"),
        (['{"response":{"id":"a","id":1}}'], None),
        (['{"response":{"id":"a"},"response":{"id":"b"}}'], "b"),
        (['{"response":{"id":"a"},"response":null}'], None),
        (['{"response":{"\\u0069d":"\\u0061"}}'], "a"),
        (['{"response":{"id":"\\ud800"}}'], "\ud800"),
        (['{"response":[{"id":"a"}]}', '{"response":"a"}', '{"id":"a"}', '{"x":{"response":{"id":"a"}}}'], None),
    ],
)
def test_the_response_id_is_the_last_that_a_response_had(
    backend: ModuleType, method: str, texts: list[str], expected: str | None
) -> None:
    assert parsed(backend, method, *(text.encode() for text in texts)).response_id == expected


def test_events_that_are_too_large_are_not_entered(backend: ModuleType, method: str) -> None:
    parser = backend.ResponseParser(max_event_size=80)
    feed = getattr(parser, method)
    with pytest.raises(EventTooLarge):
        feed(stream(delta("output_text", "a"), delta("output_text", "x" * 80), delta("output_text", "b")))
    feed(b"")
    assert (parser.events, parser.text) == (2, "ab")


def test_the_account_can_be_read_only(backend: ModuleType) -> None:
    parser = backend.ResponseParser()
    for name in ("text", "events", "gaps", "arguments", "response_id"):
        with pytest.raises(AttributeError):
            setattr(parser, name, None)
