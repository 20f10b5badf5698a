"""Bodies of responses, as their bytes come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager

from .._core import Exchange
from .bell import bell

__all__ = ["AsyncNativeBody", "NativeBody"]

_Failures = Callable[[], AbstractContextManager[None]]


class NativeBody:
    """All that has arrived, whenever it is asked for. What is not read waits in a buffer of bounded size."""

    def __init__(self, exchange: Exchange, failures: _Failures) -> None:
        self.exchange = exchange
        self._failures = failures

    def read(self, timeout: float | None = None) -> bytes | None:
        """What has arrived, at least one byte; b"" at the end. None if nothing came within ``timeout`` seconds."""
        exchange = self.exchange
        try:
            while (chunk := exchange.take()) is None:
                if not exchange.wait("body", timeout):
                    return None
        except Exception:
            with self._failures():
                raise
        return chunk

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self.read():
            yield chunk

    def close(self) -> None:
        """Frees the connection: at once, if the body was not read to its end."""
        self.exchange.close()


class AsyncNativeBody:
    """As :class:`NativeBody`, awaited."""

    def __init__(self, exchange: Exchange, failures: _Failures) -> None:
        self.exchange = exchange
        self._failures = failures

    async def read(self, timeout: float | None = None) -> bytes | None:
        """As :meth:`NativeBody.read`."""
        exchange = self.exchange
        try:
            while (chunk := exchange.take()) is None:
                if not await bell().wait(exchange, "body", timeout):
                    return None
        except Exception:
            with self._failures():
                raise
        return chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := await self.read():
            yield chunk

    async def aclose(self) -> None:
        """As :meth:`NativeBody.close`."""
        self.exchange.close()
