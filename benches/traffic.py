"""Traffic that the goals and the instruction counts are about, beside that of the tables."""

import json
import re
from dataclasses import replace
from typing import Any

from eugpt_fast.testing import reasoning_stream, tool_call_stream

from . import ROOT
from .shapes import Shape

_RECORDED = ROOT.parent / "shared" / "streams" / "recorded"
_END_MARK = re.compile(rb"^data: \[DONE\]\r?\n\r?\n", re.MULTILINE)
_ENOUGH = 100_000  # bytes: a round over less is too short for the clock


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
    """The same streams, as often as it takes to see them on the clock."""
    return replace(shape, streams=shape.streams * (1 + _ENOUGH // shape.size))
