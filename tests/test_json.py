"""JSON values and errors are those of :func:`json.loads`, at the edges too."""

from __future__ import annotations

import copy
import json
import math
import pickle
import struct
import sys
from types import ModuleType
from typing import Any

import pytest
from conftest import feed_all, outcome_of
from eugpt_fast.errors import EventDecodeError, EventTooDeep

INTEGERS = [
    "0", "-0", "7", "-7",
    *(str(sign * 2**bits + off) for bits in (31, 32, 53, 63, 64, 127) for sign in (1, -1) for off in (-1, 0, 1)),
    "1" * 19, "9" * 19, "9" * 20, "1" + "0" * 100, "-" + "9" * 639, "9" * 640, "9" * 641, "-" + "9" * 4299,
    "9" * 4300,
]  # fmt: skip
FLOATS = [
    "0.0", "-0.0", "0e0", "-0e5", "1.0", "1e0", "1E5", "1e+5", "1e-5", "1.5E+3", "0.1", "0.30000000000000004",
    "1e400", "-1e400", "1e-400", "-1e-400", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324",
    "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "2.2250738585072011e-308",
    "9007199254740993.0", "1e22", "1e23", "8.41e21", "0." + "0" * 400 + "1", "1" * 400 + ".5",
    "123456789012345678901234567890.0", "0.1e1", "1e0000000000000001", "6.631236871469758276785396630275967e-4",
    "NaN", "Infinity", "-Infinity",
]  # fmt: skip
STRINGS = [
    '""', '"a"', '"é€😀"', '"\\u00e9"', '"\\u00E9"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\u0000"', '"\\u001f"', '"\x7f"',
    '"\x80\x9f"', '"\u2028\u2029"', '"\ufffd\ufffe\uffff\ufeff"', '"\\ud83d\\ude00"', '"\\uD83D\\uDE00"', '"\\ud83d"',
    '"\\ude00"', '"\\ude00\\ud83d"', '"\\ud83d\\ud83d\\ude00"', '"\\ud83d \\ude00"', '"\\ud83dx"', '"\\ud83d\\n"',
    '"\\ud83d\\u0041"', '"\\ud83d😀"', '"😀\\ude00"', '"\\ud83d\\\\ude00"', '"\\udbff\\udfff"', '"\\ud800\\udc00"',
    '"\\uffff"', '"aaaaaaa\\n"', '"aaaaaaaa\\n"', '"aaaaaaaaa\\"a"', '"' + "x" * 10_000 + '"',
    '"' + "é" * 10_000 + '\\n"',
]  # fmt: skip
OTHERS = [
    "null", "true", "false", "[]", "{}", "[[]]", "[{}]", '{"a":[]}', "[1,2,3]", '{"a":1,"b":{"c":[null,true,false]}}',
    '{"a":1,"a":2}', '{"a":1,"b":2,"a":3}', '{"a":{"x":1},"a":{"y":2}}', '{"\\u0061":1,"a":2}', '{"":0}',
    '{"\\ud800":1}', '{"\\n":1,"n":2}', " 1 ", "\t[ 1 ,\t2 ]\t",
    '  {  "a"  :  1  ,  "b"  :  [  ]  }  ', '["\\u0041",1.0,1]', '{"' + "k" * 40 + '":1,"' + "k" * 41 + '":2}',
    '{"aXb":1,"aYb":2,"aXc":3}', "[" + "1," * 5000 + "1]", "{" + ",".join(f'"key{n}":{n}' for n in range(2000)) + "}",
]  # fmt: skip
VALID = [*INTEGERS, *FLOATS, *STRINGS, *OTHERS]

