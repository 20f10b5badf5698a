"""Bodies of the native transport, taken from under the HTTP library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._backend import HAS_TRANSPORT

if TYPE_CHECKING or HAS_TRANSPORT:
    from .._transport.bodies import AsyncNativeBody, NativeBody
else:

    class NativeBody:
        """What no response has."""

    class AsyncNativeBody:
        """What no response has."""


__all__ = ["AsyncNativeBody", "NativeBody", "async_native_body", "native_body"]


def native_body(response: Any) -> NativeBody | None:
    """The body of a response that has one of ours and has to be neither decompressed nor read already."""
    body = _under(response)
    return body if isinstance(body, NativeBody) and _is_fresh(response) else None


def async_native_body(response: Any) -> AsyncNativeBody | None:
    """As :func:`native_body`, for a response of an async client."""
    body = _under(response)
    return body if isinstance(body, AsyncNativeBody) and _is_fresh(response) else None


def _under(response: Any) -> Any:
    return getattr(response.stream, "_stream", None)  # the client's own layer closes the response, no more


def _is_fresh(response: Any) -> bool:
    return not (response.is_closed or response.is_stream_consumed or "content-encoding" in response.headers)
