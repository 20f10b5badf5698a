"""The SDK's decoder, in whose place stands our parser with a queue of events that wait."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator

from openai._streaming import ServerSentEvent as PlainEvent

from ..._backend import ServerSentEvent, SSEParser


class _Queue:
    """Events that are parsed and not delivered yet."""

    def __init__(self) -> None:
        self._parser = SSEParser(max_event_size=sys.maxsize)  # the SDK has no limit
        self._failure: Exception | None = None
        self.ready: deque[ServerSentEvent] = deque()

    def _take(self) -> PlainEvent:
        sse = self.ready.popleft()
        return PlainEvent(event=sse.event, data=sse.data, id=sse.id or None, retry=sse.retry)

    def _raise_failure(self) -> None:
        failure, self._failure = self._failure, None
        if failure is not None:
            try:
                raise failure
            finally:
                del failure  # else its traceback refers to itself


class Decoder(_Queue):
    """Reads chunks from where ``source`` says, asked when the first is needed. The SDK's own loop may read on here at
    any point, by :meth:`iter_bytes`.
    """

    def __init__(self, source: Callable[[], Iterator[bytes]]) -> None:
        super().__init__()
        self._source = source
        self._chunks: Iterator[bytes] | None = None

    def read(self) -> bool:
        """Reads one chunk; False at the end and where the transport fails, which the SDK's loop will then meet."""
        try:
            if self._chunks is None:
                self._chunks = self._source()
            chunk = next(self._chunks, None)
        except Exception as error:
            self._failure = error
            return False
        if chunk is None:
            return False
        self.ready.extend(self._parser.feed(chunk))
        return True

    def iter_bytes(self, _chunks: Iterator[bytes]) -> Iterator[PlainEvent]:
        """What the SDK's loop iterates. Its iterator of chunks is not needed."""
        while self.ready or self.read():
            while self.ready:
                yield self._take()
        self._raise_failure()


class AsyncDecoder(_Queue):
    """As :class:`Decoder`, awaited."""

    def __init__(self, source: Callable[[], AsyncIterator[bytes]]) -> None:
        super().__init__()
        self._source = source
        self._chunks: AsyncIterator[bytes] | None = None

    async def read(self) -> bool:
        """As :meth:`Decoder.read`."""
        try:
            if self._chunks is None:
                self._chunks = self._source()
            chunk = await anext(self._chunks, None)
        except Exception as error:
            self._failure = error
            return False
        if chunk is None:
            return False
        self.ready.extend(self._parser.feed(chunk))
        return True

    async def aiter_bytes(self, _chunks: AsyncIterator[bytes]) -> AsyncIterator[PlainEvent]:
        """As :meth:`Decoder.iter_bytes`."""
        while self.ready or await self.read():
            while self.ready:
                yield self._take()
        self._raise_failure()
