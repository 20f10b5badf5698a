"""``Transport``: for ``httpx.Client`` and ``httpx2.Client``."""

from __future__ import annotations

from typing import Any

import httpx

from .library import library_of
from .native import BaseTransport

__all__ = ["Transport"]


class Transport(BaseTransport, httpx.BaseTransport):
    """An HTTP transport in Rust: ``httpx.Client(transport=eugpt_fast.Transport())``."""

    def handle_request(self, request: Any) -> Any:
        """Sends the request; returns once the head of the response is there."""
        library = library_of(request)
        exchange, in_pieces = self._start(request, library)
        try:
            if in_pieces:
                for piece in request.stream:
                    exchange.push(piece)
                    exchange.wait("room", None)
                exchange.finish()
            with library.failures(request):
                while (answer := exchange.take_answer()) is None:
                    exchange.wait("head", None)
        except BaseException:
            exchange.close()
            raise
        return library.response(request, answer, exchange)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        self._client.close()
