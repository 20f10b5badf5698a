"""A call that can be repeated: what a stream asks for bytes, and asks again if none of them reached the caller."""

from __future__ import annotations

import time
from typing import Any

import anyio
import httpx

from .request import Request, status_error
from .retries import Retries, transport_errors

# The API guide's timeouts, in seconds.
TIMEOUT = httpx.Timeout(connect=10, read=120, write=10, pool=10)


class Call:
    """A request over a sync client: the caller's, or one of its own that lives as long as the stream."""

    def __init__(self, request: Request, client: Any, max_retries: int) -> None:
        self._request = request
        self._retries = Retries(max_retries)
        self._owned = httpx.Client(timeout=TIMEOUT) if client is None else None
        self._client = self._owned or client

    def open(self) -> Any:
        """The response, its body not read.

        Raises:
            httpx.HTTPStatusError: the API refuses; with its own words.
            httpx.TransportError: no answer, after all attempts.
        """
        while True:
            try:
                request = self._client.build_request(
                    "POST", self._request.url, headers=self._request.headers, content=self._request.content
                )
                response = self._client.send(request, stream=True)
                if response.is_success:
                    return response
                try:
                    response.read()
                finally:
                    response.close()
            except transport_errors():
                delay = self._retries.after_failure()
                if delay is None:
                    raise
            else:
                delay = self._retries.after_refusal(response)
                if delay is None:
                    raise status_error(response, self._request.api_key)
            time.sleep(delay)

    def again(self) -> bool:
        """Whether to open again after an interruption; waits before it says yes."""
        delay = self._retries.after_failure()
        if delay is None:
            return False
        time.sleep(delay)
        return True

    def close(self) -> None:
        """Closes the client if it is the call's own."""
        if self._owned is not None:
            self._owned.close()


class AsyncCall:
    """As :class:`Call`, over an async client."""

    def __init__(self, request: Request, client: Any, max_retries: int) -> None:
        self._request = request
        self._retries = Retries(max_retries)
        self._owned = httpx.AsyncClient(timeout=TIMEOUT) if client is None else None
        self._client = self._owned or client

    async def open(self) -> Any:
        """As :meth:`Call.open`."""
        while True:
            try:
                request = self._client.build_request(
                    "POST", self._request.url, headers=self._request.headers, content=self._request.content
                )
                response = await self._client.send(request, stream=True)
                if response.is_success:
                    return response
                try:
                    await response.aread()
                finally:
                    await response.aclose()
            except transport_errors():
                delay = self._retries.after_failure()
                if delay is None:
                    raise
            else:
                delay = self._retries.after_refusal(response)
                if delay is None:
                    raise status_error(response, self._request.api_key)
            await anyio.sleep(delay)

    async def again(self) -> bool:
        """As :meth:`Call.again`."""
        delay = self._retries.after_failure()
        if delay is None:
            return False
        await anyio.sleep(delay)
        return True

    async def aclose(self) -> None:
        """As :meth:`Call.close`."""
        if self._owned is not None:
            await self._owned.aclose()
