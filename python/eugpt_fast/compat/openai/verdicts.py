"""Streams of Responses events that say how they ended, in exceptions that are the SDK's and ours at once."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

from openai import APIConnectionError, APIError, APITimeoutError, AsyncStream, Stream

from ..._reader.reader import Reader
from ..._reader.sources import network_errors
from ...errors import EventDecodeError, ResponseError, StreamError, StreamInterrupted
from .streams import AsyncFastStream, FastStream

__all__ = ["AsyncVerdictStream", "VerdictStream"]

_T = TypeVar("_T")


class InterruptedConnection(StreamInterrupted, APIConnectionError):
    """The stream ended without a terminal event."""

    def __init__(self, error: StreamInterrupted, request: Any) -> None:
        APIConnectionError.__init__(self, message=str(error), request=request)
        _take_over(self, error)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, vars(self))


class InterruptedByTimeout(InterruptedConnection, APITimeoutError):
    """As :class:`InterruptedConnection`, because nothing came in time."""


class FailedByEvent(ResponseError, APIError):  # type: ignore[misc]
    """The stream ended with an ``error`` event; ``body`` is that event."""

    def __init__(self, error: ResponseError, request: Any, body: object) -> None:
        APIError.__init__(self, error.message or str(error), request, body=body)
        _take_over(self, error)

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args, vars(self))


def _again(kind: type[Exception], args: tuple[Any, ...], attributes: dict[str, Any]) -> Exception:
    """The error as it was, for copies and other processes: its classes do not agree on the arguments to make one."""
    error = kind.__new__(kind, *args)
    vars(error).update(attributes)
    return error


def _take_over(target: StreamError, source: StreamError) -> None:
    vars(target).update({name: value for name, value in vars(source).items() if value is not None})
    target.__cause__ = source.__cause__


class _Account:
    """What a stream has brought so far, and the verdict on it."""

    def __init__(self) -> None:
        self._reader = Reader(None, sys.maxsize, None)

    def skim(self, chunk: bytes) -> None:
        now = time.monotonic()
        while True:
            try:
                self._reader.feed(chunk, build=False, begun=now, now=now)
            except EventDecodeError:  # the SDK's loop will say so
                chunk = b""
            else:
                return

    def close(self, request: Any, failure: BaseException | None) -> None:
        """The stream has ended, by ``failure`` if its transport failed. Raises unless it ended well.

        A failed or a cancelled response raises nothing, for the SDK's programs look at that event themselves.
        """
        timed_out = isinstance(failure, APITimeoutError)
        self._reader.end(failure and (failure.__cause__ or failure))
        error = self._reader.error
        if isinstance(error, StreamInterrupted):
            raise (InterruptedByTimeout if timed_out else InterruptedConnection)(error, request)
        if isinstance(error, ResponseError):
            raise FailedByEvent(error, request, self._reader.terminal)


def _failures() -> tuple[type[BaseException], ...]:
    # SDK 2 passes on what its transport raises.
    return (APIConnectionError, *network_errors())


# The SDK looks for its own class among the direct bases.
class VerdictStream(FastStream[_T], Stream[_T]):
    """A fast stream with a verdict at its end, unless it is left early."""

    def __stream__(self) -> Iterator[_T]:
        self._account = _Account()
        return self._judged(super().__stream__())

    def _chunks(self) -> Iterator[bytes]:
        for chunk in super()._chunks():
            self._account.skim(chunk)
            yield chunk

    def _judged(self, events: Iterator[_T]) -> Iterator[_T]:
        failure: BaseException | None = None
        try:
            yield from events
        except _failures() as error:
            failure = error
        self._account.close(self.response.request, failure)


class AsyncVerdictStream(AsyncFastStream[_T], AsyncStream[_T]):
    """As :class:`VerdictStream`, awaited."""

    def __stream__(self) -> AsyncIterator[_T]:
        self._account = _Account()
        return self._judged(super().__stream__())

    async def _chunks(self) -> AsyncIterator[bytes]:
        async for chunk in super()._chunks():
            self._account.skim(chunk)
            yield chunk

    async def _judged(self, events: Any) -> AsyncIterator[_T]:
        failure: BaseException | None = None
        try:
            async for event in events:
                yield event
        except _failures() as error:
            failure = error
        finally:
            # Not `events.aclose()`: after a bare `break` the event loop closes both generators, each by itself.
            await self.response.aclose()
        self._account.close(self.response.request, failure)
