"""Streams through the untouched SDK and through an accelerated one, and all that a program can tell of the result."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any, get_args

import openai
from eugpt_fast.compat.openai import accelerate
from openai import AsyncOpenAI, AsyncStream, OpenAI, Stream


def _transport_module() -> Any:
    """httpx2 or httpx: what this SDK is built on."""
    bases = type(OpenAI(api_key="none")._client).__mro__
    [name] = {base.__module__.partition(".")[0] for base in bases if base.__name__ == "Client"}
    return sys.modules[name]


HTTP = _transport_module()
MODES = ["sync", "async"]
DELTA = {"type": "response.output_text.delta", "sequence_number": 1, "delta": "te"}
DONE = b"data: [DONE]\n\n"


class Body(HTTP.SyncByteStream, HTTP.AsyncByteStream):  # type: ignore[misc, name-defined]
    """Chunks as a transport gives them, and then its failure, if any."""

    def __init__(self, chunks: Iterable[bytes], failure: Exception | None = None) -> None:
        self.chunks = list(chunks)
        self.failure = failure
        self.reads = 0
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self.chunks:
            self.reads += 1
            yield chunk
        if self.failure is not None:
            raise self.failure

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def client_of(body: Body | Iterable[bytes], mode: str = "sync", **options: Any) -> Any:
    """An untouched client whose every request is answered by this body."""
    answer = body if isinstance(body, Body) else Body(body)
    headers = {"content-type": "text/event-stream", **options.pop("headers", {})}
    transport = HTTP.MockTransport(lambda request: HTTP.Response(200, headers=headers, stream=answer))
    kind, http = (OpenAI, HTTP.Client) if mode == "sync" else (AsyncOpenAI, HTTP.AsyncClient)
    kind = options.pop("kind", kind)
    given = {"api_key": "none", "base_url": "http://test/v1", "max_retries": 0, **options}
    return kind(http_client=http(transport=transport), **given)


def told(event: Any) -> Any:
    """All that a program can tell of an event, nested models included, as values that compare."""
    if not isinstance(event, openai.BaseModel):
        return type(event), repr(event)
    parts = [
        type(event),
        [(name, _told_value(value)) for name, value in vars(event).items()],
        sorted(event.model_fields_set),
        [(name, _told_value(value)) for name, value in (event.model_extra or {}).items()],
        event.model_extra is None,
        event.__pydantic_private__,
    ]
    return [*parts, repr(event.model_dump(warnings=False)), repr(event)]


def _told_value(value: Any) -> Any:
    if isinstance(value, openai.BaseModel):
        return told(value)
    if isinstance(value, list):
        return [_told_value(item) for item in value]
    return type(value), repr(value)


def told_error(error: BaseException) -> Any:
    """All that a program can tell of an exception. Of the causes their types and texts."""
    names = ("message", "code", "param", "type", "body", "msg", "pos", "doc")
    cause = error.__cause__
    attributes = {name: repr(getattr(error, name, None)) for name in names}
    return "raised", type(error), str(error), attributes, type(cause), str(cause)


Call = Callable[[Any], Any]


def responses(client: Any) -> Any:
    return client.responses.create(model="m", input="Hi", stream=True)


def chat(client: Any) -> Any:
    return client.chat.completions.create(model="m", messages=[], stream=True)


def stream_of(type_: Any) -> Call:
    """A request for a stream of some type, with the methods that the SDK has for undocumented endpoints."""
    return lambda client: client.post(
        "/any",
        cast_to=object,
        body={},
        stream=True,
        stream_cls=(Stream if isinstance(client, OpenAI) else AsyncStream)[type_],
    )


def read(client: Any, call: Call = responses) -> list[Any]:
    """Reads a whole stream: each event as :func:`told`, then how it ended."""
    if not isinstance(client, OpenAI):
        return asyncio.run(read_async(client, call))
    log: list[Any] = []
    try:
        for event in call(client):
            log.append(told(event))
    except Exception as error:
        log.append(told_error(error))
    return log


async def read_async(client: Any, call: Call = responses) -> list[Any]:
    """As :func:`read`, with an async client."""
    log: list[Any] = []
    try:
        async for event in await call(client):
            log.append(told(event))
    except Exception as error:
        log.append(told_error(error))
    return log


def check_same(chunks: Iterable[bytes], call: Call = responses, mode: str = "sync", **options: Any) -> list[Any]:
    """Asserts that an accelerated client gives what an untouched one gives. Returns that."""
    chunks = list(chunks)
    expected = read(client_of(chunks, mode, **options), call)
    found = read(accelerate(client_of(chunks, mode, **options)), call)
    for number, (one, other) in enumerate(zip(found, expected, strict=False)):
        assert one == other, f"event {number}"
    assert len(found) == len(expected)
    return expected


def sse(*events: Any) -> list[bytes]:
    """A chunk for each event; of a dict its JSON, with the event's name as the API sends it."""
    return [event if isinstance(event, bytes) else b"data: %b\n\n" % json.dumps(event).encode() for event in events]


def models_of(type_: Any) -> list[Any]:
    """The models of a union of events, or the model."""
    return [type_] if isinstance(type_, type) else list(get_args(get_args(type_)[0]))


def type_of(model: Any) -> str:
    return str(get_args(model.model_fields["type"].annotation)[0])


def run(client: Any, program: Call, call: Call = responses) -> Any:
    """Runs an async program over a stream of either kind of client."""

    async def main() -> Any:
        return await program(Steps(call(client) if isinstance(client, OpenAI) else await call(client)))

    return asyncio.run(main())


END = object()


class Steps:
    """A stream of either kind, awaited in any case."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.is_async = not hasattr(stream, "__next__")

    async def next(self) -> Any:
        return await anext(self.stream, END) if self.is_async else next(self.stream, END)

    async def close(self) -> None:
        await self.stream.close() if self.is_async else self.stream.close()

    async def all(self) -> list[Any]:
        return [event async for event in self.stream] if self.is_async else list(self.stream)
