"""Event by event, an accelerated client gives the objects of the untouched SDK, whatever the events bring."""

from __future__ import annotations

import importlib
import itertools
import json
from pathlib import Path
from typing import Any

import openai
import pytest
from conftest import random_cuts
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.compat.openai.recipes import builder_of
from hypothesis import given
from hypothesis import strategies as st
from openai.types import Completion
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent, ResponseTextDeltaEvent
from openai_sdk import MODES, chat, check_same, client_of, models_of, responses, sse, stream_of, type_of
from samples import ODD, required_of, sample, sample_of

HERE = Path(__file__).parents[1]
RECORDINGS = sorted([*(HERE / "data").glob("*.sse"), *(HERE.parents[1] / "shared/streams").glob("recorded/*.sse")])
EXTRA = {"obfuscation": "xyz", "later": {"nested": [1, None]}, "flag": None}


@pytest.fixture(autouse=True)
def _nothing_learned() -> None:
    builder_of.cache_clear()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recorded_stream_gives_the_same_objects(path: Path, mode: str) -> None:
    if path.stem == "malformed_aibridge":
        pytest.skip("a block without data: the SDK crashes on it, see test_openai_streams.py")
    body = path.read_bytes()
    call = chat if path.stem.startswith("chat_openrouter") else responses
    cuts = [[body], list(itertools.islice(random_cuts(body, path.stem), 3))[-1]]
    for chunks in cuts if mode == "sync" else cuts[1:]:
        check_same(chunks, call, mode)


def variations(model: Any) -> list[dict[str, Any]]:
    """Rich and lean events of one type, with more keys than it knows, and with plain values that differ."""
    rich, kind = sample_of(model), {"type": type_of(model)}
    lean = {**kind, "sequence_number": 3, "delta": "te"}
    backwards = dict(reversed(rich.items()))
    found = [rich, required_of(model), {**rich, **EXTRA}, {**EXTRA, **backwards}, lean, {**lean, **EXTRA}, kind]
    again = [{name: _other(value) if name != "type" else value for name, value in event.items()} for event in found]
    return [event for pair in zip(found, again, strict=True) for event in (*pair, pair[0])]


def _other(value: Any) -> Any:
    return {str: "other", int: 1234, float: -0.5, bool: False}.get(type(value), value)


@pytest.mark.parametrize("model", models_of(ResponseStreamEvent), ids=type_of)
def test_each_event_type_gives_the_same_objects_rich_and_lean(model: Any) -> None:
    events = variations(model)
    log = check_same(sse(*events))
    assert [entry[0] for entry in log] == [model] * len(events)


@pytest.mark.parametrize("model", models_of(ResponseStreamEvent), ids=type_of)
def test_each_event_type_gives_the_same_objects_with_odd_values(model: Any) -> None:
    events = []
    for event in (sample_of(model), {"type": type_of(model), "sequence_number": 3, "delta": "te"}):
        for name, value in itertools.product([*event, "unknown"], ODD):
            if name != "type":
                events += [event, {**event, name: value}, {**event, name: value, **EXTRA}]
    assert len(check_same(sse(*events))) == len(events)


@pytest.mark.parametrize("kind", ["response.never_heard_of", "", "keepalive", "response.cancelled", *ODD], ids=repr)
def test_an_event_of_an_unknown_type_is_what_the_sdk_makes_of_it(kind: Any) -> None:
    events = [{"type": kind, "sequence_number": n, "delta": "te", **more} for n in range(3) for more in ({}, EXTRA)]
    assert len(check_same(sse(*events))) == len(events)


@pytest.mark.parametrize("data", ["[]", "{}", "7", '"text"', "null", "[{}]", "NaN", "true"])
def test_data_that_is_no_event_is_what_the_sdk_makes_of_it(data: str) -> None:
    for call in (responses, chat, stream_of(object), stream_of(dict[str, object])):
        check_same(sse({"type": "response.queued"}, b"data: %b\n\n" % data.encode()), call)


