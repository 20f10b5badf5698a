"""The names of the package ``httpx-sse`` over our parser, for responses of httpx and httpx2.

``from eugpt_fast.compat.httpx_sse import connect_sse`` is the whole change; httpx-sse need not be installed. Events
follow the WHATWG rules, in which httpx-sse differs: ``docs/COMPAT-HTTPX-SSE.md`` lists where.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import httpx

from .. import _backend
from .._backend import SSEParser
from .._reader.sources import async_httpx_chunks, httpx_chunks
from ..errors import EventTooLarge

__all__ = ["EventSource", "SSEDecoder", "SSEError", "ServerSentEvent", "aconnect_sse", "connect_sse"]


class SSEError(httpx.TransportError):
    """The response is no event stream."""


class ServerSentEvent:
    """One event.

    Args:
        event: its name; None or "" is "message".
        data: the values of its ``data`` lines, joined by LF.
        id: the last event id, which holds until the stream sets another.
        retry: the reconnection time in ms, if the event's block set one.
    """

    def __init__(
        self, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> None:
        self._parsed = _backend.ServerSentEvent(event or "message", data or "", id or "", retry)

    @property
    def event(self) -> str:
        return self._parsed.event

    @property
    def data(self) -> str:
        return self._parsed.data

    @property
    def id(self) -> str:
        return self._parsed.id

    @property
    def retry(self) -> int | None:
        return self._parsed.retry

    def json(self) -> Any:
        """``data`` decoded.

        Raises:
            EventDecodeError: it is not JSON; also a :class:`json.JSONDecodeError`.
        """
        return self._parsed.json()

    def __repr__(self) -> str:
        fields = {"data": self.data, "id": self.id, "retry": self.retry}
        told = [f", {name}={value!r}" for name, value in fields.items() if value not in ("", None)]
        return f"ServerSentEvent(event={self.event!r}{''.join(told)})"


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
        return _face(events[0]) if events else None


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

        Raises (when the first event is asked for, or later):
            SSEError: the content type is not ``text/event-stream``.
            EventTooLarge: an event of more than 64 MiB; those before it came.
            httpx.HTTPError, httpx2.HTTPError: what the client raises while it reads.
        """
        self._check_content_type()
        parser = self._parser = SSEParser()
        try:
            for chunk in httpx_chunks(self._response):
                for parsed in parser.feed(chunk):
                    yield _face(parsed)
        except EventTooLarge as error:
            for parsed in error.events:
                yield _face(parsed)
            raise

    async def aiter_sse(self) -> AsyncGenerator[ServerSentEvent, None]:
        """As :meth:`iter_sse`, for an async client's response."""
        self._check_content_type()
        parser = self._parser = SSEParser()
        async with aclosing(async_httpx_chunks(self._response)) as chunks:
            try:
                async for chunk in chunks:
                    for parsed in parser.feed(chunk):
                        yield _face(parsed)
            except EventTooLarge as error:
                for parsed in error.events:
                    yield _face(parsed)
                raise

    def _check_content_type(self) -> None:
        media_type = self._response.headers.get("content-type", "").partition(";")[0]
        # "In it", and only in lower case, because that is what httpx-sse accepts.
        if "text/event-stream" not in media_type:
            raise SSEError(f"expected the content type text/event-stream, got {media_type!r}")


@contextmanager
def connect_sse(client: Any, method: str, url: Any, **kwargs: Any) -> Iterator[EventSource]:
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
async def aconnect_sse(client: Any, method: str, url: Any, **kwargs: Any) -> AsyncIterator[EventSource]:
    """As :func:`connect_sse`, for an ``httpx.AsyncClient`` or ``httpx2.AsyncClient``."""
    async with client.stream(method, url, **_asking(kwargs)) as response:
        yield EventSource(response)


def _asking(options: dict[str, Any]) -> dict[str, Any]:
    """The options with the headers that the standard asks for, in a copy: the caller may use its own again."""
    headers = httpx.Headers(options.get("headers"))
    headers["Accept"] = "text/event-stream"
    headers["Cache-Control"] = "no-store"
    return {**options, "headers": headers.raw}


def _face(parsed: _backend.ServerSentEvent) -> ServerSentEvent:
    event = ServerSentEvent.__new__(ServerSentEvent)
    event._parsed = parsed
    return event
