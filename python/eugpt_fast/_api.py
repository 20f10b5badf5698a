"""``stream`` and ``collect``: one call against the API."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._client.calls import AsyncHttpCall, HttpCall
from ._client.request import build
from ._reader import AsyncEventStream, Collected, EventStream
from ._reader.base import DEFAULT_MAX_EVENT_SIZE

__all__ = ["acollect", "astream", "collect", "stream"]

Input = str | list[dict[str, Any]]


def stream(
    input: Input,
    *,
    client: Any = None,
    api_key: str | None = None,
    base_url: str | None = None,
    max_retries: int = 2,
    only: Iterable[str] | None = None,
    content_timeout: float | None = None,
    max_event_size: int = DEFAULT_MAX_EVENT_SIZE,
    **body: Any,
) -> EventStream:
    """Sends one ``POST /v1/responses`` and returns its events as they come.

    Args:
        input: the prompt, or a list of input items.
        client: an ``httpx.Client`` (or ``httpx2.Client``) to use and keep open; its timeouts then hold. Without one,
            a client lives as long as the stream, with the API guide's timeouts (connect 10 s, read 120 s).
        api_key: default ``EUGPT_API_KEY``.
        base_url: default ``EUGPT_BASE_URL``, else the vendor's; with or without ``/v1``.
        max_retries: how often the request may be sent again: on connection failures, 408, 409, 429, 5xx, and a cut
            stream, but never once an event has reached the caller.
        only, content_timeout, max_event_size: see :class:`EventStream`.
        **body: everything else goes into the request body: ``model``, ``instructions``, ``tools``, ...

    Raises:
        MissingApiKey: there is no key; nothing was sent.
        httpx.HTTPStatusError: the API refuses; the message carries its own text.
        httpx.TransportError: no connection, after all attempts.

    Examples:
        >>> with eugpt_fast.stream("Tell me a haiku.") as events:
        ...     for event in events:
        ...         if event["type"] == "response.output_text.delta":
        ...             print(event["delta"], end="", flush=True)
    """
    request = build({"input": input, **body}, api_key, base_url)
    call = HttpCall(request, client, max_retries)
    return EventStream(call, only=only, content_timeout=content_timeout, max_event_size=max_event_size)


def astream(
    input: Input,
    *,
    client: Any = None,
    api_key: str | None = None,
    base_url: str | None = None,
    max_retries: int = 2,
    only: Iterable[str] | None = None,
    content_timeout: float | None = None,
    max_event_size: int = DEFAULT_MAX_EVENT_SIZE,
    **body: Any,
) -> AsyncEventStream:
    """As :func:`stream`, with an async client. The request is sent when the first event is asked for, or at
    ``async with`` or ``await``.

    Examples:
        >>> async def main():
        ...     async with eugpt_fast.astream("Tell me a haiku.") as events:
        ...         async for event in events:
        ...             print(event["type"])
        >>> asyncio.run(main())
    """
    request = build({"input": input, **body}, api_key, base_url)
    call = AsyncHttpCall(request, client, max_retries)
    return AsyncEventStream(call, only=only, content_timeout=content_timeout, max_event_size=max_event_size)


def collect(input: Input, **options: Any) -> Collected:
    """Sends one request and returns the whole answer: text, response, usage, verdict.

    Takes and raises what :func:`stream` does, and what reading it does. A cut stream is repeated, for nothing of it
    has reached the caller.
    """
    with stream(input, **options) as events:
        return events.collect()


async def acollect(input: Input, **options: Any) -> Collected:
    """As :func:`collect`, with an async client."""
    async with astream(input, **options) as events:
        return await events.collect()
