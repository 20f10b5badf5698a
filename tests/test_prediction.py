"""The native parser predicts the next event from those before. Nothing of that may ever show but speed.

Streams of one shape, long enough to be predicted, in which single events are changed in every way that could fool a
prediction. The oracle is ``json.loads`` on each payload by itself.
"""

import json
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from conftest import outcome_of
from eugpt_fast import Parser, _backend, _pure
from eugpt_fast._backend import ResponseParser
from eugpt_fast.errors import EventDecodeError, EventTooLarge
from hypothesis import given
from hypothesis import strategies as st

Members = list[tuple[str, str]]
"""Keys and values as JSON text, in order: what a dict could not hold (duplicates) must be possible."""

WARM = 16  # events after which a shape is predicted, with room to spare


def rich(number: int) -> Members:
    return [
        ('"type"', '"response.output_text.delta"'),
        ('"sequence_number"', str(number)),
        ('"item_id"', '"msg_0f9c4b2f224d85"'),
        ('"output_index"', "0"),
        ('"delta"', json.dumps(f" word{number % 7}")),
        ('"logprobs"', "[]"),
        ('"obfuscation"', json.dumps("x" * (number % 13))),
    ]


def lean(number: int) -> Members:
    return [('"type"', '"response.output_text.delta"'), ('"sequence_number"', str(number)), ('"delta"', '"é\\n"')]


def type_last(number: int) -> Members:
    return [*rich(number)[1:], rich(number)[0]]


def nested(number: int) -> Members:
    choice = f'{{"index":0,"delta":{{"content":{json.dumps(str(number))}}},"finish_reason":null,"flags":[true,{{}}]}}'
    return [('"id"', '"chatcmpl-1"'), ('"created"', "1762179802"), ('"choices"', f"[{choice}]"), ('"usage"', "null")]


def arguments(number: int) -> Members:
    return [
        ('"type"', '"response.function_call_arguments.delta"'),
        ('"item_id"', f'"fc_{number % 2}"'),
        ('"delta"', '"{\\"a\\":"' if number % 3 else '"\\ud83d"'),
        ('"sequence_number"', str(number)),
    ]


def text_of(members: Members) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in members) + "}"


