"""Memory stays flat: over a million events, over errors, over parsers, and under lines without an end."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eugpt_fast import _pure
from eugpt_fast.errors import EventDecodeError, EventTooLarge

STATM = Path("/proc/self/statm")
pytestmark = pytest.mark.skipif(not STATM.exists(), reason="needs /proc")

MIB = 2**20
EVENT = '{"type": "a", "n": 1, "f": 1.5, "s": "\\u00e9\\n", "deep": {"list": [1, 12345678901, "x", null], "s": "é"}}'
BLOCK = f"id: 1\nevent: e\nretry: 5\ndata: {EVENT}\n\n".encode()


def resident() -> int:
    gc.collect()
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth(step: Callable[[], Any], times: int) -> int:
    """By how many bytes the process grows over ``times`` steps, the first tenth not counted."""
    for _ in range(max(1, times // 10)):
        step()
    before = resident()
    for _ in range(times):
        step()
    return resident() - before


def test_a_million_events_leave_nothing_behind(backend: ModuleType) -> None:
    parser = backend.Parser()
    body = BLOCK * 1000
    times = 200 if backend is _pure else 1000  # the twin is slow
    assert growth(lambda: parser.feed(body), times) < 2 * MIB


def test_documents_that_are_all_different_leave_nothing_behind(backend: ModuleType) -> None:
    parser = backend.ResponseParser()
    numbers = itertools.count()

    def step() -> None:
        number = next(numbers)
        value = "[" * (number % 7) + "1" + "]" * (number % 7)
        parser.feed(
            f'data: {{"type": "t{number}", "key{number}": {value}, "s": "{"x" * (number % 5000)}"}}\n\n'.encode()
        )

    assert growth(step, 20_000) < 2 * MIB


@pytest.mark.parametrize("method", ["feed", "skim"])
def test_the_account_of_a_stream_without_text_does_not_grow(backend: ModuleType, method: str) -> None:
    parser = backend.ResponseParser(only=["b"])
    body = (BLOCK + b'data: {"type":"response.in_progress","response":{"id":"r"},"sequence_number":1}\n\n') * 100
    assert growth(lambda: getattr(parser, method)(body), 400) < 2 * MIB


def test_events_of_the_event_parser_leave_nothing_behind(backend: ModuleType) -> None:
    parser = backend.SSEParser()
    body = BLOCK * 100
    assert growth(lambda: [event.json() for event in parser.feed(body)], 500) < 2 * MIB


def test_events_cut_anywhere_leave_nothing_behind(backend: ModuleType) -> None:
    parser = backend.Parser()
    pieces = [BLOCK[at : at + 11] for at in range(0, len(BLOCK), 11)]
    assert growth(lambda: [parser.feed(piece) for piece in pieces], 20_000) < 2 * MIB


BAD = [
    b"data: {bad\n\n",
    b'data: {"type": "x", "y": [\n\n',
    b"data: " + b"9" * 5000 + b"\n\n",
    b"data: " + b"x" * 9000 + b"\n\n",
]


def swallow(call: Callable[[bytes], Any], chunk: bytes) -> None:
    with contextlib.suppress(EventDecodeError, EventTooLarge):
        call(chunk)


@pytest.mark.parametrize("bad", BAD, ids=["syntax", "cut", "digits", "too large"])
@pytest.mark.parametrize("drained", [True, False])
def test_errors_leave_nothing_behind(backend: ModuleType, bad: bytes, drained: bool) -> None:
    parser = backend.Parser(max_event_size=8000)
    good = b'data: "' + b"x" * 1000 + b'"\n\n'
    body = good + bad + good

    def step() -> None:
        swallow(parser.feed, body)
        if drained:
            parser.feed(b"")

    assert growth(step, 4000) < 2 * MIB


def test_parsers_thrown_away_in_the_middle_leave_nothing_behind(backend: ModuleType) -> None:
    def step() -> None:
        for cls in (backend.Parser, backend.ResponseParser, backend.SSEParser):
            parser = cls()
            parser.feed(BLOCK + BLOCK[:-1])
        swallow(backend.Parser().feed, BLOCK + BAD[0] + BLOCK)

    assert growth(step, 5000) < 2 * MIB


@pytest.mark.parametrize("start", [b"data: ", b"id: ", b"event: ", b"retry: 1", b": ", b"", b"data: a\ndata: "])
def test_a_line_without_end_is_bounded_by_the_limit(backend: ModuleType, start: bytes) -> None:
    parser = backend.Parser(max_event_size=MIB // 4)
    piece = b"1" * (64 * 1024)
    parser.feed(start)
    assert growth(lambda: swallow(parser.feed, piece), 1000) < 2 * MIB


def test_data_lines_without_end_are_bounded_by_the_limit(backend: ModuleType) -> None:
    parser = backend.Parser(max_event_size=MIB // 4)
    piece = b"data: 1\n" * 1000
    assert growth(lambda: swallow(parser.feed, piece), 1000) < 2 * MIB


def test_the_buffer_of_one_large_event_is_given_back(backend: ModuleType) -> None:
    parser = backend.Parser()
    small = growth(lambda: parser.feed(BLOCK), 100)
    before = resident()
    for _ in range(40):
        parser.feed(b'data: "' + b"x" * MIB)
        parser.feed(b"x" * MIB + b'"\n\n')
    parser.feed(BLOCK)
    assert resident() - before < small + 10 * MIB


def test_a_hundred_open_parsers_that_once_read_a_large_event_are_small(backend: ModuleType) -> None:
    before = resident()
    parsers = [backend.Parser() for _ in range(100)]
    for parser in parsers:
        parser.feed(b'data: "' + b"x" * MIB)
        parser.feed(b'"\n\n')
        parser.feed(BLOCK)
    assert resident() - before < 30 * MIB
    assert len(parsers) == 100