def chunks_of_chat() -> list[dict[str, Any]]:
    base: dict[str, Any] = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    words = [{"index": 0, "delta": {"content": word}, "finish_reason": None} for word in ("Hel", "lo", "", None)]
    call = {"index": 0, "id": "call", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    none: dict[str, Any] = {"tool_calls": []}
    deltas = [
        none,
        none,
        none,
        {"tool_calls": [call]},
        {},
        {"role": "assistant"},
        {"content": "x", "reasoning": "why"},
        {"refusal": 5},
    ]
    choices = [*words, *({"index": 0, "delta": delta, "logprobs": None} for delta in deltas)]
    odd = [[], [None], [1], [[words[0]]], {}, "choices", [{}], [{"delta": None}], [{"delta": 5}], [{"delta": []}]]
    found = [{**base, "choices": [choice]} for choice in choices]
    found += [{**base, "choices": choices}, *({**base, "choices": value} for value in odd)]
    return [base, *found, sample_of(ChatCompletionChunk), *found, {**base, "usage": sample_of(ChatCompletionChunk)}]


@pytest.mark.parametrize("mode", MODES)
def test_chat_chunks_give_the_same_objects(mode: str) -> None:
    events = chunks_of_chat()
    assert len(check_same(sse(*events), chat, mode)) == len(events)


@pytest.mark.parametrize("name", list(sample_of(ChatCompletionChunk)))
def test_chat_chunks_give_the_same_objects_with_odd_values(name: str) -> None:
    chunk = sample_of(ChatCompletionChunk)
    check_same(sse(*(event for value in ODD for event in (chunk, {**chunk, name: value, **EXTRA}))), chat)


OTHERS = ["audio:TranscriptionStreamEvent", ":ImageGenStreamEvent", ":ImageEditStreamEvent"]


@pytest.mark.parametrize("name", OTHERS)
def test_other_streams_give_the_same_objects(name: str) -> None:
    place, _, name = name.partition(":")
    module = importlib.import_module(f"openai.types.{place}".rstrip("."))
    type_ = getattr(module, name, None)
    if type_ is None:
        pytest.skip("this SDK has no such stream")
    for model in models_of(type_):
        check_same(sse(*variations(model)), stream_of(type_))


def test_streams_of_completions_and_of_plain_types_give_the_same_objects() -> None:
    completion = sample_of(Completion)
    for type_ in (Completion, object, dict[str, object], list[int], str):
        check_same(sse(completion, {**completion, **EXTRA}, completion), stream_of(type_))


DELTA = sample_of(ResponseTextDeltaEvent) | {"logprobs": []}
VALUE = st.sampled_from(ODD) | st.text(max_size=3) | st.integers() | st.floats() | st.lists(st.integers(), max_size=2)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A text delta from which keys are gone, into which others came, with some values changed, in any order."""
    event = draw(st.sampled_from([DELTA, {"type": DELTA["type"], "sequence_number": 1, "delta": "te"}])).copy()
    for name in draw(st.lists(st.sampled_from(list(event)), max_size=2)):
        event.pop(name, None)
    event |= draw(st.dictionaries(st.sampled_from([*DELTA, "obfuscation", "_fields_set", "error"]), VALUE, max_size=2))
    return dict(draw(st.permutations(list(event.items())))) if draw(st.booleans()) else event


@given(st.lists(mutated(), min_size=1, max_size=8))
def test_a_stream_of_mutated_deltas_gives_the_same_objects(events: list[dict[str, Any]]) -> None:
    check_same(sse(*events, *events))


def test_events_share_nothing_that_can_change() -> None:
    lean = {"type": DELTA["type"], "sequence_number": 1, "delta": "te", "more": {"a": []}}
    choice = {"index": 0, "delta": {"content": "x", "more": []}, "finish_reason": None}
    for event, call in ((lean, responses), (DELTA | EXTRA, responses), ({"choices": [choice], "more": []}, chat)):
        made = list(call(accelerate(client_of(sse(event, event, event)))))
        objects = [set(map(id, _changeable(one))) for one in made]
        assert all(objects)
        assert all(one.isdisjoint(other) for one, other in itertools.combinations(objects, 2))


def _changeable(value: Any) -> list[Any]:
    if isinstance(value, openai.BaseModel):
        inner = [vars(value), value.model_extra, value.model_fields_set]
        return [value, *inner, *(part for one in inner for part in _changeable(one))]
    if isinstance(value, (dict, list)):
        items = value.values() if isinstance(value, dict) else value
        return [value, *(part for item in items for part in _changeable(item))]
    return [value] if isinstance(value, set) else []


def test_ever_new_keys_do_not_fill_the_memory() -> None:
    events = [{"type": DELTA["type"], f"key{number}": 1} for number in range(2500)]
    for event in responses(accelerate(client_of(sse(*events, {"type": DELTA["type"], "x" * 10_000: 1})))):
        assert event.type == DELTA["type"]
    builder = builder_of(ResponseStreamEvent)
    assert builder is not None
    assert 0 < len(builder._recipes) <= 1024
    assert all(len(name) < 10_000 for key in builder._recipes for name in key if isinstance(name, str))


def test_the_usual_deltas_do_not_go_through_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [DELTA, DELTA | EXTRA, {"type": DELTA["type"], "sequence_number": 1, "delta": "te"}]
    choice = {"index": 0, "delta": {"content": "x"}, "logprobs": None, "finish_reason": None}
    text = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    text |= {"service_tier": "default", "system_fingerprint": "fp", "usage": None, "obfuscation": "x"}
    for event, call in [*((event, responses) for event in events), (text, chat)]:
        stream = iter(call(accelerate(client_of(sse(*[event] * 5)))))
        first, *_ = (next(stream) for _ in range(4))  # each level of nesting learns once
        with monkeypatch.context() as patch:
            for name in ("openai._models.construct_type", "eugpt_fast.compat.openai.recipes.construct_type"):
                patch.setattr(name, None)
            assert next(stream) == first


def test_the_samples_are_valid() -> None:
    for model in models_of(ResponseStreamEvent):
        model.model_validate(json.loads(json.dumps(sample_of(model))))
        model.model_validate(required_of(model))
    assert sample(list[int]) == [7]
