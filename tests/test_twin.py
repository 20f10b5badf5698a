"""Native and pure Python give the same, event for event and error for error, for any bytes in any pieces."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import ModuleType
from typing import Any, cast

import eugpt_fast
import pytest
from conftest import PURE_ONLY, account_of, cut, feed_all, outcome_of
from eugpt_fast import _pure
from eugpt_fast._backend import ResponseParser
from eugpt_fast.errors import EugptFastError, EventDecodeError
from hypothesis import given
from hypothesis import strategies as st

KINDS = [
    "response.created", "response.output_text.delta", "response.refusal.delta", "response.reasoning_text.delta",
    "response.reasoning_summary_text.delta", "response.function_call_arguments.delta", "response.completed",
    "response.incomplete", "response.failed", "response.cancelled", "response.canceled", "response.mcp_call.failed",
    "error", "keepalive", "x", "",
]  # fmt: skip
KEYS = ["type", "sequence_number", "delta", "item_id", "response", "id", "a", "a\n", "", "x" * 50]
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
SMALL = st.sampled_from([0, 1, 2, 3, 4, 5, 2**31, 2**63 - 1, 2**63, -1, -(2**63), -(2**63) - 1, 10**25])
SCALARS = st.none() | st.booleans() | SMALL | st.integers() | st.floats() | ANY_TEXT | st.sampled_from(KINDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
RESPONSE_EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "sequence_number": SMALL | VALUES,
        "delta": ANY_TEXT | VALUES,
        "item_id": st.sampled_from(["i1", "i2", "\ud800"]) | VALUES,
        "response": st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=3) | VALUES,
        "other": VALUES,
    },
)
ONLY = st.none() | st.lists(st.sampled_from([*KINDS, "\ud800", "é"]), max_size=4)
LIMITS = st.just(64 * 2**20) | st.integers(1, 200)


@st.composite
def json_texts(draw: st.DrawFn, values: st.SearchStrategy[Any] = VALUES | RESPONSE_EVENTS) -> str:
    """A JSON document in one of many spellings; in an object a member may come twice."""
    value = draw(values)
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", "  :\t")]))

    def spell(value: Any) -> str:
        return json.dumps(value, separators=separators, ensure_ascii=draw(st.booleans()) or has_surrogate(value))

    text = spell(value)
    if isinstance(value, dict) and draw(st.integers(0, 4)) == 0:
        key = draw(st.sampled_from(KEYS))
        member = f"{spell(key)}{separators[1]}{spell(draw(SCALARS))}"
        text = "{" + member + (separators[0] if value else "") + text[1:]
        if draw(st.booleans()):
            text = text[:-1] + separators[0] + member + "}"
    return text


def has_surrogate(value: Any) -> bool:
    return any(0xD800 <= ord(char) < 0xE000 for char in json.dumps(value, ensure_ascii=False))


@st.composite
def mutated_texts(draw: st.DrawFn) -> bytes:
    """Nearly JSON: a document with some bytes replaced, removed, put in or cut off."""
    body = bytearray(draw(json_texts()).encode())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        junk = draw(st.sampled_from(list(b'"\\{}[],:0-.eEuN \x00\x1f\x7f\xff\x80\xc3\xed\xf0ad')))
        match draw(st.integers(0, 3)):
            case 0:
                body[at : at + 1] = bytes([junk])
            case 1:
                body[at:at] = bytes([junk])
            case 2:
                del body[at : at + 1]
            case _:
                del body[at:]
    return bytes(body).replace(b"\n", b" ").replace(b"\r", b" ")


PAYLOADS = json_texts().map(str.encode) | mutated_texts() | st.sampled_from([b"[DONE]", b" [DONE] ", b"", b"{}", b"["])
LINE_ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])
LINES = st.one_of(
    PAYLOADS.map(lambda payload: b"data: " + payload),
    PAYLOADS.map(lambda payload: b"data:" + payload),
    st.sampled_from([b"", b"", b": comment", b"data", b"data:", b"event: e", b"event:", b"id: 1", b"id: \x00", b"id",
                     b"retry: 5", b"retry: x", b"retry: 99999999999999999999", b"foo: bar", b"\xef\xbb\xbfdata: 1"]),
)  # fmt: skip
BLOCKS = st.tuples(st.lists(LINES, max_size=5), LINE_ENDS).map(
    lambda block: b"".join(line + block[1] for line in block[0]) + block[1]
)
BOMS = st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb", b"\xef\xbb\xbf\xef\xbb\xbf"])
TOKENS = [b"\r", b"\n", b"\r\n", b"\n\n", b":", b" ", b"data", b"data: ", b"id: ", b"event:", b"retry:", b"1", b"{",
          b"}", b'"', b"\xef", b"\xbb", b"\xbf", b"\xff", b"\x00", b"[DONE]", b"x" * 30]  # fmt: skip
GARBAGE = st.lists(st.sampled_from(TOKENS) | st.binary(max_size=5), max_size=40).map(b"".join)
STREAMS = st.tuples(BOMS, st.lists(BLOCKS, max_size=8).map(b"".join), st.just(b"") | GARBAGE).map(b"".join) | GARBAGE


@st.composite
def similar_texts(draw: st.DrawFn) -> list[bytes]:
    """A stream that repeats itself: few documents again and again, with scalars, or a byte, changed here and there.

    The native parser predicts the next document from those before; nothing of that may ever show.
    """
    texts = [draw(json_texts(VALUES | RESPONSE_EVENTS)) for _ in range(draw(st.integers(1, 3)))]
    stream: list[bytes] = []
    for _ in range(draw(st.integers(2, 25))):
        text = draw(st.sampled_from(texts))
        for _ in range(draw(st.integers(0, 2))):
            scalars = [*re.finditer(r'"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|null|true|false|NaN', text)]
            if scalars:
                place = draw(st.sampled_from(scalars))
                text = text[: place.start()] + draw(NEW_SCALARS) + text[place.end() :]
        body = bytearray(text.encode())
        if body and draw(st.integers(0, 7)) == 0:
            body[draw(st.integers(0, len(body) - 1))] = draw(st.sampled_from(list(b'"\\{}[],:0.e \x00\xff\xc3t')))
        stream.append(bytes(body))
        if draw(st.booleans()):
            texts[draw(st.integers(0, len(texts) - 1))] = text
    return stream


NEW_SCALARS = (
    SCALARS.map(json.dumps)
    | st.text(max_size=10).map(lambda text: json.dumps(text, ensure_ascii=False))
    | st.sampled_from(
        ['"a\\n"', '"\\ud83d"', '"\\ud83d\\ude00"', '"1"', "1", "1.0", "-0", "-0.0", "1e400", "01", "1.", "-", "null",
         "true", "Infinity", "-Infinity", "[]", "{}", '"type"', "9" * 700, "9" * 20, '"error"',
         '"response.output_text.delta"']
    )
)  # fmt: skip


@st.composite
def chunks_of(draw: st.DrawFn, body: bytes) -> list[Any]:
    """``body`` in random pieces of every type that has bytes."""
    if draw(st.integers(0, 3)) == 0:
        pieces = cut(body, *range(1, len(body)))
    else:
        pieces = cut(body, *draw(st.lists(st.integers(0, len(body)), max_size=8)))
    make = draw(st.sampled_from([bytes, bytearray, memoryview]))
    return [make(piece) for piece in pieces]


def test_the_parser_in_use_is_the_one_that_the_environment_asks_for() -> None:
    built = importlib.util.find_spec("eugpt_fast._core") is not None
    expected = "native" if built and not PURE_ONLY else "pure"
    assert eugpt_fast.build_info()["backend"] == expected
    assert (cast(Any, eugpt_fast).Parser is _pure.Parser) == (expected == "pure")
    assert (cast(Any, eugpt_fast).SSEParser is _pure.SSEParser) == (expected == "pure")


def test_both_modules_have_the_same_public_names(native: ModuleType) -> None:
    for name in ("Parser", "ResponseParser", "SSEParser", "ServerSentEvent"):
        public = [{a for a in dir(getattr(module, name)()) if not a.startswith("_")} for module in (native, _pure)]
        assert public[0] == public[1], name


@given(st.data(), st.lists(json_texts(), max_size=6), LINE_ENDS)
def test_generated_documents_have_the_values_of_json_loads(data: st.DataObject, texts: list[str], end: bytes) -> None:
    body = b"".join(b"data: " + text.encode() + end * 2 for text in texts)
    expected = [("event", repr(json.loads(text))) for text in texts]
    for parser in (eugpt_fast.Parser(), _pure.Parser()):
        assert feed_all(parser, data.draw(chunks_of(body))) == expected


@given(similar_texts(), ONLY)
def test_a_stream_that_repeats_itself_is_read_as_if_every_event_were_the_first(
    payloads: list[bytes], only: list[str] | None
) -> None:
    bodies = [b"".join(b"data: " + line + b"\n" for line in payload.split(b"\n")) + b"\n" for payload in payloads]
    log = [entry for body in bodies for entry in feed_all(_pure.Parser(), [body])]
    assert feed_all(eugpt_fast.Parser(), bodies) == log
    assert feed_all(eugpt_fast.Parser(), [b"".join(bodies)]) == log
    assert feed_all(eugpt_fast.Parser(only=only), bodies) == feed_all(_pure.Parser(only=only), bodies)
    for method in ("feed", "skim"):
        parsers = [cls(only=only) for cls in (ResponseParser, _pure.ResponseParser)]
        assert feed_all(parsers[0], bodies, method) == feed_all(parsers[1], bodies, method)
        assert repr(account_of(parsers[0])) == repr(account_of(parsers[1]))


@given(similar_texts())
def test_what_a_caller_does_to_an_event_shows_in_no_other(payloads: list[bytes]) -> None:
    parser = eugpt_fast.Parser()
    for payload in payloads:
        body = b"data: " + payload.replace(b"\n", b" ") + b"\n\n"
        expected = feed_all(_pure.Parser(), [body])
        with suppress(EventDecodeError):
            (event,) = parser.feed(body)
            assert [("event", repr(event))] == expected
            spoil(event)


def spoil(value: Any) -> None:
    if isinstance(value, dict):
        for inner in value.values():
            spoil(inner)
        value.clear()
        value["spoiled"] = True
    elif isinstance(value, list):
        for inner in value:
            spoil(inner)
        value[:] = ["spoiled"]


@given(st.data(), STREAMS, LIMITS)
def test_framing_is_the_same_whatever_the_chunks(data: st.DataObject, body: bytes, limit: int) -> None:
    parsers = [eugpt_fast.SSEParser(max_event_size=limit), _pure.SSEParser(max_event_size=limit)]
    expected = feed_all(parsers[1], [body])
    assert feed_all(parsers[0], data.draw(chunks_of(body))) == expected
    again = _pure.SSEParser(max_event_size=limit)
    assert feed_all(again, data.draw(chunks_of(body))) == expected
    assert account_of(parsers[0]) == account_of(parsers[1]) == account_of(again)


@given(st.data(), STREAMS, LIMITS, ONLY)
def test_values_and_errors_are_the_same_whatever_the_chunks(
    data: st.DataObject, body: bytes, limit: int, only: list[str] | None
) -> None:
    parsers = [module.Parser(only=only, max_event_size=limit) for module in (eugpt_fast, _pure)]
    expected = feed_all(parsers[1], [body])
    assert feed_all(parsers[0], data.draw(chunks_of(body))) == expected
    assert account_of(parsers[0]) == account_of(parsers[1])


@given(st.data(), STREAMS, LIMITS, ONLY, st.sampled_from(["feed", "skim"]))
def test_the_account_is_the_same_whatever_the_chunks(
    data: st.DataObject, body: bytes, limit: int, only: list[str] | None, method: str
) -> None:
    parsers = [cls(only=only, max_event_size=limit) for cls in (ResponseParser, _pure.ResponseParser)]
    expected = feed_all(parsers[1], [body], method)
    assert feed_all(parsers[0], data.draw(chunks_of(body)), method) == expected
    assert repr(account_of(parsers[0])) == repr(account_of(parsers[1]))


def result_of(call: Callable[[], Any]) -> str:
    try:
        return repr(call())
    except (EugptFastError, RuntimeError) as error:
        return f"{outcome_of(error)} after {getattr(error, 'events', None)!r}"


@given(st.data(), st.lists(PAYLOADS, min_size=1, max_size=6))
def test_one_call_gives_the_same_events_and_the_same_error(data: st.DataObject, payloads: list[bytes]) -> None:
    body = b"".join(b"data: " + payload + b"\n\n" for payload in payloads) + data.draw(GARBAGE)
    chunks = [body, *data.draw(st.lists(st.sampled_from([b"", b"\n", b"data: 1\n\n"]), max_size=5))]
    logs = []
    for parser in (eugpt_fast.Parser(max_event_size=1000), _pure.Parser(max_event_size=1000)):
        calls: list[Callable[[], Any]] = [partial(parser.feed, chunk) for chunk in chunks]
        logs.append([result_of(call) for call in [*calls, parser.finish]])
    assert logs[0] == logs[1]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"only": "error"}, TypeError),
        ({"only": 5}, TypeError),
        ({"only": [5]}, TypeError),
        ({"only": b"error"}, TypeError),
        ({"max_event_size": 0}, ValueError),
        ({"max_event_size": None}, TypeError),
        ({"max_event_size": 1.5}, TypeError),
        ({"max_event_size": "1"}, TypeError),
        ({"unknown": 1}, TypeError),
    ],
)
def test_wrong_arguments_are_refused_alike(backend: ModuleType, arguments: dict[str, Any], error: type) -> None:
    for cls in (backend.Parser, backend.ResponseParser):
        with pytest.raises(error):
            cls(**arguments)


def test_arguments_are_keyword_only_and_the_chunk_has_a_name(backend: ModuleType) -> None:
    for cls in (backend.Parser, backend.ResponseParser, backend.SSEParser):
        with pytest.raises(TypeError):
            cls(None)
        assert cls().feed(chunk=b": c\n") == []
