"""What streams allow, how they are wrapped and what the SDK's helpers make of them, beside the untouched SDK."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any, Literal

import openai
import pytest
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.compat.openai.streams import AsyncFastStream, FastStream
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream
from openai._streaming import SSEDecoder
from openai._utils import PropertyInfo
from openai_sdk import DELTA, DONE, MODES, Steps, check_same, client_of, read, responses, run, sse, stream_of, told
from pydantic import BaseModel, field_validator, model_validator

CHUNK = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}

pytestmark = pytest.mark.parametrize("mode", MODES)


FRAMING = {
    "a comment after an id": b"id: 7\n\n: comment\n\n",
    "a block with a name only": b"event: ping\n\n",
    "a block with a retry only": b"retry: 100\n\n",
    "a block with an id only": b"id: 7\n\n",
    "a byte order mark": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("before", FRAMING.values(), ids=FRAMING)
def test_what_the_standard_allows_and_the_sdk_crashes_on_passes(mode: str, before: bytes) -> None:
    chunks = [before + b"".join(sse(DELTA, DELTA))]
    untouched = read(client_of(chunks, mode))
    expected = read(client_of(sse(DELTA, DELTA), mode))
    found = read(accelerate(client_of(chunks, mode)))
    assert found == expected
    assert untouched != expected  # when the SDK learns it, this test and the docs lose their point


def test_line_ends_and_comments_change_nothing(mode: str) -> None:
    body = b"".join([b": hi\n\n", *sse(DELTA), b"event: x\n", *sse(DELTA), b"data: {\ndata: }\n\n: bye\n\n"])
    for end in (b"\n", b"\r\n", b"\r"):
        assert len(check_same([body.replace(b"\n", end)], responses, mode)) == 3


def test_raw_responses_parse_to_fast_streams(mode: str) -> None:
    client = accelerate(client_of(sse(DELTA, DELTA), mode, headers={"x-request-id": "req"}))

    async def main() -> Any:
        raw = client.responses.with_raw_response.create(model="m", input="Hi", stream=True)
        raw = raw if mode == "sync" else await raw
        assert raw.headers["x-request-id"] == "req"
        stream = raw.parse()
        assert raw.parse() is stream
        assert isinstance(stream, FastStream if mode == "sync" else AsyncFastStream)
        return await Steps(stream).all()

    assert [event.delta for event in asyncio.run(main())] == ["te", "te"]


def test_streaming_responses_give_raw_bytes_and_fast_streams(mode: str) -> None:
    client = accelerate(client_of(sse(DELTA, DELTA), mode))

    async def main() -> None:
        create = client.responses.with_streaming_response.create
        if mode == "sync":
            with create(model="m", input="Hi", stream=True) as response:
                assert b"".join(response.iter_bytes()) == b"".join(sse(DELTA, DELTA))
            with create(model="m", input="Hi", stream=True) as response:
                stream = response.parse()
                assert isinstance(stream, FastStream)
                assert len(list(stream)) == 2
        else:
            async with create(model="m", input="Hi", stream=True) as response:
                assert b"".join([part async for part in response.iter_bytes()]) == b"".join(sse(DELTA, DELTA))
            async with create(model="m", input="Hi", stream=True) as response:
                stream = await response.parse()
                assert isinstance(stream, AsyncFastStream)
                assert len([event async for event in stream]) == 2

    asyncio.run(main())


def test_a_stream_is_still_an_instance_of_the_sdks_class(mode: str) -> None:
    async def program(steps: Steps) -> None:
        assert isinstance(steps.stream, Stream if mode == "sync" else AsyncStream)
        await steps.close()

    run(accelerate(client_of(sse(DELTA), mode)), program)


def test_stream_classes_and_decoders_of_ones_own_are_left_alone(mode: str) -> None:
    class Mine(Stream[object]):
        pass

    class AsyncMine(AsyncStream[object]):
        pass

    class Decoding(OpenAI if mode == "sync" else AsyncOpenAI):  # type: ignore[misc]
        def _make_sse_decoder(self) -> Any:
            return Listening()

    class Listening(SSEDecoder):
        def decode(self, line: str) -> Any:
            seen.append(line)
            return super().decode(line)

    seen: list[str] = []
    mine = Mine if mode == "sync" else AsyncMine

    def call(client: Any) -> Any:
        return client.post("/any", cast_to=object, body={}, stream=True, stream_cls=mine)

    async def program(steps: Steps) -> None:
        assert type(steps.stream) is mine
        assert await steps.all() == [DELTA]

    run(accelerate(client_of(sse(DELTA), mode)), program, call)
    assert len(check_same(sse(DELTA), responses, mode, kind=Decoding)) == 1
    assert len(seen) == 4  # two lines, each heard by both


class Answer(BaseModel):
    word: str


def response_events(text: str) -> list[dict[str, Any]]:
    place = {"item_id": "i", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": []}
    item = {"id": "i", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
    full = {**item, "status": "completed", "content": [{**part, "text": text}]}
    response = {"id": "r", "object": "response", "created_at": 1.0, "model": "m", "output": [], "status": "in_progress"}
    response |= {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        *({"type": "response.output_text.delta", **place, "delta": char, "logprobs": []} for char in text),
        {"type": "response.output_text.done", **place, "text": text, "logprobs": []},
        {"type": "response.output_item.done", "output_index": 0, "item": full},
        {"type": "response.completed", "response": {**response, "status": "completed", "output": [full]}},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def chat_chunks(text: str) -> list[dict[str, Any]]:
    deltas = [{"role": "assistant", "content": ""}, *({"content": char} for char in text), {}]
    reasons = [*[None] * (len(deltas) - 1), "stop"]
    pairs = zip(deltas, reasons, strict=True)
    return [{**CHUNK, "choices": [{"index": 0, "delta": delta, "finish_reason": why}]} for delta, why in pairs]


@pytest.mark.parametrize("helper", ["responses", "chat"])
def test_the_accumulating_helpers_and_structured_output_give_the_same(mode: str, helper: str) -> None:
    text = json.dumps({"word": "hello"})
    chunks = sse(*(response_events(text) if helper == "responses" else chat_chunks(text)), DONE)

    def manager(client: Any) -> Any:
        if helper == "responses":
            return client.responses.stream(model="m", input="Hi", text_format=Answer)
        completions = client.chat.completions if hasattr(client.chat.completions, "stream") else client.beta.chat
        return completions.stream(model="m", messages=[], response_format=Answer)

    async def collected(client: Any) -> list[Any]:
        final = "get_final_response" if helper == "responses" else "get_final_completion"
        if mode == "sync":
            with manager(client) as stream:
                events = list(stream)
                last = getattr(stream, final)()
        else:
            async with manager(client) as stream:
                events = [event async for event in stream]
                last = await getattr(stream, final)()
        return [*map(told, events), told(last)]

    expected = asyncio.run(collected(client_of(chunks, mode)))
    assert asyncio.run(collected(accelerate(client_of(chunks, mode)))) == expected
    assert "Answer(word='hello')" in repr(expected[-1])
    assert len(expected) > len(text)


class Built(openai.BaseModel):
    """A class that the SDK lets build itself."""

    type: str

    @classmethod
    def build(cls, *, response: Any, data: Any) -> Any:
        return cls.construct(type=f"{response.status_code} {data['type']}")


class Shouting(openai.BaseModel):
    type: Literal["response.output_text.delta"]
    delta: str

    @field_validator("delta")
    @classmethod
    def _shout(cls, delta: str) -> str:
        return delta.upper()


class Quiet(openai.BaseModel):
    type: Literal["quiet"]


class Greedy(openai.BaseModel):
    """A model that takes the events of others."""

    type: Literal["greedy"]

    @model_validator(mode="before")
    @classmethod
    def _take(cls, data: Any) -> Any:
        return {**data, "type": "greedy"}


def test_models_of_ones_own_do_what_they_do(mode: str) -> None:
    events = sse(DELTA, DELTA, {"type": "quiet"}, DELTA)
    union = Annotated[Shouting | Quiet, PropertyInfo(discriminator="type")]
    taking = Annotated[Greedy | Quiet | Shouting, PropertyInfo(discriminator="type")]
    unhashable = Annotated[Shouting | Quiet, ["note"]]
    for type_ in (Built, Shouting, Quiet, union, taking, unhashable, Shouting | Quiet):
        assert len(check_same(events, stream_of(type_), mode)) == 4