BAD = [
    "", " ", "\t", "nul", "nulL", "Null", "nullx", "null null", "truefalse", "tru", "True", "nan", "-NaN", "+1",
    "+Infinity", "Infinit", "-Infinit", "-", "--1", "01", "-01", "00", "1.", ".5", "1.e5", "1e", "1e+", "1e-",
    "1.5.5", "0x10", "1_000", "1 2", "\u0661", "1\u0661", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", "[1 2]",
    "[1,,2]", "[1}", '{"a"', '{"a":', '{"a":1', '{"a":1,', '{"a":1,}', '{"a" 1}', '{"a"}', "{a:1}", "{1:1}",
    "{'a':1}", "{,}",
    '{"a":1 "b":2}', '{"a":1,,"b":2}', '{"a":1]', "[]]", "{}}", "[] []", '"', '"a', "'a'", '"\\', '"\\"', '"\\x"',
    '"\\u"', '"\\u1"', '"\\u12"', '"\\u123"', '"\\u123g"', '"\\u-123"', '"\\u+123"', '"\\u 123"', '"\\u1_23"',
    '"\\u0x1f"', '"\\ud83d\\u"', '"\\ud83d\\u12"', '"\\ud83d\\x"', '"\\U0001F600"', '"\\é"', '"\\u12é4"', '"\t"',
    '"\x00"', '"\x1f"', '"aaaaaaaa\x1f"', "\x00", "1\x00", "\x0c1", "\x0b1", "\xa01", "\ufeff1", '\ufeff{"a":1}',
    "[1]\ufeff", "/**/1", "1//", "[1,2,3", '{"a":{"b":[1,{"c":2}', "[DONE", "DONE]", "[done]", "[DONE] x", "[ DONE ]",
    '["a",é]', "é", "\ufffd", "9" * 4301 + "x",
]  # fmt: skip
LONG_INTEGERS = [
    "9" * 4301,
    "-" + "9" * 4301,
    "[1, " + "9" * 5000 + "]",
    '{"a": "b", "c": {"d": ' + "1" * 10_000 + "}}",
]


def stream_of(payload: str) -> bytes:
    """One event; each line of the payload is a data line of its own."""
    return "".join(f"data: {line}\n" for line in payload.split("\n")).encode() + b"\n"


def expected_of(payload: str) -> list[tuple[str, ...]]:
    try:
        return [("event", repr(json.loads(payload)))]
    except json.JSONDecodeError as error:
        return [outcome_of(EventDecodeError(error.msg, error.doc, error.pos))]
    except ValueError as error:
        return [outcome_of(EventDecodeError(str(error), payload, 0))]


def short(payload: str) -> str:
    return repr(payload[:30])[1:-1] + ("…" if len(payload) > 30 else "")


@pytest.mark.parametrize("payload", [*VALID, *BAD, *LONG_INTEGERS], ids=short)
def test_every_way_to_read_a_payload_agrees_with_json_loads(backend: ModuleType, payload: str) -> None:
    expected = expected_of(payload)
    body = stream_of(payload)
    assert feed_all(backend.Parser(), [body]) == expected
    assert feed_all(backend.Parser(), [body[:7], body[7:]]) == expected
    assert feed_all(backend.ResponseParser(), [body]) == expected
    # A payload that nobody asked for is checked all the same.
    errors = [entry for entry in expected if entry[0] == "raised"]
    assert feed_all(backend.Parser(only=[]), [body]) == errors
    assert feed_all(backend.ResponseParser(), [body], "skim") == errors


@pytest.mark.parametrize("only", [None, [], ["x"]])
def test_payloads_are_the_same_values_however_often_they_came_before(
    backend: ModuleType, only: list[str] | None
) -> None:
    parser = backend.Parser(only=only)
    for payload in [*VALID, *BAD]:
        for value in (payload, payload, "1", payload, '"x"', payload, "null", payload):
            text = '{"type": "x", "value": [' + value + "]}"
            expected = [entry for entry in expected_of(text) if only != [] or entry[0] == "raised"]
            assert feed_all(parser, [stream_of(text)]) == expected


@pytest.mark.parametrize("payload", [*VALID, *BAD, *LONG_INTEGERS], ids=short)
def test_the_json_of_a_server_sent_event_agrees_with_json_loads(backend: ModuleType, payload: str) -> None:
    (event,) = backend.SSEParser().feed(stream_of(payload))
    found: tuple[str, ...]
    try:
        found = ("event", repr(event.json()))
    except EventDecodeError as error:
        found = outcome_of(error)
    assert [found] == expected_of(payload)


@pytest.mark.parametrize("payload", FLOATS)
def test_floats_are_equal_to_the_bit(backend: ModuleType, payload: str) -> None:
    ((found,),) = backend.Parser().feed(stream_of(f"[{payload}]"))
    assert struct.pack("<d", found) == struct.pack("<d", json.loads(payload))


@pytest.mark.parametrize("literal", ["NaN", "1", "true", "null", '"a"', "[]", "{}", "1.0"])
def test_types_are_exact(backend: ModuleType, literal: str) -> None:
    (found,) = backend.Parser().feed(stream_of(literal))
    assert type(found) is type(json.loads(literal))


