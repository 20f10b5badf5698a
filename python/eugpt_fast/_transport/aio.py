"""``AsyncTransport``: for ``httpx.AsyncClient`` and ``httpx2.AsyncClient``."""

from __future__ import annotations

from typing import Any

import httpx

from .bell import bell
from .library import library_of
from .native import BaseTransport

__all__ = ["AsyncTransport"]


class AsyncTransport(BaseTransport, httpx.AsyncBaseTransport):
    """As :class:`Transport`, awaited. It needs asyncio (or uvloop); under trio it raises ``RuntimeError``."""

    async def handle_async_request(self, request: Any) -> Any:
        """As :meth:`Transport.handle_request`."""
        library, ring = library_of(request), bell()
        exchange, in_pieces = self._start(request, library)
        try:
            if in_pieces:
                async for piece in request.stream:
                    if not exchange.push(piece):
                        break
                    await ring.wait(exchange, "room")
                exchange.finish()
            with library.failures(request):
                while (answer := exchange.take_answer()) is None:
                    await ring.wait(exchange, "head")
        except BaseException:
            exchange.close()
            raise
        return library.async_response(request, answer, exchange)

    async def aclose(self) -> None:
        """As :meth:`Transport.close`."""
        self._client.close()
