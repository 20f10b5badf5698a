"""A request of httpx to the native half, and what both transports share."""

from __future__ import annotations

import atexit
import os
from typing import Any

import httpx

from .._core import Exchange, HttpClient, forked, leave
from .library import Library

__all__ = ["BaseTransport"]

atexit.register(leave)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forked)

_TIMEOUTS = ("connect", "read", "write", "pool")
_PORTS = {"http": 80, "https": 443}
DEFAULT_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
BUFFER_SIZE = 2**20


class BaseTransport:
    """What both transports share: everything but the waiting."""

    def __init__(
        self,
        *,
        limits: Any = DEFAULT_LIMITS,
        retries: int = 0,
        buffer_size: int = BUFFER_SIZE,
    ) -> None:
        self._client = HttpClient(
            max_connections=limits.max_connections,
            max_keepalive=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            retries=retries,
            buffer_size=buffer_size,
        )

    def _start(self, request: Any, library: Library) -> tuple[Exchange, bool]:
        """The exchange, and whether the request's body is still to be sent piece by piece."""
        whole = library.has_whole_body(request)
        url, extensions = request.url, request.extensions
        if url.scheme not in _PORTS:
            raise library.error("UnsupportedProtocol", request, f"neither http nor https: {url.scheme!r}")
        timeouts = extensions.get("timeout", {})
        exchange = self._client.send(
            (url.scheme == "https", url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]),
            (request.method.encode("ascii"), extensions.get("target", url.raw_path), request.headers.raw),
            (b"".join(request.stream) if whole else b"", not whole),
            [timeouts.get(name) for name in _TIMEOUTS],
        )
        return exchange, not whole
