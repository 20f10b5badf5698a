"""The HTTP client of a run."""

from __future__ import annotations

import httpx

from .._backend import HAS_TRANSPORT

__all__ = ["client"]


def client() -> httpx.AsyncClient:
    """A client for any number of streams at the same time, over the native transport where there is one."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30.0)
    # content_timeout and deadline watch over reading.
    timeout = httpx.Timeout(connect=10, read=None, write=30, pool=None)
    if HAS_TRANSPORT:
        from .._transport import AsyncTransport  # noqa: PLC0415 - not in every build

        return httpx.AsyncClient(transport=AsyncTransport(limits=limits), timeout=timeout)
    return httpx.AsyncClient(limits=limits, timeout=timeout)
