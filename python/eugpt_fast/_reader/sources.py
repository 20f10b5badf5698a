"""Where bytes come from: responses of httpx, httpx2 and requests, and plain iterables, behind one face."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import socket
import sys
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from ..errors import UnexpectedResponse
from .http1 import join_chunks
from .native import AsyncNativeBody, NativeBody, async_native_body, native_body

__all__ = [
    "AsyncCall",
    "AsyncSource",
    "Call",
    "Source",
    "async_httpx_chunks",
    "async_source_of",
    "httpx_chunks",
    "network_errors",
    "source_of",
]

_START_OF_BODY = 2048  # bytes of a wrong answer that its error shows
_PIECE = 64 * 1024  # bytes: what a library unpacks at once may be a thousand times what it has read


@dataclass
class Head:
    """What matters of a response's head."""

    status: int
    content_type: str

    @property
    def is_event_stream(self) -> bool:
        """A response without any content type gets the benefit of the doubt; its events will tell."""
        media_type = self.content_type.partition(";")[0].strip().lower()
        return media_type == "text/event-stream" or (not media_type and self.status < 300)

    def unexpected(self, body: bytes) -> UnexpectedResponse:
        start = body[:_START_OF_BODY].decode("utf-8", "replace")
        return UnexpectedResponse(self.status, self.content_type, start)


class Call(ABC):
    """A request that can be sent, and sent again while nothing of its answer has reached the caller."""

    sent: float = 0.0
    """When it was sent last, on the clock of :func:`time.monotonic`."""

    secret: str = ""
    """What no error may show, though the server say it."""

    @abstractmethod
    def open(self) -> Any:
        """The response."""

    @abstractmethod
    def again(self) -> bool:
        """Whether to open once more after a cut stream; waits before it says yes."""

    @abstractmethod
    def close(self) -> None:
        """Nothing more will be asked."""


class AsyncCall(ABC):
    """As :class:`Call`, awaited."""

    sent: float = 0.0
    secret: str = ""

    @abstractmethod
    async def open(self) -> Any: ...

    @abstractmethod
    async def again(self) -> bool: ...

    @abstractmethod
    async def aclose(self) -> None: ...


@dataclass
class Source:
    """Bytes to be read by blocking calls."""

    chunks: Iterator[bytes]
    close: Callable[[], None]
    head: Head | None = None
    abort: Callable[[], None] | None = None
    """Makes a blocked read fail at once, from another thread."""
    native: NativeBody | None = None
    """Where the bytes are taken from in place of ``chunks``, if the response's transport is ours."""

    def check(self) -> None:
        """Raises :class:`UnexpectedResponse` if this is no event stream."""
        if self.head is None or self.head.is_event_stream:
            return
        body = b""
        with contextlib.suppress(*network_errors()):
            while len(body) < _START_OF_BODY and (chunk := next(self.chunks, None)) is not None:
                body += chunk
        raise self.head.unexpected(body)


@dataclass
class AsyncSource:
    """Bytes to be awaited."""

    chunks: AsyncIterator[bytes]
    close: Callable[[], Awaitable[None]]
    head: Head | None = None
    native: AsyncNativeBody | None = None
    """As :attr:`Source.native`."""

    async def check(self) -> None:
        """Raises :class:`UnexpectedResponse` if this is no event stream."""
        if self.head is None or self.head.is_event_stream:
            return
        body = b""
        with contextlib.suppress(*network_errors()):
            async for chunk in self.chunks:
                body += chunk
                if len(body) >= _START_OF_BODY:
                    break
        raise self.head.unexpected(body)


def source_of(given: Any) -> Source:
    """A source over an httpx, httpx2 or requests response, or over any iterable of bytes.

    Raises:
        TypeError: it is none of these.
    """
    if hasattr(given, "iter_bytes") and hasattr(given, "stream"):
        if not isinstance(given.stream, Iterable):
            raise TypeError("this response belongs to an async client: use AsyncEventStream")
        native = native_body(given)
        return Source(httpx_chunks(given), given.close, _head(given), _shutdown(given), native)
    if hasattr(given, "iter_content") and hasattr(given, "raw"):
        head = Head(given.status_code, given.headers.get("content-type", ""))
        # urllib3 2.3 and later can shut a connection down under a blocked read.
        return Source(_requests_chunks(given), given.close, head, getattr(given.raw, "shutdown", None))
    if _is_chunks(given):
        chunks = iter(given)
        return Source(chunks, getattr(given, "close", getattr(chunks, "close", lambda: None)))
    raise TypeError(f"expected a response or an iterable of bytes, not {type(given).__name__}")


