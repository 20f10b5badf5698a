"""Lines of an input: what is a request, and what is said of what is none."""

from __future__ import annotations

import io
import json

import pytest
from eugpt_fast.batch import lines
from eugpt_fast.batch.lines import InvalidLine, Line, digest, raw_lines, read_lines

from .jobs import request_line

BOM = b"\xef\xbb\xbf"


def read(data: bytes) -> list[Line | InvalidLine]:
    return list(read_lines(io.BytesIO(data)))


def reason(data: bytes) -> str:
    (line,) = read(data)
    assert isinstance(line, InvalidLine)
    return line.reason


def test_a_request() -> None:
    assert read(request_line("a", body={"input": "é"})) == [Line(1, "a", "/v1/responses", {"input": "é"})]


def test_both_endpoints() -> None:
    (line,) = read(request_line(url="/v1/chat/completions"))
    assert isinstance(line, Line)
    assert line.url == "/v1/chat/completions"


def test_blank_lines_count_and_are_left_out() -> None:
    found = read(b"\n" + request_line("a") + b" \t\r\n\n" + request_line("b") + b"\n")
    assert [(line.number, line.custom_id) for line in found] == [(2, "a"), (5, "b")]


def test_the_last_line_needs_no_end() -> None:
    assert [line.custom_id for line in read(request_line("a") + request_line("b").rstrip())] == ["a", "b"]


def test_crlf_ends_a_line() -> None:
    found = read(request_line("a").replace(b"\n", b"\r\n") * 2)
    assert all(isinstance(line, Line) for line in found)
    assert len(found) == 2


def test_only_lf_ends_a_line() -> None:
    text = "a\u2028b\u2029c\u0085d"
    raw = json.dumps(json.loads(request_line("a", body={"input": text})), ensure_ascii=False).encode()
    assert read(raw) == [Line(1, "a", "/v1/responses", {"input": text})]


def test_a_byte_order_mark_at_the_start() -> None:
    first, second = read(BOM + request_line("a") + BOM + request_line("b"))
    assert isinstance(first, Line)
    assert isinstance(second, InvalidLine)


def test_an_empty_file_has_no_lines() -> None:
    assert read(b"") == []


def test_positions_are_those_of_the_file() -> None:
    data = BOM + request_line("a") + b"\n" + request_line("b") + request_line("ü")
    for _, position, raw in raw_lines(io.BytesIO(data)):
        assert data[position:].startswith(raw)
    assert len(list(raw_lines(io.BytesIO(data)))) == 3


def test_a_line_that_is_too_long_is_skipped_wholly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 300)
    monkeypatch.setattr(lines, "_SKIP", 50)
    longest = request_line("a").rstrip().ljust(299) + b"\n"
    data = longest + request_line("b" * 1000) + request_line("b" * 300) + request_line("c")
    found = read(data)
    assert [isinstance(line, Line) for line in found] == [True, False, False, True]
    assert found[1] == InvalidLine(2, None, "longer than 300 bytes")
    assert found[3].number == 4
    assert [data[position:][: len(raw)] == raw for _, position, raw in raw_lines(io.BytesIO(data))] == [True] * 4


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"custom_id": ', "not JSON: Expecting value at character 15"),
        (b"{} {}", "not JSON: Extra data at character 3"),
        (b"hello", "not JSON: Expecting value at character 0"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b'{"custom_id": "\xff"}', "not UTF-8 at byte 15"),
        (request_line("a").decode().rstrip().encode("utf-16"), "not UTF-8 at byte 0"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"custom_id": NaN}', "not JSON: NaN is no JSON value"),
        (request_line(None), "custom_id is missing"),
        (request_line(7), "custom_id is not a string with something in it"),
        (request_line(""), "custom_id is not a string with something in it"),
        (request_line("\ud83d"), "custom_id holds half a surrogate pair"),
        (request_line(method="GET"), "method is not POST"),
        (request_line(method=None), "method is not POST"),
        (request_line(url="/v1/embeddings"), "url is neither /v1/responses nor /v1/chat/completions"),
        (request_line(url=None), "url is neither /v1/responses nor /v1/chat/completions"),
        (request_line(url=["/v1/responses"]), "url is neither /v1/responses nor /v1/chat/completions"),
        (request_line(body=None), "body is not a JSON object"),
        (request_line(body="hi"), "body is not a JSON object"),
    ],
)
def test_what_is_wrong(data: bytes, said: str) -> None:
    assert reason(data.rstrip(b"\n") + b"\n") == said


@pytest.mark.parametrize("body", [{"input": "\ud83d"}, {"seed": 2**64}], ids=["half a surrogate pair", "2**64"])
def test_a_body_that_cannot_be_sent_as_it_is(body: dict[str, object]) -> None:
    assert reason(request_line(body=body)).startswith("body cannot be sent: ")


def test_an_invalid_line_keeps_its_custom_id() -> None:
    (line,) = read(request_line("mine", method="GET"))
    assert line.custom_id == "mine"


def test_one_invalid_line_does_not_disturb_the_next() -> None:
    found = read(b"{\n" + request_line("b"))
    assert [type(line) for line in found] == [InvalidLine, Line]


def test_digests_differ_and_stay() -> None:
    assert len(digest("a")) == 16
    assert digest("a") == digest("a") != digest("b")