def test_constants_are_singletons_and_nan_is_nan(backend: ModuleType) -> None:
    (found,) = backend.Parser().feed(b"data: [null, true, false, NaN]\n\n")
    assert found[0] is None
    assert found[1] is True
    assert found[2] is False
    assert math.isnan(found[3])


def truncations() -> list[str]:
    document = (
        '{"a": [1, -2.5e+3, "x\\u00e9\\ud83d\\ude00\\n€"], "b": {"c": null, "d": true}, "f": [NaN, -Infinity, {}, []]}'
    )
    return [document[:at] for at in range(len(document))]


@pytest.mark.parametrize("payload", truncations())
def test_every_beginning_of_a_document_is_refused_as_json_loads_does(backend: ModuleType, payload: str) -> None:
    expected = expected_of(payload)
    assert expected[0][0] == "raised"
    assert feed_all(backend.Parser(), [stream_of(payload)]) == expected
    assert feed_all(backend.Parser(only=[]), [stream_of(payload)]) == expected


@pytest.mark.parametrize("junk", ["x", "1", "}", "]", ",", "\x00", "\u2028", "\xa0", "null", "[DONE]"])
@pytest.mark.parametrize("document", ["1", '"a"', "[1]", '{"a":1}', "null", "1.5"])
def test_data_behind_the_document_is_refused(backend: ModuleType, document: str, junk: str) -> None:
    for payload in (document + junk, f"{document} {junk}"):
        assert feed_all(backend.Parser(), [stream_of(payload)]) == expected_of(payload)
        assert feed_all(backend.Parser(only=[]), [stream_of(payload)]) == [
            entry for entry in expected_of(payload) if entry[0] == "raised"
        ]


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\xe2\x82", b"\x80"])
def test_bad_utf_8_becomes_u_fffd_before_json_sees_it(backend: ModuleType, bad: bytes) -> None:
    for body in (b'{"a": "x' + bad + b'y", "k' + bad + b'": 1}', b'["' + bad + b'\\n"]', bad, b"[1]" + bad):
        stream = b"data: " + body + b"\n\n"
        assert feed_all(backend.Parser(), [stream]) == expected_of(body.decode("utf-8", "replace"))


def test_a_document_may_lie_on_several_data_lines(backend: ModuleType) -> None:
    document = json.dumps({"a": [1, {"b": "c"}], "d": None}, indent=2)
    assert backend.Parser().feed(stream_of(document)) == [json.loads(document)]
    broken = document.replace('"c"', '"c')
    assert feed_all(backend.Parser(), [stream_of(broken)]) == expected_of(broken)


def test_an_error_names_line_and_column_as_json_does(backend: ModuleType) -> None:
    with pytest.raises(json.JSONDecodeError) as caught:
        backend.Parser().feed(b'data: {"a": 1}\n\ndata: {\ndata:  "b": x}\n\n')
    error = caught.value
    assert isinstance(error, EventDecodeError)
    assert (error.msg, error.doc, error.pos, error.lineno, error.colno) == ("Expecting value", '{\n "b": x}', 8, 2, 7)
    assert str(error) == "Expecting value: line 2 column 7 (char 8)"
    assert list[object](error.events) == [{"a": 1}]


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python has no limit")
def test_an_integer_beyond_the_interpreters_limit_is_a_decode_error(backend: ModuleType) -> None:
    digits = "9" * 4301
    with pytest.raises(ValueError, match="4300") as plain:
        json.loads(digits)
    with pytest.raises(EventDecodeError) as caught:
        backend.Parser().feed(stream_of(digits))
    assert (caught.value.msg, caught.value.doc, caught.value.pos) == (str(plain.value), digits, 0)


@pytest.mark.skipif(not hasattr(sys, "get_int_max_str_digits"), reason="this Python has no limit")
@pytest.mark.thread_unsafe(reason="the limit is the whole interpreter's")
@pytest.mark.parametrize("limit", [640, 641, 0])
def test_the_interpreters_limit_is_obeyed_as_it_is_set(backend: ModuleType, limit: int) -> None:
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        for payload in ("9" * 640, "-" + "9" * 640, "9" * 641, "-" + "9" * 641, "9" * 642, "[" + "9" * 5000 + "]"):
            expected = expected_of(payload)
            for only in (None, list[str]()):
                log = feed_all(backend.Parser(only=only), [stream_of(payload)])
                assert log == [entry for entry in expected if only is None or entry[0] == "raised"]
    finally:
        sys.set_int_max_str_digits(before)