VALUES = [
    "null", "true", "[]", "{}", '""', '"\\u0041"', '"\\ud800"', '"a\\"b"', '"\\"', '"é"', '" "', "0", "-0", "00",
    "1.5", "-1", "1e400", "1E+2", "9" * 18, "9" * 19, "9" * 30, "NaN", "-Infinity", '["x"]', '{"type":"error"}',
    '"response.completed"', '"error"', '"keepalive"', '"tab\there"', "nul", "", '"x', "1 ", ' "x"', "1.", "01", "+1",
]  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Callable[[Members], str]:
    """One change to an event, from members to the text of the payload."""
    kind = draw(
        st.sampled_from(["none", "value", "drop", "swap", "double", "rename", "extend", "blanks", "cut", "byte"])
    )
    at = draw(st.integers(0, 6))
    value = draw(st.sampled_from(VALUES))

    def change(members: Members) -> str:
        members = list(members)
        here = at % len(members)
        if kind == "value":
            members[here] = (members[here][0], value)
        elif kind == "drop":
            del members[here]
        elif kind == "swap":
            members[here - 1], members[here] = members[here], members[here - 1]
        elif kind == "double":
            members.insert(at, (members[here][0], value))
        elif kind == "rename":
            members[here] = ('"ty\\u0070e"', members[here][1])
        elif kind == "extend":
            members.append(('"extra"', value))
        text = text_of(members)
        if kind == "blanks":
            text = text.replace(":", " : ", at + 1).replace(",", " ,\t") + " "
        elif kind == "cut":
            text = text[: len(text) * at // 7]
        elif kind == "byte":
            text = text[: at * 9] + draw_byte + text[at * 9 + 1 :]
        return text

    draw_byte = draw(st.sampled_from(['"', "\\", "{", "}", "7", " ", "\x01", "\xff"]))
    return change


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """The payloads of a stream of one shape, warmed up, then changed now and then."""
    shape = draw(st.sampled_from([rich, lean, type_last, nested, arguments]))
    start = draw(st.sampled_from([0, 5, 95, 2**63 - 10]))
    payloads = [text_of(shape(start + number)) for number in range(WARM)]
    for number, change in enumerate(draw(st.lists(changes(), min_size=1, max_size=12))):
        payloads.append(change(shape(start + WARM + number)))
        payloads.append(text_of(shape(start + WARM + number)))
    # Latin-1 makes a lone 0xFF of what would otherwise be UTF-8: bad bytes in the middle of good ones.
    broken = draw(st.booleans())
    return [
        payload.encode("latin-1" if broken and payload.isascii() is False else "utf-8", "replace")
        for payload in payloads
    ]


def events_of(parser: Any, payloads: list[bytes], method: str = "feed") -> list[str]:
    """The events, or the errors in their place, each as text: order and types of everything count."""
    seen = []
    for payload in payloads:
        try:
            events = getattr(parser, method)(b"data: " + payload + b"\n\n")
        except EventDecodeError as error:
            seen.append(f"{outcome_of(error)}")
        else:
            seen += [repr(event) for event in events]
            for event in events:
                spoil(event)
    return seen


def spoil(value: Any) -> None:
    """Changes every container inside: if one is shared with another event, that one will show it."""
    if isinstance(value, dict):
        for inner in value.values():
            spoil(inner)
        value["spoilt"] = [value.pop("delta", None)]
    elif isinstance(value, list):
        for inner in value:
            spoil(inner)
        value.append("spoilt")


@given(streams())
def test_events_are_those_of_json_loads_on_each_payload(payloads: list[bytes]) -> None:
    expected = []
    for payload in payloads:
        try:
            expected.append(repr(_pure.loads(payload.decode("utf-8", "replace"))))
        except EventDecodeError as error:
            expected.append(f"{outcome_of(error)}")
    assert events_of(Parser(), payloads) == expected


def delta(number: int) -> bytes:
    return b'{"type":"response.output_text.delta","delta":"w%d"}' % (number % 10)


def warm_stream() -> bytes:
    return b"".join(b"data: %b\n\n" % delta(number) for number in range(2 * WARM))


@pytest.mark.parametrize(
    "rest", [b'{"type":"response.completed","x":"', b'["' + b"\xc3\xa9" * 8], ids=["terminal", "wide"]
)
def test_what_was_foreseen_of_an_event_that_is_too_large_is_forgotten(rest: bytes) -> None:
    payload = delta(1)
    last = rest + b"y" * (len(payload) - len(rest) - 2) + (b'"}' if rest.startswith(b"{") else b'"]')
    for kind in ("Parser", "ResponseParser"):
        outcomes = []
        for module in (_backend, _pure):
            parser = getattr(module, kind)(max_event_size=200)
            parser.feed(warm_stream())
            with pytest.raises(EventTooLarge):
                parser.feed(b"data: " + payload + b"z" * 200 + b"\n\n")
            events = parser.feed(b"\n\nid: 1\ndata: " + last + b"\n\n")
            outcomes.append((repr(events), getattr(parser, "terminal", None), getattr(parser, "text", None)))
        assert outcomes[0] == outcomes[1]


def test_a_shape_does_not_reach_over_the_end_of_a_line() -> None:
    lines = b"".join(b'data: {\ndata: "n":%d}\n\n' % number for number in range(2 * WARM))
    for body in (b'data: {\n"n":5}\n\n', b'data: {\ndata: "n":5}\n\n'):
        chunks = [b"data: 1\n\n" + lines, body]
        assert results_of(Parser(), chunks) == results_of(_pure.Parser(), chunks)


@pytest.mark.parametrize("start", [b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef"])
@pytest.mark.parametrize("block", [b"event: a\ndata: 1\n\n", b'data: {"a":1}\ndata: 1\n\n', b"data: 1\n\n"])
def test_bytes_that_are_nearly_a_bom_are_no_part_of_what_is_expected(start: bytes, block: bytes) -> None:
    for kind in ("Parser", "SSEParser"):
        chunks = [start + block, block, block + block]
        assert results_of(getattr(_backend, kind)(), chunks) == results_of(getattr(_pure, kind)(), chunks)


BLOCKS = [
    b"data: %b\n\n", b"data:%b\n\n", b"event: message\ndata: %b\n\n", b"event: message\r\ndata: %b\r\n\r\n",
    b"data: %b\r\r", b"event: other\ndata: %b\n\n", b": c\ndata: %b\n\n", b"id: 7\ndata: %b\n\n",
    b"data: %b\nid: 8\n\n", b"data: %b\r\n\n", b"data: %b \n\n", b"data\n\ndata: %b\n\n",
    b"retry: 5\n\ndata: %b\n\n", b"data: %b\ndata: \n\n",
]  # fmt: skip


@given(streams(), st.sampled_from(BLOCKS), st.data())
def test_framing_may_change_and_chunks_may_end_anywhere(
    payloads: list[bytes], usual: bytes, data: st.DataObject
) -> None:
    """The framer is told what to expect: whatever else stands around the payload, it must be seen."""
    odd = data.draw(st.dictionaries(st.integers(WARM, len(payloads)), st.sampled_from(BLOCKS), max_size=4))
    body = b"".join(odd.get(number, usual) % payload for number, payload in enumerate(payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert results_of(Parser(), chunks) == results_of(_pure.Parser(), chunks)


def results_of(parser: Any, chunks: list[bytes]) -> list[Any]:
    """What every call gives, errors with the events before them, and the state behind it."""
    seen: list[Any] = []
    for chunk in chunks:
        while True:
            try:
                seen.append(repr(parser.feed(chunk)))
                break
            except EventDecodeError as error:
                seen.append((repr(error.events), f"{outcome_of(error)}"))
                chunk = b""  # noqa: PLW2901 - go on behind it
        seen.append((parser.last_event_id, parser.retry))
    return seen


@pytest.mark.parametrize("method", ["feed", "skim"])
@pytest.mark.parametrize("only", [None, ["response.output_text.delta"]])
@given(payloads=streams())
def test_the_account_is_that_of_the_twin(payloads: list[bytes], method: str, only: list[str] | None) -> None:
    ours, twin = ResponseParser(only=only), _pure.ResponseParser(only=only)
    assert events_of(ours, payloads, method) == events_of(twin, payloads, method)
    for name in ("events", "progress", "text", "arguments", "last_sequence_number", "gaps", "repeats", "reorders"):
        assert getattr(ours, name) == getattr(twin, name), name


@given(st.lists(streams(), min_size=2, max_size=3), st.randoms(use_true_random=False))
def test_shapes_that_take_turns_are_kept_apart(several: list[list[bytes]], random: Any) -> None:
    payloads = [payload for payloads in several for payload in payloads]
    random.shuffle(payloads)
    assert events_of(Parser(), payloads) == events_of(_pure.Parser(), payloads)


# What the streams before have taught is left to those after them.


def short_stream(number: int, text: str) -> list[bytes]:
    """Events that come once in a stream, with ids, texts and counts of its own; two kinds of items of one type."""
    response = f'"response":{{"id":"resp_{number}","model":"m","output":[],"usage":{{"total_tokens":{number % 3}}}}}'
    item = f'"item":{{"id":"item_{number}","content":[]}}' if number % 2 else f'"item":{{"id":"item_{number}"}}'
    payloads = [
        f'{{"type":"response.created",{response}}}',
        f'{{"type":"response.output_item.added",{item},"output_index":{number % 5}}}',
        f'{{"type":"response.output_text.delta","item_id":"item_{number}","delta":{json.dumps(text)}}}',
        f'{{"type":"response.completed",{response}}}',
    ]
    return [b"data: " + payload.encode() + b"\n\n" for payload in payloads]


TYPES = ["response.created", "response.output_item.added", "response.output_text.delta", "response.completed"]
MANY = [short_stream(number, f"secret {number}") for number in range(3 * WARM)]


def read(stream: list[bytes], **options: Any) -> list[str]:
    parser = Parser(**options)
    return [repr(event) for chunk in stream for event in parser.feed(chunk)]


def expected(stream: list[bytes], only: list[str] | None = None) -> list[str]:
    events = [json.loads(chunk[len(b"data: ") :]) for chunk in stream]
    return [repr(event) for event in events if only is None or event["type"] in {*only, "response.completed"}]


def test_nothing_of_one_stream_shows_in_another() -> None:
    for number, stream in enumerate(MANY):
        found = read(stream)
        assert found == expected(stream)
        assert set(re.findall(r"secret \d+", "".join(found))) == {f"secret {number}"}


@given(st.lists(st.tuples(streams(), st.sampled_from([None, ["response.output_text.delta"], ["x"], []])), max_size=4))
def test_streams_of_any_kind_may_follow_each_other(several: list[tuple[list[bytes], list[str] | None]]) -> None:
    for payloads, only in several:
        assert events_of(Parser(only=only), payloads) == events_of(_pure.Parser(only=only), payloads)


def test_what_one_parser_wants_is_not_what_another_wants() -> None:
    for number, stream in enumerate(MANY):
        only = TYPES[number % 3 : number % 4] or None
        assert read(stream, only=only) == expected(stream, only)
    first, second = Parser(only=TYPES[:1]), Parser(only=TYPES[2:3])
    for stream in MANY:
        for chunk in stream:
            assert [repr(event) for event in first.feed(chunk)] == expected([chunk], TYPES[:1])
            assert [repr(event) for event in second.feed(chunk)] == expected([chunk], TYPES[2:3])


def test_a_parser_that_skims_leaves_nothing_unbuilt_for_the_next() -> None:
    for stream in MANY:
        skimming = ResponseParser()
        for chunk in stream:
            skimming.skim(chunk)
        assert skimming.text == json.loads(stream[2][len(b"data: ") :])["delta"]
        assert read(stream) == expected(stream)


def test_streams_that_run_side_by_side_are_kept_apart() -> None:
    parsers = [Parser() for _ in MANY]
    for chunks in zip(*MANY, strict=True):
        for parser, chunk in zip(parsers, chunks, strict=True):
            assert [repr(event) for event in parser.feed(chunk)] == expected([chunk])
    del parsers[::2]  # some end, the others go on
    for parser, stream in zip(parsers, MANY, strict=False):
        assert [repr(event) for chunk in stream for event in parser.feed(chunk)] == expected(stream)


def test_a_parser_may_be_made_in_one_thread_fed_in_others_and_dropped_in_one_that_outlives_them() -> None:
    def in_a_thread(job: Callable[[], Any]) -> Any:
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(job()))
        thread.start()
        thread.join(30)
        return results[0]

    for start in (0, WARM):
        parser = in_a_thread(Parser)
        kept = []
        for stream in MANY[start : start + WARM]:
            for chunk in stream:
                kept.append((in_a_thread(partial(parser.feed, chunk)), chunk))
            assert read(stream) == expected(stream)
        del parser
        # The threads that knew the shapes are gone, what they built is not.
        for events, chunk in kept:
            assert [repr(event) for event in events] == expected([chunk])
