"""Bodies of responses, as their bytes come."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager

from .._core import Exchange, TransportFailure
from .bell import bell

__all__ = ["AsyncNativeBody", "NativeBody"]

_Failures = Callable[[], AbstractContextManager[None]]


class NativeBody:
    """All that has arrived, whenever it is asked for. What is not read waits in a buffer of bounded size."""

    def __init__(self, exchange: Exchange, failures: _Failures) -> None:
        self.exchange = exchange
        self._failures = failures

    def read(self, patience: float | None = None) -> bytes | None:
        """What has arrived and was not read ahead; None at the end.

        Raises:
            TimeoutError: no content came for ``patience`` seconds.
            httpx.TransportError, httpx2.TransportError: the rest will not come.
        """
        exchange, left = self.exchange, patience
        try:
            while (chunk := exchange.take()) is None:
                if exchange.is_over():
                    return None
                if not exchange.wait("body", left):
                    left = _time_left(exchange, patience)
        except TransportFailure:
            with self._failures():
                raise
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self.read()) is not None:
            yield chunk

    def close(self) -> None:
        """Frees the connection: at once, if the body was not read to its end."""
        self.exchange.close()


class AsyncNativeBody:
    """As :class:`NativeBody`, awaited."""

    def __init__(self, exchange: Exchange, failures: _Failures) -> None:
        self.exchange = exchange
        self._failures = failures
        self._bell = bell()

    async def read(self, patience: float | None = None) -> bytes | None:
        """As :meth:`NativeBody.read`."""
        exchange, left = self.exchange, patience
        try:
            while (chunk := exchange.take()) is None:
                if exchange.is_over():
                    return None
                if not await self._bell.wait(exchange, "body", left):
                    left = _time_left(exchange, patience)
        except TransportFailure:
            with self._failures():
                raise
        return chunk

    def ask(self) -> Awaitable[bool] | None:
        """What to await before :meth:`read` has something to tell; None if it has."""
        return self._bell.ask(self.exchange, "body")

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        while (chunk := await self.read()) is not None:
            yield chunk

    async def aclose(self) -> None:
        """As :meth:`NativeBody.close`."""
        self.exchange.close()


def _time_left(exchange: Exchange, patience: float | None) -> float | None:
    """Seconds to wait on: there may have been content that was read ahead."""
    left = None if patience is None else patience - exchange.pace()[3]
    if left is not None and left <= 0:
        raise TimeoutError
    return left
