"""``AsyncEventStream``: as ``EventStream``, awaited."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Generator, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio

from ..errors import StreamClosed, UnexpectedResponse
from .base import CLOSED, DEFAULT_MAX_EVENT_SIZE, BaseStream
from .reader import Collected
from .sources import AsyncCall, AsyncSource, async_source_of, network_errors

if TYPE_CHECKING:
    from ..events import Event


class AsyncEventStream(BaseStream):
    """As :class:`EventStream`, over a response of ``httpx.AsyncClient`` or ``httpx2.AsyncClient`` or any async
    iterable of bytes. Cancelling the task closes the response.

    After ``break`` the event loop closes it; ``async with`` does so at once.
    """

    def __init__(
        self,
        source: Any,
        *,
        only: Iterable[str] | None = None,
        content_timeout: float | None = None,
        max_event_size: int = DEFAULT_MAX_EVENT_SIZE,
    ) -> None:
        super().__init__(only=only, content_timeout=content_timeout, max_event_size=max_event_size)
        self._call = source if isinstance(source, AsyncCall) else None
        self._secret = self._call.secret if self._call is not None else ""
        self._source: AsyncSource | None = None if self._call is not None else async_source_of(source)
        self._checked = False

    async def _opened(self) -> AsyncSource:
        if self._closed:
            raise StreamClosed(CLOSED)
        try:
            if self._source is None:
                assert self._call is not None
                self._source = async_source_of(await self._call.open())
                self._reader.started = self._call.sent
                if self._closed:  # by another task, while this one waited
                    await self._close_source()
                    raise StreamClosed(CLOSED)
            if not self._checked:
                await self._source.check()
                self._checked = True
        except BaseException as error:
            await self.aclose()
            if isinstance(error, UnexpectedResponse):
                self._conceal(error)
            raise
        return self._source

    def __await__(self) -> Generator[Any, None, AsyncEventStream]:
        """``await astream(...)`` sends the request at once; otherwise the first event asks for it."""
        return self._begun().__await__()

    async def _begun(self) -> AsyncEventStream:
        await self._opened()
        return self

    async def __aiter__(self) -> AsyncIterator[Event]:
        try:
            while self._ready:
                yield self._ready.popleft()
            while True:
                events = self._at_once()
                if events is None and (waiting := self._ask()) is not None:
                    await waiting
                    continue
                if events is None:
                    events = await self._batch(build=True)
                    if events is None:
                        break
                for event in events:
                    yield event
        except BaseException as error:
            if self._closes(error):
                await self.aclose()
            raise
        self._raise_verdict()

    def _ask(self) -> Awaitable[bool] | None:
        """What to await before :meth:`_at_once` has something, if there is no more to do than that."""
        if self._quick is None or self._source is None or self._source.native is None:
            return None
        self._asked = time.monotonic()
        return self._source.native.ask()

    async def __anext__(self) -> Event:
        while not self._ready:
            events = await self._batch(build=True)
            if events is None:
                self._raise_verdict()
                raise StopAsyncIteration
            self._ready.extend(events)
        return self._ready.popleft()

    async def collect(self) -> Collected:
        """As :meth:`EventStream.collect`."""
        while await self._batch(build=False) is not None:
            pass
        self._raise_verdict()
        return self._reader.collected()

    async def _batch(self, *, build: bool) -> list[Event] | None:
        """The events of the next chunk; None at the end."""
        if self._ended:
            return None
        try:
            due = self._before_reading(build)
            return await self._step(build) if due is None else due
        except BaseException as error:
            if self._closes(error):
                await self.aclose()
            raise

    async def _step(self, build: bool) -> list[Event] | None:
        source = self._source
        if source is None or not self._checked:
            source = await self._opened()
        begun = time.monotonic()
        try:
            chunk = await self._read(source, begun, build)
        except network_errors() as error:
            self._reader.waited += time.monotonic() - begun
            return await self._end(error)
        now = time.monotonic()
        if chunk is None:
            self._reader.waited += now - begun
            return await self._end(None)
        events = self._digest(chunk, build, begun, now)
        return await self._end(None, events) if self._is_over(now) else events

    async def _read(self, source: AsyncSource, begun: float, build: bool) -> bytes | None:
        left = self._time_left(begun)
        if source.native is not None:
            self._read_ahead(source.native, build)
            return await source.native.read(left)
        if left is None:
            return await anext(source.chunks, None)
        with anyio.move_on_after(left):
            return await anext(source.chunks, None)
        raise self._reader.out_of_patience()

    async def _end(self, cause: BaseException | None, events: list[Event] | None = None) -> list[Event] | None:
        interruption = self._settle(cause)
        if interruption is not None and self._call is not None:
            await self._close_source()
            if await self._call.again() and not self._closed:
                self._restart()
                self._source, self._checked = None, False
                return []
        self._ended = True
        await self.aclose()
        return events

    async def aclose(self) -> None:
        """Closes the response and frees its connection, also inside a cancelled task."""
        if not self._closed:
            self._closed = True
            self._quick = None
            self._conclude()
            with anyio.CancelScope(shield=True):
                await self._close_source()
                if self._call is not None:
                    await self._call.aclose()

    async def _close_source(self) -> None:
        if self._source is not None:
            with contextlib.suppress(*network_errors()):
                await self._source.close()

    async def __aenter__(self) -> AsyncEventStream:
        return await self._begun()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
