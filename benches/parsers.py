"""The contenders in memory: each reads the pieces of one stream and returns what it found."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import eugpt_fast
import orjson
from eugpt_fast import _pure
from eugpt_fast._backend import ResponseParser
from httpx2._sse import _SSEParser
from httpx_sse._decoders import SSEDecoder as HttpxSSEDecoder
from httpx_sse._decoders import SSELineDecoder as HttpxSSELineDecoder
from openai._streaming import SSEDecoder as OpenAISSEDecoder

from .guide import guide_events, texts

Read = Callable[[Iterable[bytes]], Any]


def _same(events: list[Any]) -> Any:
    return events


@dataclass(frozen=True)
class Contender:
    """One way to read a stream.

    Args:
        name: as the tables call it.
        read: pieces of one stream in, events out.
        is_floor: it gets the JSON texts already cut out, in place of the stream.
        expect: what ``read`` must return, given the true events.
    """

    name: str
    read: Read
    is_floor: bool = False
    expect: Callable[[list[Any]], Any] = _same


def _feed_all(parser_class: type, chunks: Iterable[bytes]) -> list[Any]:
    parser = parser_class()
    events: list[Any] = []
    for chunk in chunks:
        events += parser.feed(chunk)
    parser.finish()
    return events


def _skim(chunks: Iterable[bytes]) -> Any:
    parser = ResponseParser()
    for chunk in chunks:
        parser.skim(chunk)
    parser.finish()
    return parser.events, parser.text, parser.arguments, parser.terminal


def _skimmed(events: list[Any]) -> Any:
    """The account that skimming must give: of all events only text, arguments and the terminal one."""
    text = ""
    arguments: dict[str, str] = {}
    terminal = None
    for event in events:
        kind = event.get("type")
        if kind == "response.output_text.delta":
            text += event["delta"]
        elif kind == "response.function_call_arguments.delta":
            arguments[event["item_id"]] = arguments.get(event["item_id"], "") + event["delta"]
        elif kind in {"response.completed", "response.incomplete", "response.failed", "error"}:
            terminal = event
    return len(events), text, arguments, terminal


def _guide(chunks: Iterable[bytes]) -> list[Any]:
    return list(guide_events(texts(chunks)))


def is_payload(data: str) -> bool:
    """These peers also dispatch blocks without data, and leave the end mark to the caller."""
    return bool(data) and data != "[DONE]"


def _httpx_sse(chunks: Iterable[bytes]) -> list[Any]:
    lines, decoder = HttpxSSELineDecoder(), HttpxSSEDecoder()
    events = []
    for text in texts(chunks):
        for line in lines.decode(text):
            sse = decoder.decode(line)
            if sse is not None and is_payload(sse.data):
                events.append(json.loads(sse.data))
    return events


def _httpx2(chunks: Iterable[bytes]) -> list[Any]:
    parser = _SSEParser()
    return [json.loads(sse.data) for text in texts(chunks) for sse in parser.decode(text) if is_payload(sse.data)]


def _openai_sdk(chunks: Iterable[bytes]) -> list[Any]:
    events = OpenAISSEDecoder().iter_bytes(iter(chunks))
    return [json.loads(sse.data) for sse in events if is_payload(sse.data)]


def _orjson_alone(payloads: Iterable[bytes]) -> list[Any]:
    return [orjson.loads(payload) for payload in payloads]


def _json_alone(payloads: Iterable[bytes]) -> list[Any]:
    return [json.loads(payload) for payload in payloads]


OURS = "eugpt_fast.Parser"
GUIDE = "the guide's loop"
ORJSON = "orjson alone (floor)"

CONTENDERS = [
    Contender(OURS, partial(_feed_all, eugpt_fast.Parser)),
    Contender("eugpt_fast, collecting", _skim, expect=_skimmed),
    Contender("eugpt_fast, pure twin", partial(_feed_all, _pure.Parser)),
    Contender(GUIDE, _guide),
    Contender("httpx-sse decoder", _httpx_sse),
    Contender("httpx2 SSE parser", _httpx2),
    Contender("openai SDK decoder", _openai_sdk),
    Contender(ORJSON, _orjson_alone, is_floor=True),
    Contender("json alone (floor)", _json_alone, is_floor=True),
]
BY_NAME = {contender.name: contender for contender in CONTENDERS}