# Nesting.

OPEN_CLOSE = [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")]


@pytest.mark.parametrize(("opening", "closing"), OPEN_CLOSE)
@pytest.mark.parametrize("depth", [1, 98, 99, 100, 101, 198, 199, 200, 201, 500])
def test_nesting_of_500_is_read(backend: ModuleType, opening: str, closing: str, depth: int) -> None:
    depth = depth // len(closing)
    payload = opening * depth + "1" + closing * depth
    (found,) = backend.Parser().feed(stream_of(payload))
    assert found == json.loads(payload)
    assert backend.Parser(only=[]).feed(stream_of(payload)) == []
    assert backend.Parser(only=["x"]).feed(stream_of('{"type":"x","y":' + payload + "}")) == [{"type": "x", "y": found}]


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize(("opening", "closing"), OPEN_CLOSE)
def test_nesting_of_100_000_is_a_recursion_error_and_the_parser_goes_on(
    backend: ModuleType, opening: str, closing: str, closed: bool
) -> None:
    payload = opening * 100_000 + "1" + closing * 100_000 * closed
    for parser, method in (
        (backend.Parser(), "feed"),
        (backend.Parser(only=[]), "feed"),
        (backend.ResponseParser(), "skim"),
    ):
        feed = getattr(parser, method)
        with pytest.raises(RecursionError) as caught:
            feed(b'data: {"type": "error"}\n\n' + stream_of(payload) + b'data: {"type": "error", "n": 2}\n\n')
        assert isinstance(caught.value, EventTooDeep)
        assert isinstance(caught.value, EventDecodeError)
        assert isinstance(caught.value, json.JSONDecodeError)
        assert (caught.value.doc, caught.value.pos) == (payload, 0)
        assert caught.value.events == [{"type": "error"}]
        assert feed(b"") == [{"type": "error", "n": 2}]
        parser.finish()


# What passes through, and what is no event.


@pytest.mark.parametrize("payload", ["1", "-1.5", '"text"', "null", "true", "[1,2]", "[]", '"[DONE]"', '["DONE"]'])
def test_valid_json_that_is_no_object_passes_through(backend: ModuleType, payload: str) -> None:
    assert backend.Parser().feed(stream_of(payload)) == [json.loads(payload)]
    assert backend.Parser(only=["x"]).feed(stream_of(payload)) == []


@pytest.mark.parametrize(
    "payload", ["[DONE]", " [DONE]", "  [DONE]  ", "\t[DONE]\t", "[DONE] ", "\n[DONE]\n", "\x0c[DONE]"]
)
def test_done_is_an_end_mark_and_no_event(backend: ModuleType, payload: str) -> None:
    for parser, method in (
        (backend.Parser(), "feed"),
        (backend.Parser(only=[]), "feed"),
        (backend.ResponseParser(), "skim"),
    ):
        assert getattr(parser, method)(stream_of(payload) + b'data: {"type":"error"}\n\n') == [{"type": "error"}]
    assert [event.data for event in backend.SSEParser().feed(stream_of(payload))] == [payload]


def test_equal_payloads_give_independent_objects(backend: ModuleType) -> None:
    parser = backend.Parser()
    body = b'data: {"a": {"b": [1]}, "c": []}\n\n'
    first, second = parser.feed(body * 2)
    (third,) = parser.feed(body)
    first["a"]["b"].append(2)
    first["c"].append(3)
    second["new"] = 1
    assert third == {"a": {"b": [1]}, "c": []}
    assert parser.feed(body) == [third]


def test_errors_survive_pickle_and_copy(backend: ModuleType) -> None:
    with pytest.raises(EventDecodeError) as caught:
        backend.Parser().feed(b"data: 1\n\ndata: {\n\n")
    for twin in (pickle.loads(pickle.dumps(caught.value)), copy.copy(caught.value)):
        assert outcome_of(twin) == outcome_of(caught.value)
        assert twin.events == [1]


def test_one_bad_payload_loses_no_event_around_it(backend: ModuleType) -> None:
    payloads: list[Any] = ["1", "{", "2", "3", "nope", "{}x", "4"]
    body = b"".join(map(stream_of, payloads))
    expected = [entry for payload in payloads for entry in expected_of(payload)]
    for size in (len(body), 1, 9, 20):
        chunks = [body[at : at + size] for at in range(0, len(body), size)]
        assert feed_all(backend.Parser(), chunks) == expected
