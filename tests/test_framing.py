"""Framing vectors, written from the WHATWG text (HTML Standard, clauses 9.2.5 and 9.2.6)."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from conftest import cut, every_cut, feed_all, outcome_of
from eugpt_fast.errors import EventDecodeError, EventTooLarge, EventTruncated

BOM = b"\xef\xbb\xbf"


class Vector(NamedTuple):
    """A stream, the events (event, data, id, retry) in it, and what is left of it at its end."""

    body: bytes
    events: list[tuple[str, str, str, int | None]]
    last_event_id: str = ""
    retry: int | None = None
    truncated: str | None = None


def message(data: str, id: str = "", retry: int | None = None) -> tuple[str, str, str, int | None]:
    return "message", data, id, retry


def one(data: str) -> list[tuple[str, str, str, int | None]]:
    return [message(data)]


VECTORS = {
    # The examples of the standard.
    "standard: three data lines are one event": Vector(b"data: YHOO\ndata: +2\ndata: 10\n\n", one("YHOO\n+2\n10")),
    "standard: a comment, ids, an id reset, one space kept": Vector(
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [message("first event", "1"), message("second event"), message(" third event")],
    ),
    "standard: empty data, two empty data lines, an open block": Vector(
        b"data\n\ndata\ndata\n\ndata:", [message(""), message("\n")], truncated=""
    ),
    "standard: with and without the space it is the same": Vector(
        b"data:test\n\ndata: test\n\n", [message("test"), message("test")]
    ),
    "standard: named events": Vector(
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
        [("add", "73857293", "", None), ("remove", "2153", "", None)],
    ),
    # Line ends: "a CRLF pair, a single LF not preceded by a CR, a single CR not followed by a LF".
    "lines end at LF": Vector(b"data: a\ndata: b\n\n", one("a\nb")),
    "lines end at CR": Vector(b"data: a\rdata: b\r\r", one("a\nb")),
    "lines end at CRLF": Vector(b"data: a\r\ndata: b\r\n\r\n", one("a\nb")),
    "line ends may be mixed": Vector(b"data: a\rdata: b\ndata: c\r\ndata: d\n\r", one("a\nb\nc\nd")),
    "CRLF CR is a line end and a blank line": Vector(b"data: a\r\n\rdata: b\r\r\n", [message("a"), message("b")]),
    "LF CR is a line end and a blank line": Vector(b"data: a\n\rdata: b\n\n", [message("a"), message("b")]),
    "CRLF alone closes no block": Vector(b"data: a\r\n", [], truncated="a"),
    "many blank lines dispatch nothing more": Vector(
        b"\n\r\r\n\ndata: a\n\n\n\r\n\r\ndata: b\n\n", [message("a"), message("b")]
    ),
    "a blank line must be empty, not blank": Vector(b"data: a\n \ndata: b\n\n", one("a\nb")),
    "nothing else ends a line": Vector(
        "data: a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\x00j\n\n".encode(),
        one("a\u2028b\u2029c\x85d\x0be\x0cf\x1cg\x1dh\x1ei\x00j"),
    ),
    # The leading BOM.
    "one leading BOM is removed": Vector(BOM + b"data: a\n\n", one("a")),
    "only one leading BOM is removed": Vector(BOM + BOM + b"data: a\n\ndata: b\n\n", one("b")),
    "a BOM alone is an empty stream": Vector(BOM, []),
    "a BOM before a comment": Vector(BOM + b": c\ndata: a\n\n", one("a")),
    "a BOM before a blank line": Vector(BOM + b"\ndata: a\n\n", one("a")),
    "a BOM later in the stream is part of the line": Vector(b"\n" + BOM + b"data: a\n\ndata: b\n\n", one("b")),
    "a BOM in a value is kept": Vector(b"data: " + BOM + b"a\n\n", one("\ufeffa")),
    "the first byte of a BOM is none": Vector(BOM[:1] + b"data: a\ndata: b\n\n", one("b")),
    "the first two bytes of a BOM are none": Vector(BOM[:2] + b"data: a\ndata: b\n\n", one("b")),
    "part of a BOM and a line end": Vector(BOM[:2] + b"\ndata: b\n\n", one("b")),
    "part of a BOM and the end": Vector(BOM[:2], []),
    "something else that starts like a BOM": Vector(b"\xef\xbb\xbe: x\ndata: b\n\n", one("b")),
    # Comments and fields.
    "comments are ignored": Vector(b": hello\n:\n::\n:data: no\ndata: a\n: in between\ndata: b\n\n", one("a\nb")),
    "a comment alone dispatches nothing": Vector(b": hello\n\n", []),
    "one space behind the colon is removed": Vector(b"data:  a \n\ndata:\tb\n\n", [message(" a "), message("\tb")]),
    "only the first colon counts": Vector(b"data: a: b:c\n\ndata::\n\n", [message("a: b:c"), message(":")]),
    "a field without a colon has an empty value": Vector(b"data\n\nevent\ndata: a\n\n", [message(""), message("a")]),
    "empty data lines count": Vector(
        b"data:\n\ndata: \n\ndata:\ndata: a\ndata\n\n", [message(""), message(""), message("\na\n")]
    ),
    "a block without data dispatches nothing": Vector(b"event: x\n\nid: \n\nretry: x\n\ndata: a\n\n", one("a")),
    "unknown fields are ignored": Vector(b"datas: x\ndat: x\nfoo\nfoo: bar\n data: x\ndata : x\ndata: a\n\n", one("a")),
    "field names are case sensitive": Vector(b"Data: x\nDATA: x\nEvent: x\nID: 1\nRetry: 1\ndata: a\n\n", one("a")),
    "an event is named by the last name in its block": Vector(
        b"event: x\nevent: y\ndata: a\n\n", [("y", "a", "", None)]
    ),
    "an empty name means message": Vector(b"event: x\nevent:\ndata: a\n\n", one("a")),
    "the name does not outlive its block": Vector(
        b"event: x\ndata: a\n\ndata: b\n\n", [("x", "a", "", None), message("b")]
    ),
    "the name does not outlive a block without data": Vector(b"event: x\n\ndata: b\n\n", one("b")),
    "the name may follow the data": Vector(b"data: a\nevent: x\n\n", [("x", "a", "", None)]),
    # The id.
    "the id is sticky": Vector(b"id: 1\ndata: a\n\ndata: b\n\n", [message("a", "1"), message("b", "1")], "1"),
    "an id with NUL is ignored": Vector(
        b"id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\nid: \x00\ndata: c\n\n",
        [message("a", "1"), message("b", "1"), message("c", "1")],
        "1",
    ),
    "an empty id resets": Vector(
        b"id: 1\ndata: a\n\nid:\ndata: b\n\nid: 2\n\nid\ndata: c\n\n", [message("a", "1"), message("b"), message("c")]
    ),
    "a block without data sets the id too": Vector(b"id: 7\n\ndata: a\n\n", [message("a", "7")], "7"),
    "an id without a blank line behind it does not count yet": Vector(
        b"id: 1\ndata: a\n\nid: 2\n", [message("a", "1")], "1"
    ),
    "an id may hold anything else": Vector("id: é 1:2 \ndata: a\n\n".encode(), [message("a", "é 1:2 ")], "é 1:2 "),
    "the last id of a block wins": Vector(b"id: 1\nid: 2\ndata: a\n\n", [message("a", "2")], "2"),
    # The reconnection time: "if the field value consists of only ASCII digits".
    "retry sets the reconnection time": Vector(
        b"retry: 1500\ndata: a\n\ndata: b\n\n", [message("a", "", 1500), message("b")], retry=1500
    ),
    "retry counts at once": Vector(b"retry: 10\n", [], retry=10),
    "retry in a block without data counts": Vector(b"retry:10\n\ndata: a\n\n", one("a"), retry=10),
    "retry may have leading zeros": Vector(
        b"retry: 000" + b"0" * 40 + b"7\ndata: a\n\n", [message("a", "", 7)], retry=7
    ),
    "retry is base ten": Vector(b"retry: 010\nretry: 0x10\n", [], retry=10),
    "retry 0 is a time": Vector(b"retry: 0\ndata: a\n\n", [message("a", "", 0)], retry=0),
    "retry of anything but digits is ignored": Vector(
        b"retry: +5\nretry: -5\nretry: 5.0\nretry: 5 \nretry:  5\nretry: 5s\nretry: 1_0\nretry:\nretry\n"
        b"retry: \xd9\xa1\nretry: \xc2\xb2\ndata: a\n\n",
        one("a"),
    ),
    "a bad retry leaves the good one": Vector(b"retry: 5\nretry: x\ndata: a\n\n", [message("a", "", 5)], retry=5),
    "retry of 64 bits counts": Vector(b"retry: 18446744073709551615\n", [], retry=2**64 - 1),
    "retry beyond 64 bits is ignored": Vector(
        b"retry: 5\nretry: 18446744073709551616\nretry: " + b"9" * 30 + b"\n", [], retry=5
    ),
    # UTF-8: every maximal subpart of an invalid sequence is one U+FFFD.
    "a stray byte is one U+FFFD": Vector(b"data: a\xffb\x80c\n\n", one("a\ufffdb\ufffdc")),
    "overlong forms are one U+FFFD a byte": Vector(b"data: \xc0\xaf\xe0\x80\xaf\n\n", one("\ufffd" * 5)),
    "encoded surrogates are one U+FFFD a byte": Vector(b"data: \xed\xa0\x80\xed\xbf\xbf\n\n", one("\ufffd" * 6)),
    "beyond U+10FFFF it is one U+FFFD a byte": Vector(b"data: \xf4\x90\x80\x80\xf5\n\n", one("\ufffd" * 5)),
    "a cut sequence is one U+FFFD": Vector(
        b"data: a\xf1\x80\x80\xe1\x80\xc2b\x80c\x80\xbfd\n\n", one("a\ufffd\ufffd\ufffdb\ufffdc\ufffd\ufffdd")
    ),
    "a line end cuts a sequence": Vector(b"data: \xf0\x9f\x98\ndata: \x80\n\n", one("\ufffd\n\ufffd")),
    "bad UTF-8 in name and id": Vector(
        b"event: \xff\nid: \xe2\x82\ndata: a\n\n", [("\ufffd", "a", "\ufffd", None)], "\ufffd"
    ),
    "good UTF-8 of every length": Vector("data: é€😀\n\n".encode(), one("é€😀")),
    # The end: "Once the end of the file is reached, any pending data must be discarded."
    "the empty stream": Vector(b"", []),
    "an open block is no event": Vector(b"data: a\n\ndata: b\n", one("a"), truncated="b"),
    "an unfinished line is no event": Vector(b"data: a\n\ndata: b\ndata: c", one("a"), truncated="b\nc"),
    "a cut sequence at the end": Vector(b"data: b\xf0\x9f", [], truncated="b\ufffd"),
    "a field name cut short is no data": Vector(b"data: a\n\ndat", one("a")),
    "a comment or a name left open is no data": Vector(b"data: a\n\n: c\nevent: x\nid: 3\nret", one("a")),
}


def end_of(vector: Vector) -> list[tuple[str, ...]]:
    return [] if vector.truncated is None else [outcome_of(EventTruncated(vector.truncated))]


@pytest.mark.parametrize("name", VECTORS)
def test_the_standard_is_followed_whatever_the_chunks(backend: ModuleType, name: str) -> None:
    vector = VECTORS[name]
    expected = [("event", repr(backend.ServerSentEvent(*event))) for event in vector.events] + end_of(vector)
    for chunks in every_cut(vector.body):
        parser = backend.SSEParser()
        assert feed_all(parser, chunks) == expected, chunks
        assert (parser.last_event_id, parser.retry) == (vector.last_event_id, vector.retry), chunks


@pytest.mark.parametrize("name", VECTORS)
@pytest.mark.parametrize("cls", ["Parser", "ResponseParser"])
def test_the_json_parsers_frame_as_the_event_parser_does(backend: ModuleType, cls: str, name: str) -> None:
    vector = VECTORS[name]
    expected = [decoded(data) for _, data, _, _ in vector.events] + end_of(vector)
    for chunks in ([vector.body], cut(vector.body, *range(1, len(vector.body)))):
        parser = getattr(backend, cls)()
        assert feed_all(parser, chunks) == expected
        if cls == "Parser":
            assert (parser.last_event_id, parser.retry) == (vector.last_event_id, vector.retry)


def decoded(data: str) -> tuple[str, ...]:
    try:
        return ("event", repr(json.loads(data)))
    except json.JSONDecodeError as error:
        return outcome_of(EventDecodeError(error.msg, error.doc, error.pos))


def test_an_event_comes_with_the_byte_that_closes_it(backend: ModuleType) -> None:
    for body in (b"data: a\n\n", b"data: a\r\r", b"data: a\r\n\r", b"data: a\n\r"):
        parser = backend.SSEParser()
        counts = [len(parser.feed(body[at : at + 1])) for at in range(len(body))]
        assert counts == [0] * (len(body) - 1) + [1]


def test_a_cr_at_the_end_of_a_chunk_swallows_one_lf_only(backend: ModuleType) -> None:
    parser = backend.SSEParser()
    assert parser.feed(b"data: a\r") == []
    assert parser.feed(b"") == []
    assert parser.feed(b"\n") == []
    assert [event.data for event in parser.feed(b"\n")] == ["a"]


@pytest.mark.parametrize(
    "make",
    [bytes, bytearray, memoryview, lambda body: memoryview(bytearray(body)), lambda body: memoryview(body[::-1])[::-1]],
)
def test_a_chunk_may_be_anything_with_bytes(backend: ModuleType, make: Callable[[bytes], Any]) -> None:
    assert [event.data for event in backend.SSEParser().feed(make(b"data: a\n\n"))] == ["a"]
    assert backend.Parser().feed(make(b"data: [1]\n\n")) == [[1]]
    assert backend.ResponseParser().skim(make(b'data: {"type": "error"}\n\n')) == [{"type": "error"}]


def test_a_chunk_may_be_changed_once_it_was_fed(backend: ModuleType) -> None:
    parser, chunk = backend.SSEParser(), bytearray(b"data: a")
    parser.feed(chunk)
    chunk[:] = b"XXXXXXX"
    assert [event.data for event in parser.feed(b"b\n\n")] == ["ab"]


@pytest.mark.parametrize("chunk", ["data: a\n\n", None, 3, [b"data"], object()])
def test_a_chunk_without_bytes_is_a_type_error_and_changes_nothing(backend: ModuleType, chunk: Any) -> None:
    for cls in (backend.SSEParser, backend.Parser, backend.ResponseParser):
        parser = cls()
        parser.feed(b"data: ")
        with pytest.raises(TypeError):
            parser.feed(chunk)
        assert len(parser.feed(b"1\n\n")) == 1


def test_finish_may_be_called_again_and_again(backend: ModuleType) -> None:
    parser = backend.SSEParser()
    parser.finish()
    parser.feed(b"data: a")
    for _ in range(2):
        with pytest.raises(EventTruncated) as caught:
            parser.finish()
        assert caught.value.data == "a"
    assert len(parser.feed(b"\n\n")) == 1
    parser.finish()


def test_events_compare_hash_and_show_themselves(backend: ModuleType) -> None:
    event = backend.SSEParser().feed(b"event: n\ndata: d\nid: i\nretry: 5\n\n")[0]
    assert (event.event, event.data, event.id, event.retry) == ("n", "d", "i", 5)
    same = backend.ServerSentEvent(event="n", data="d", id="i", retry=5)
    assert event == same
    assert hash(event) == hash(same)
    assert repr(event) == "ServerSentEvent(event='n', data='d', id='i', retry=5)"
    assert backend.ServerSentEvent() == backend.ServerSentEvent("message", "", "", None)
    for other in ({"event": "m"}, {"data": "x"}, {"id": "x"}, {"retry": 6}, {"retry": None}):
        assert event != backend.ServerSentEvent(**{"event": "n", "data": "d", "id": "i", "retry": 5, **other})
    assert event != ("n", "d", "i", 5)
    with pytest.raises(AttributeError):
        event.data = "x"


# The limit of one event.

SIZES = [
    (b"data: 12345678\n\n", True),
    (b"data: 123456789\n\n", False),
    (b"data:12345678\n\n", True),
    (b"data:123456789\n\n", False),
    (b"data: 1234\ndata: 567\n\n", True),  # the joining LF counts
    (b"data: 1234\ndata: 5678\n\n", False),
    (b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", True),
    (b"data\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\ndata\n\n", False),
    ("data: éééé\n\n".encode(), True),  # bytes, not characters
    ("data: ééééé\n\n".encode(), False),
    (b"data: 12345678\r\n\r\n", True),
    (b"data: 123456789\r\n\r\n", False),
    (b"data: 1\n: comments never count, however long they are\ndata: 2\n\n", True),
    (b"event: name\nid: idid\ndata: 12345678\n\n", True),
    (b"data: 1\nignored: 12345678901234567890\n\n", False),  # no line may be kept without bound
]


@pytest.mark.parametrize(("body", "fits"), SIZES)
def test_the_limit_is_exact_whatever_the_chunks(backend: ModuleType, body: bytes, fits: bool) -> None:
    stream = b"data: before\n\n" + body + b"data: after\n\n"
    for chunks in every_cut(stream):
        parser = backend.SSEParser(max_event_size=8)
        log = feed_all(parser, chunks)
        assert [entry[0] for entry in log] == ["event", "event" if fits else "raised", "event"], chunks
        assert "data='before'" in log[0][1]
        assert "data='after'" in log[2][1]
        if not fits:
            assert log[1][1] == "EventTooLarge"
            assert "limit=8" in log[1]
            assert "8 bytes" in log[1][2]


DROPPED = [b"data: 123456789\n", b"data: 1234\ndata: 5678\n", b"data: 1\nother: 12345678901234567890\n"]
REST = [
    b"data: 1\n",
    b"data: 1234567890\n",
    b"id: 5\n",
    b"retry: 5\n",
    b"event: x\n",
    b": c\n",
    b"id: 12345678901234567890\n",
]


@pytest.mark.parametrize("dropped", DROPPED)
@pytest.mark.parametrize("rest", REST)
def test_the_rest_of_an_event_that_is_too_large_is_skipped(backend: ModuleType, dropped: bytes, rest: bytes) -> None:
    stream = b"id: 1\nevent: y\n" + dropped + rest + b"\ndata: after\n\n"
    for chunks in every_cut(stream):
        parser = backend.SSEParser(max_event_size=8)
        log = feed_all(parser, chunks)
        assert [entry[:2] for entry in log[:1]] == [("raised", "EventTooLarge")], chunks
        assert log[1:] == [("event", repr(backend.ServerSentEvent("message", "after", "1")))], chunks
        assert (parser.last_event_id, parser.retry) == ("1", None), chunks


def test_an_error_carries_the_events_before_it_and_the_next_call_those_behind(backend: ModuleType) -> None:
    parser = backend.SSEParser(max_event_size=8)
    with pytest.raises(EventTooLarge) as caught:
        parser.feed(b"data: a\n\ndata: b\n\ndata: 123456789\n\ndata: c\n\ndata: d")
    assert [event.data for event in caught.value.events] == ["a", "b"]
    assert caught.value.limit == 8
    assert [event.data for event in parser.feed(b"")] == ["c"]
    assert [event.data for event in parser.feed(b"e\n\n")] == ["de"]
    parser.finish()


def test_what_waits_behind_an_error_comes_with_the_next_chunk_too(backend: ModuleType) -> None:
    parser = backend.SSEParser(max_event_size=8)
    with pytest.raises(EventTooLarge):
        parser.feed(b"data: 123456789\n\ndata: a\n\ndata: b")
    assert [event.data for event in parser.feed(b"c\n\ndata: d\n\n")] == ["a", "bc", "d"]


def test_finish_says_that_events_wait_behind_an_error(backend: ModuleType) -> None:
    parser = backend.SSEParser(max_event_size=8)
    with pytest.raises(EventTooLarge):
        parser.feed(b"data: 123456789\n\ndata: a\n\n")
    with pytest.raises(RuntimeError, match="feed"):
        parser.finish()
    assert len(parser.feed(b"")) == 1
    parser.finish()


def test_a_line_without_end_raises_once_and_is_not_kept(backend: ModuleType) -> None:
    parser = backend.SSEParser(max_event_size=1000)
    errors = 0
    parser.feed(b"data: ")
    for _ in range(1000):
        try:
            assert parser.feed(b"x" * 100) == []
        except EventTooLarge:
            errors += 1
    assert errors == 1
    parser.finish()  # nothing of it is left
    assert [event.data for event in parser.feed(b"\n\ndata: a\n\n")] == ["a"]


def test_a_comment_without_end_is_no_event_and_no_error(backend: ModuleType) -> None:
    parser = backend.SSEParser(max_event_size=8)
    for _ in range(1000):
        assert parser.feed(b":" * 100) == []
    assert [event.data for event in parser.feed(b"\ndata: a\n\n")] == ["a"]


@pytest.mark.parametrize("limit", [0, -1, -(2**62)])
def test_a_limit_must_be_positive(backend: ModuleType, limit: int) -> None:
    for cls in (backend.SSEParser, backend.Parser, backend.ResponseParser):
        with pytest.raises(ValueError, match="max_event_size"):
            cls(max_event_size=limit)


def test_the_default_limit_is_64_mib(backend: ModuleType) -> None:
    value = b"x" * (64 * 2**20)
    assert len(backend.SSEParser().feed(b"data: " + value + b"\n\n")[0].data) == 64 * 2**20
    with pytest.raises(EventTooLarge) as caught:
        backend.SSEParser().feed(b"data: " + value + b"x\n\n")
    assert caught.value.limit == 64 * 2**20
