"""Generated streams: complete, realistic and the same every time."""

import random
from dataclasses import dataclass
from typing import Any

from .faults import frame
from .words import foreign, obfuscation, prose

_RESPONSE_ID = "resp_0a41c39e5f7d28b60068f3b2d19c4881a2b7e6f05d93c8a417"
_MESSAGE_ID = "msg_0a41c39e5f7d28b60068f3b2d2e01481a2ac5b9f7e30d6184c"
_REASONING_ID = "rs_0a41c39e5f7d28b60068f3b2d23b7081a28e94d1c6f05ab273"


@dataclass(frozen=True)
class Generated:
    """A stream whose content is known.

    Args:
        body: the bytes of the stream.
        text: the output text it carries, all deltas joined.
        events: how many events it has.
    """

    body: bytes
    text: str
    events: int


def openai_stream(n_deltas: int = 2000, *, seed: int = 0) -> Generated:
    """An OpenAI text response: `n_deltas` deltas among 8 lifecycle events, 277 bytes per event at the default size."""
    return _text_response(prose(n_deltas, random.Random(seed)))


def unicode_stream(n_deltas: int = 200, *, seed: int = 0) -> Generated:
    r"""An OpenAI text response outside ASCII.

    It has CJK, emoji and the line ends that are none in SSE (U+2028, U+2029, U+0085). Every other delta is raw UTF-8,
    the ones between are `\u` escapes with surrogate pairs.
    """
    return _text_response(foreign(n_deltas, random.Random(seed)), escape_every_other=True)


def lean_stream(n_deltas: int = 2000, *, seed: int = 0) -> Generated:
    """EU GPT's own shape: events named `message`, deltas of nothing but type, sequence number and text."""
    words = prose(n_deltas, random.Random(seed))
    text = "".join(words)
    script = _Script(name="message")
    script.add("response.created", response=_response("in_progress"))
    for word in words:
        script.add("response.output_text.delta", delta=word)
    script.add("response.completed", response=_response("completed", [_message(text)], n_deltas))
    return script.generated(text)


def tool_call_stream(n_deltas: int = 40, *, seed: int = 0) -> Generated:
    """Two parallel function calls whose arguments come in turns, in `n_deltas` (at least 2) each. There is no text."""
    rng = random.Random(seed)
    pieces = [['{"query":"', *prose(n_deltas - 2, rng), '"}'] for _ in range(2)]
    calls = [_function_call(index, "".join(deltas)) for index, deltas in enumerate(pieces)]
    places: list[dict[str, Any]] = [{"item_id": call["id"], "output_index": index} for index, call in enumerate(calls)]
    script = _Script()
    _open_response(script)
    for index, call in enumerate(calls):
        item = {**call, "arguments": "", "status": "in_progress"}
        script.add("response.output_item.added", output_index=index, item=item)
    for turn in zip(*pieces, strict=True):
        for place, delta in zip(places, turn, strict=True):
            script.add("response.function_call_arguments.delta", **place, delta=delta, obfuscation=obfuscation(delta))
    for index, (place, call) in enumerate(zip(places, calls, strict=True)):
        script.add("response.function_call_arguments.done", **place, arguments=call["arguments"])
        script.add("response.output_item.done", output_index=index, item=call)
    script.add("response.completed", response=_response("completed", calls, 2 * n_deltas))
    return script.generated("")


