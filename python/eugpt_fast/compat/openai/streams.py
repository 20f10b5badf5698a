"""The SDK's stream classes with a short cut: ordinary events do not go through the SDK's loop."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar, cast

from openai import AsyncStream, Stream
from openai._base_client import BaseClient
from openai._streaming import SSEDecoder

from ..._reader.sources import async_source_of, source_of
from .decoder import AsyncDecoder, Decoder
from .recipes import Builder, builder_of

__all__ = ["AsyncFastStream", "FastStream"]

_T = TypeVar("_T")
_END: Any = object()
_plain_process = cast(Any, BaseClient)._process_response_data


class FastStream(Stream[_T]):
    """A ``Stream`` whose ordinary events are built directly. Everything else, the end of the stream and its errors
    included, happens in the SDK's own loop, which reads from the same queue.
    """

    def __stream__(self) -> Iterator[_T]:
        if type(self._decoder) is not SSEDecoder:  # the client brings a decoder of its own
            return super().__stream__()
        self._decoder: Any = Decoder(self._chunks)
        builder = _builder_for(self)
        return super().__stream__() if builder is None else self._events(builder)

    def _chunks(self) -> Iterator[bytes]:
        return source_of(self.response).chunks

    def _events(self, builder: Builder) -> Iterator[_T]:
        decoder = self._decoder
        ready, build = decoder.ready, builder.build
        plain = super().__stream__()
        try:
            while True:
                while ready:
                    event = build(ready[0])
                    if event is None:
                        break
                    ready.popleft()
                    yield event
                else:
                    if decoder.read():
                        continue
                event = next(plain, _END)
                if event is _END:
                    return
                yield event
        finally:
            plain.close()  # type: ignore[attr-defined]
            self.response.close()


class AsyncFastStream(AsyncStream[_T]):
    """As :class:`FastStream`, awaited."""

    def __stream__(self) -> AsyncIterator[_T]:
        if type(self._decoder) is not SSEDecoder:
            return super().__stream__()
        self._decoder: Any = AsyncDecoder(self._chunks)
        builder = _builder_for(self)
        return super().__stream__() if builder is None else self._events(builder)

    def _chunks(self) -> AsyncIterator[bytes]:
        return async_source_of(self.response).chunks

    async def _events(self, builder: Builder) -> AsyncIterator[_T]:
        decoder = self._decoder
        ready, build = decoder.ready, builder.build
        plain: Any = super().__stream__()
        try:
            while True:
                while ready:
                    event = build(ready[0])
                    if event is None:
                        break
                    ready.popleft()
                    yield event
                else:
                    if await decoder.read():
                        continue
                event = await anext(plain, _END)
                if event is _END:
                    return
                yield event
        finally:
            # Not `plain.aclose()`: after a bare `break` the event loop closes both generators, each by itself.
            await self.response.aclose()


def _builder_for(stream: Any) -> Builder | None:
    """Who builds the events of ``stream``; None where the SDK does more to an event than that."""
    client, options, cast_to = stream._client, getattr(stream, "_options", None), stream._cast_to
    if (
        client._strict_response_validation
        or getattr(options, "synthesize_event_and_data", None)
        or getattr(client._process_response_data, "__func__", None) is not _plain_process
        or (isinstance(cast_to, type) and hasattr(cast_to, "build"))  # a class that the SDK lets build itself
    ):
        return None
    try:
        return builder_of(cast_to)
    except TypeError:  # an annotation that cannot be a key
        return None