def async_source_of(given: Any) -> AsyncSource:
    """A source over an async httpx or httpx2 response, or over any async iterable of bytes.

    Raises:
        TypeError: it is neither.
    """
    if hasattr(given, "aiter_bytes") and hasattr(given, "stream"):
        if not isinstance(given.stream, AsyncIterable):
            raise TypeError("this response belongs to a sync client: use EventStream")
        native = async_native_body(given)
        return AsyncSource(async_httpx_chunks(given), given.aclose, _head(given), native)
    if _is_async_chunks(given):
        chunks = aiter(given)
        return AsyncSource(chunks, getattr(given, "aclose", getattr(chunks, "aclose", _nothing)))
    raise TypeError(f"expected an async response or an async iterable of bytes, not {type(given).__name__}")


def network_errors() -> tuple[type[BaseException], ...]:
    """What a transport raises when the network fails, for the libraries that are loaded."""
    errors: tuple[type[BaseException], ...] = (OSError, EOFError, http.client.HTTPException, asyncio.TimeoutError)
    names = {
        "httpx": "RequestError",
        "httpx2": "RequestError",
        "requests": "RequestException",
        "urllib3.exceptions": "HTTPError",
        "aiohttp": "ClientError",
    }
    # A module that another thread is importing just now may not have its errors yet.
    found = (getattr(sys.modules.get(module), name, None) for module, name in names.items())
    return (*errors, *(error for error in found if error is not None))


def _is_chunks(given: object) -> TypeGuard[Iterable[bytes]]:
    return isinstance(given, Iterable) and not isinstance(given, (bytes, bytearray, memoryview, str))


def _is_async_chunks(given: object) -> TypeGuard[AsyncIterable[bytes]]:
    return isinstance(given, AsyncIterable)


async def _nothing() -> None:
    pass


def _head(response: Any) -> Head:
    return Head(response.status_code, response.headers.get("content-type", ""))


def _must_decode(response: Any) -> bool:
    """Whether the raw bytes will not do: compressed, or read already."""
    return "content-encoding" in response.headers or response.is_stream_consumed


def httpx_chunks(response: Any) -> Iterator[bytes]:
    """The body of a response of httpx or httpx2 as it comes, decompressed."""
    body = native_body(response)
    if body is not None:
        return iter(body)
    join_chunks(response)
    # No chunk size: with one, events would wait until it is full.
    chunks: Iterator[bytes] = _pieces(response.iter_bytes()) if _must_decode(response) else response.iter_raw()
    return chunks


def async_httpx_chunks(response: Any) -> AsyncGenerator[bytes, None]:
    """As :func:`httpx_chunks`, for a response of an async client."""
    body = async_native_body(response)
    if body is not None:
        return aiter(body)
    join_chunks(response)
    chunks: AsyncGenerator[bytes, None] = (
        _async_pieces(response.aiter_bytes()) if _must_decode(response) else response.aiter_raw()
    )
    return chunks


def _pieces(chunks: Iterator[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        yield from (chunk[at : at + _PIECE] for at in range(0, len(chunk), _PIECE))


async def _async_pieces(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with contextlib.aclosing(chunks):
        async for chunk in chunks:
            for at in range(0, len(chunk), _PIECE):
                yield chunk[at : at + _PIECE]


def _requests_chunks(response: Any) -> Iterator[bytes]:
    raw = response.raw
    if getattr(raw, "chunked", False) or response._content_consumed or not hasattr(raw, "read1"):
        # A chunk that is shorter comes at once; without a size, one of a gigabyte would come whole.
        return _pieces(response.iter_content(chunk_size=_PIECE))
    # Without chunked framing, iter_content would wait until the piece is full.
    return iter(lambda: raw.read1(_PIECE, decode_content=True), b"")


def _shutdown(response: Any) -> Callable[[], None] | None:
    # An HTTP/2 connection carries other streams too: it is not ours to shut down.
    stream = response.extensions.get("network_stream")
    if stream is None or response.http_version == "HTTP/2":
        return None

    def shutdown() -> None:
        connection = stream.get_extra_info("socket")
        if connection is not None:
            # The plain socket's method: that of ssl.SSLSocket would change an object that the reader is using.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    return shutdown