def reasoning_stream(n_deltas: int = 100, *, seed: int = 0) -> Generated:
    """A reasoning summary of `n_deltas` deltas, then an output text of as many. The text is the output's."""
    rng = random.Random(seed)
    thoughts, words = prose(n_deltas, rng), prose(n_deltas, rng)
    part = {"type": "summary_text", "text": "".join(thoughts)}
    reasoning = {"id": _REASONING_ID, "type": "reasoning", "summary": [part]}
    place: dict[str, Any] = {"item_id": _REASONING_ID, "output_index": 0, "summary_index": 0}
    script = _Script()
    _open_response(script)
    script.add("response.output_item.added", output_index=0, item={**reasoning, "summary": []})
    script.add("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
    for thought in thoughts:
        script.add("response.reasoning_summary_text.delta", **place, delta=thought, obfuscation=obfuscation(thought))
    script.add("response.reasoning_summary_text.done", **place, text=part["text"])
    script.add("response.reasoning_summary_part.done", **place, part=part)
    script.add("response.output_item.done", output_index=0, item=reasoning)
    _output_text(script, words, output_index=1)
    text = "".join(words)
    script.add("response.completed", response=_response("completed", [reasoning, _message(text)], 2 * n_deltas))
    return script.generated(text)


def big_event_stream(size: int = 8 * 2**20) -> Generated:
    """Three events: created, one delta of `size` bytes of text, completed."""
    text = ("The quick brown fox jumps over the lazy dog. " * (size // 45 + 1))[:size]
    script = _Script()
    script.add("response.created", response=_response("in_progress"))
    script.add("response.output_text.delta", item_id=_MESSAGE_ID, output_index=0, content_index=0, delta=text)
    script.add("response.completed", response=_response("completed", [], 1))
    return script.generated(text)


class _Script:
    """The events of a stream, numbered as they are added."""

    def __init__(self, name: str | None = None) -> None:
        self._name = name
        self._events: list[bytes] = []

    def add(self, event_type: str, *, escape: bool = False, **fields: Any) -> None:
        payload = {"type": event_type, "sequence_number": len(self._events), **fields}
        self._events.append(frame(payload, name=self._name, escape=escape))

    def generated(self, text: str) -> Generated:
        return Generated(b"".join(self._events), text, len(self._events))


def _text_response(deltas: list[str], *, escape_every_other: bool = False) -> Generated:
    script = _Script()
    _open_response(script)
    text = _output_text(script, deltas, escape_every_other=escape_every_other)
    script.add("response.completed", response=_response("completed", [_message(text)], len(deltas)))
    return script.generated(text)


def _open_response(script: _Script) -> None:
    script.add("response.created", response=_response("in_progress"))
    script.add("response.in_progress", response=_response("in_progress"))


def _output_text(script: _Script, deltas: list[str], *, output_index: int = 0, escape_every_other: bool = False) -> str:
    """Add one message item from `added` to `done`; return its text."""
    text = "".join(deltas)
    message = _message(text)
    [part] = message["content"]
    place: dict[str, Any] = {"item_id": _MESSAGE_ID, "output_index": output_index, "content_index": 0}
    script.add(
        "response.output_item.added",
        output_index=output_index,
        item={**message, "status": "in_progress", "content": []},
    )
    script.add("response.content_part.added", **place, part={**part, "text": ""})
    for index, delta in enumerate(deltas):
        script.add(
            "response.output_text.delta",
            escape=escape_every_other and index % 2 == 1,
            **place,
            delta=delta,
            logprobs=[],
            obfuscation=obfuscation(delta),
        )
    script.add("response.output_text.done", **place, text=text, logprobs=[])
    script.add("response.content_part.done", **place, part=part)
    script.add("response.output_item.done", output_index=output_index, item=message)
    return text


def _message(text: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": "output_text", "annotations": [], "logprobs": [], "text": text}
    return {"id": _MESSAGE_ID, "type": "message", "status": "completed", "content": [part], "role": "assistant"}


def _function_call(index: int, arguments: str) -> dict[str, Any]:
    return {
        "id": f"fc_0a41c39e5f7d28b60068f3b2d2{index:02}4c81a2f1d7b08c95e364a2",
        "type": "function_call",
        "status": "completed",
        "arguments": arguments,
        "call_id": f"call_Zk3vT9qLw{index:02}RbXm7HsYdNcAo",
        "name": ("search_documents", "search_web")[index],
    }


def _response(status: str, output: list[dict[str, Any]] | None = None, output_tokens: int = 0) -> dict[str, Any]:
    usage = {
        "input_tokens": 19,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 19 + output_tokens,
    }
    return {
        "id": _RESPONSE_ID,
        "object": "response",
        "created_at": 1760801489,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "eugpt-replay-1",
        "output": output or [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage if status == "completed" else None,
        "user": None,
        "metadata": {},
    }
