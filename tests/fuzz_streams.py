"""Mutated streams in random pieces, for `fuzz_twin`: every round is made of its seed and number alone."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import random_cuts
from eugpt_fast import testing
from test_twin import KINDS, TOKENS

DATA = Path(__file__).parent / "data"
SOURCES = [path.read_bytes() for path in sorted(DATA.glob("*.sse"))] + [
    make(count).body
    for make in (testing.openai_stream, testing.lean_stream, testing.tool_call_stream, testing.unicode_stream)
    for count in (4, 60)
]
SOURCES += [testing.reasoning_stream(30).body, testing.big_event_stream(20_000).body]
FAULTS = [fault for fault in testing.Fault if not fault.in_transport]
SCALAR = re.compile(rb'"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|null|true|false')
SCALARS = [
    b'""', b'"a\\n"', b'"\\ud83d"', b'"\\ud83d\\ude00"', b'"\xc3\xa9"', b'"\xff"', b'"\xed\xa0\x80"', b'"a\tb"', b'"1"',
    b'"\\x"', b'"\\u00e9\\u', b"1", b"1.0", b"-0", b"-0.0", b"1e400", b"01", b"1.", b"-", b"+1", b"null", b"true",
    b"nul", b"NaN", b"Infinity", b"-Infinity", b"[]", b"{}", b'{"type":"error"}', b"9" * 18, b"9" * 19, b"9" * 700,
    b"9" * 5000,
    b"9223372036854775807", b"-9223372036854775808", b"1" + b"0" * 400 + b".5", b"[" * 60 + b"]" * 60, b"[" * 2000,
    b"", b"[DONE]", b'"type"', b'"delta"', b'"response"', *(b'"%b"' % kind.encode() for kind in KINDS),
]  # fmt: skip
BLOCK_ENDS = re.compile(rb"(?<=\n\n)|(?<=\r\n\r\n)")


@dataclass(frozen=True)
class Reading:
    """One stream in pieces, and who reads it."""

    kind: str
    options: dict[str, Any]
    pieces: tuple[bytes, ...]
    methods: tuple[str, ...]
    """The method that takes each piece."""
    type: Callable[[bytes], Any]
    """Of the pieces."""


def _reading(dice: random.Random) -> Reading:
    body = _stream(dice)
    pieces = tuple(_cut(dice, body))
    kind = dice.choice(["SSEParser", "Parser", "ResponseParser", "ResponseParser"])
    options: dict[str, Any] = {}
    if dice.random() < 0.3:
        options["max_event_size"] = dice.choice([dice.randint(1, 400), dice.randint(400, 20_000)])
    if kind != "SSEParser" and dice.random() < 0.4:
        options["only"] = dice.sample([*KINDS, "\ud800"], dice.randint(0, 4))
    methods = ["feed"]
    if kind == "ResponseParser":
        methods = dice.choice([["feed"], ["skim"], ["feed", "skim"]])
    taken = tuple(dice.choice(methods) for _ in pieces)
    return Reading(kind, options, pieces, taken, dice.choice([bytes, bytes, bytearray, memoryview]))


def _stream(dice: random.Random) -> bytes:
    """Parts of realistic streams, with faults, changed scalars and bytes, and blocks that come twice or never."""
    parts: list[bytes] = []
    for _ in range(dice.choice([1, 1, 2])):
        body = dice.choice(SOURCES)
        for _ in range(dice.choice([0, 0, 1, 2])):
            body = testing.damage(body, dice.choice(FAULTS))
        blocks = BLOCK_ENDS.split(body)
        start = dice.randrange(len(blocks))
        parts += blocks[start : start + dice.choice([3, 40, 80])]
    for _ in range(dice.choice([0, 1, 3, 12])):
        at = dice.randrange(len(parts))
        parts[at] = dice.choice(CHANGES)(dice, parts[at])
    for _ in range(dice.choice([0, 0, 2])):
        parts.insert(dice.randint(0, len(parts)), dice.choice(parts))
    for _ in range(dice.choice([0, 0, 3])):
        parts.insert(dice.randint(0, len(parts)), b"".join(dice.choices(TOKENS, k=dice.randint(1, 8))))
    return b"".join(parts)


def _change_scalar(dice: random.Random, block: bytes) -> bytes:
    found = list(SCALAR.finditer(block))
    if not found:
        return block
    place = dice.choice(found)
    return block[: place.start()] + dice.choice(SCALARS) + block[place.end() :]


def _change_bytes(dice: random.Random, block: bytes) -> bytes:
    at = dice.randint(0, len(block))
    junk = dice.choice([b"", *TOKENS, bytes([dice.randrange(256)]), b'"', b"\\", b",", b"}", b"]"])
    return block[:at] + junk + block[at + dice.choice([0, 1, 1, 4]) :]


def _change_lines(dice: random.Random, block: bytes) -> bytes:
    end = dice.choice([b"\n", b"\r", b"\r\n"])
    lines = block.splitlines()
    dice.shuffle(lines)
    return b"".join(line + end for line in lines) + dice.choice([end, b"\n", b""])


def _change_data(dice: random.Random, block: bytes) -> bytes:
    """A payload over two lines, or with blanks."""
    old, new = dice.choice([(b",", b",\ndata: "), (b"data: ", b"data:"), (b'":', b'" : '), (b"\n\n", b" \n\n")])
    return block.replace(old, new, dice.choice([1, -1]))


CHANGES = [_change_scalar, _change_scalar, _change_scalar, _change_bytes, _change_lines, _change_data]


def _cut(dice: random.Random, body: bytes) -> Iterator[bytes]:
    kind = dice.randrange(4)
    if kind == 0:
        return iter([body])
    if kind == 1:
        return iter(BLOCK_ENDS.split(body))
    return iter(dice.choice(list(random_cuts(body, dice.random()))))


def round_of(seed: int, number: int) -> list[Reading]:
    """The readings of a round, which take turns."""
    dice = random.Random(f"{seed} {number}")
    return [_reading(dice) for _ in range(dice.choice([1, 1, 1, 2, 3]))]
