"""The names of the package ``httpx-sse`` over our parser, for responses of httpx and httpx2.

``from eugpt_fast.compat.httpx_sse import connect_sse`` is the whole change; httpx-sse need not be installed. Events
follow the WHATWG rules, in which httpx-sse differs: ``docs/COMPAT-HTTPX-SSE.md`` lists where.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import httpx

from .._backend import ServerSentEvent, SSEParser
from .._reader.sources import async_httpx_chunks, httpx_chunks
from ..errors import EventTooLarge

__all__ = ["EventSource", "SSEDecoder", "SSEError", "ServerSentEvent", "aconnect_sse", "connect_sse"]


class SSEError(httpx.TransportError):
    """The response is no event stream."""


class SSEDecoder:
    """Lines to events."""

    def __init__(self) -> None:
        self._parser = SSEParser()

    def decode(self, line: str) -> ServerSentEvent | None:
        """The event that ``line``, given without its line end, completes: an empty one does if data came before it.

        Raises:
            ValueError: there is a line end in ``line``.
            EventTooLarge: an event of more than 64 MiB; it is skipped.
        """
        if "\n" in line or "\r" in line:
            raise ValueError("expected one line, without its line end")
        events = self._parser.feed(f"{line}\n".encode())
        return events[0] if events else None


class EventSource:
    """The events of a streamed response of httpx or httpx2."""

    def __init__(self, response: Any) -> None:
        self._response = response
        self._parser = SSEParser()

    @property
    def response(self) -> Any:
        """The response as it was given."""
        return self._response

    @property
    def last_event_id(self) -> str:
        """The id that the stream set last, or "". A block that sets nothing else is no event."""
        return self._parser.last_event_id

    @property
    def retry(self) -> int | None:
        """The reconnection time in ms that the stream set last, or None. A block that sets nothing else is no event."""
        return self._parser.retry

    def iter_sse(self) -> Iterator[ServerSentEvent]:
        """The events of a sync client's response, up to the last that a blank line has closed.

        Raises:
            SSEError: the content type is not ``text/event-stream``; raised when the first event is asked for.
            EventTooLarge: an event of more than 64 MiB; those before it came.
            httpx.HTTPError, httpx2.HTTPError: what the client raises while it reads.
        """
        self._check_content_type()
        parser = self._parser = SSEParser()
        try:
            for chunk in httpx_chunks(self._response):
                yield from parser.feed(chunk)
        except EventTooLarge as error:
            yield from error.events
            raise

    async def aiter_sse(self) -> AsyncGenerator[ServerSentEvent, None]:
        """As :meth:`iter_sse`, for an async client's response."""
        self._check_content_type()
        parser = self._parser = SSEParser()
        async with aclosing(async_httpx_chunks(self._response)) as chunks:
            try:
                async for chunk in chunks:
                    for event in parser.feed(chunk):
                        yield event
            except EventTooLarge as error:
                for event in error.events:
                    yield event
                raise

    def _check_content_type(self) -> None:
        media_type = self._response.headers.get("content-type", "").partition(";")[0]
        # "In it", and only in lower case, because that is what httpx-sse accepts.
        if "text/event-stream" not in media_type:
            raise SSEError(f"expected the content type text/event-stream, got {media_type!r}")


@contextmanager
def connect_sse(client: Any, method: str, url: Any, **kwargs: Any) -> Generator[EventSource, None, None]:
    """Sends a request that asks for an event stream; closes the response at the end of the ``with`` block.

    Args:
        client: an ``httpx.Client`` or ``httpx2.Client``.
        method, url, **kwargs: as ``client.stream`` takes them.

    Raises:
        httpx.HTTPError, httpx2.HTTPError: what ``client.stream`` raises. The status is not checked.
    """
    with client.stream(method, url, **_asking(kwargs)) as response:
        yield EventSource(response)


@asynccontextmanager
async def aconnect_sse(client: Any, method: str, url: Any, **kwargs: Any) -> AsyncGenerator[EventSource, None]:
    """As :func:`connect_sse`, for an ``httpx.AsyncClient`` or ``httpx2.AsyncClient``."""
    async with client.stream(method, url, **_asking(kwargs)) as response:
        yield EventSource(response)


def _asking(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the headers that the standard asks for, in a copy: the caller may use its own again."""
    headers = httpx.Headers(options.get("headers"))
    headers["Accept"] = "text/event-stream"
    headers["Cache-Control"] = "no-store"
    return {**options, "headers": headers.raw}
