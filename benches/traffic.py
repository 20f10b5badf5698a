"""Traffic that the goals and the instruction counts are about, beside that of the tables."""

import json
import random
import re
import string
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from eugpt_fast.testing import reasoning_stream, tool_call_stream

from . import ROOT
from .shapes import Shape

_RECORDED = ROOT.parent / "shared" / "streams" / "recorded"
_END_MARK = re.compile(rb"^data: \[DONE\]\r?\n\r?\n", re.MULTILINE)
_ENOUGH = 100_000  # bytes: a round over less is too short for the clock
_TURNS = 20
_MEMBER = re.compile(rb'(?<!\\)"(\w+)": ?("(?:[^"\\]|\\.)*"|-?\d[\d.]*)')
_WORDS = re.compile(rb"\\u....|\\.|\w+")
_SAME_IN_ALL = {
    b"type", b"object", b"status", b"role", b"model", b"name", b"code", b"effort", b"verbosity", b"phase",
    b"service_tier", b"truncation", b"tool_choice", b"finish_reason", b"temperature", b"top_p", b"sequence_number",
    b"index", b"output_index", b"content_index", b"summary_index",
}  # fmt: skip
"""Keys of what says the same in every stream of a kind; everything else is ids, texts and counts."""


def tools_shape() -> Shape:
    return Shape("tools", "tool-call arguments, two calls in turns", [tool_call_stream(1000).body])


def reasoning_shape() -> Shape:
    return Shape("reasoning", "a reasoning summary, then text", [reasoning_stream(1000).body])


def messages_shape() -> Shape:
    """How a long answer ends, escapes included."""
    text = 'The morning, "because" of the government.\n\n' * 40
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    message = {"id": "msg_0a41c39e", "type": "message", "status": "completed", "content": [part], "role": "assistant"}
    return _completed("1 MB, messages", [message] * 520)


def long_text_shape() -> Shape:
    part = {"type": "output_text", "text": "Plain words, one after another. " * 2**15}
    return _completed("1 MB, one text", [{"id": "msg_0a41c39e", "content": [part]}])


def _completed(name: str, output: list[Any]) -> Shape:
    response = {"id": "resp_0a41c39e", "status": "completed", "output": output, "temperature": 1.0, "metadata": {}}
    event = {"type": "response.completed", "sequence_number": 9, "response": response}
    data = json.dumps(event, separators=(",", ":"))
    return Shape(name, f"response.completed of {name}", [f"event: response.completed\ndata: {data}\n\n".encode()])


def recorded_shapes() -> list[Shape]:
    """Every recorded stream by itself, none where there are none; an end mark, which is no JSON, is left out."""
    return [
        Shape(path.stem, f"recorded: {path.stem}", [_END_MARK.sub(b"", path.read_bytes())])
        for path in sorted(_RECORDED.glob("*.sse"))
    ]


def repeated(shape: Shape) -> Shape:
    """More streams of the same kind, as many as it takes to see them on the clock, no two alike."""
    chance = random.Random(0)
    count = 1 + _ENOUGH // shape.size
    return replace(shape, streams=[another(stream, chance) for _ in range(count) for stream in shape.streams])


def in_turns(shapes: Iterable[Shape]) -> Shape:
    """Streams of all these kinds, none after one of its own kind if it can be helped, no two alike."""
    chance = random.Random(0)
    streams = [stream for shape in shapes for stream in shape.streams]
    turns = [another(stream, chance) for _ in range(_TURNS) for stream in chance.sample(streams, len(streams))]
    return Shape("recorded, in turns", f"{len(streams)} kinds of streams in turns", turns)


def another(stream: bytes, chance: random.Random) -> bytes:
    """The stream as another request might get it: other ids, texts and numbers, as long as they were."""
    alphabets = [string.ascii_lowercase, string.ascii_uppercase, string.digits[1:]]
    others = ["".join(chance.sample(alphabet, len(alphabet))) for alphabet in alphabets]
    table = bytes.maketrans("".join(alphabets).encode(), "".join(others).encode())

    def word(match: re.Match[bytes]) -> bytes:
        return match[0] if match[0].startswith(b"\\") else match[0].translate(table)

    def member(match: re.Match[bytes]) -> bytes:
        if match[1] in _SAME_IN_ALL:
            return match[0]
        return match[0].removesuffix(match[2]) + _WORDS.sub(word, match[2])

    return _MEMBER.sub(member, stream)
