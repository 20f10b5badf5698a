"""A call that can be repeated: what a stream asks for bytes, and asks again if none of them reached the caller."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import anyio
import httpx

from .._reader.sources import AsyncCall, Call, network_errors
from .request import MAX_REFUSAL, Request, status_error
from .retries import Retries, transport_errors

# The API guide's timeouts, in seconds.
TIMEOUT = httpx.Timeout(connect=10, read=120, write=10, pool=10)


class HttpCall(Call):
    """A request over a sync client: the caller's, or one of its own that lives as long as the stream."""

    def __init__(self, request: Request, client: Any, max_retries: int) -> None:
        self._request = request
        self.secret = request.api_key
        self._retries = Retries(max_retries)
        if client is not None and (not hasattr(client, "build_request") or hasattr(client, "aclose")):
            raise TypeError("client must be an httpx.Client or httpx2.Client")
        self._client = client
        self._owned: httpx.Client | None = None

    def open(self) -> Any:
        """The response, its body not read.

        Raises:
            httpx.HTTPStatusError: the API refuses; with its own words.
            httpx.TransportError: no answer, after all attempts.
        """
        if self._client is None:
            self._client = self._owned = httpx.Client(timeout=TIMEOUT)
        while True:
            try:
                request = self._client.build_request(
                    "POST", self._request.url, headers=self._request.headers, content=self._request.content
                )
                self.sent = time.monotonic()
                response = self._client.send(request, stream=True)
            except transport_errors():
                delay = self._retries.after_failure()
                if delay is None:
                    raise
            else:
                if response.is_success:
                    return response
                said = self._read_refusal(response)
                delay = self._retries.after_refusal(response)
                if delay is None:
                    raise status_error(response, said, self._request.api_key)
            time.sleep(delay)

    @staticmethod
    def _read_refusal(response: Any) -> bytes:
        said = b""
        # The status counts, even if its explanation breaks off.
        with contextlib.closing(response), contextlib.suppress(*network_errors()):
            for chunk in response.iter_bytes():
                said += chunk
                if len(said) >= MAX_REFUSAL:
                    break
        return said[:MAX_REFUSAL]

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


async def read_refusal(response: Any) -> bytes:
    """The body of an async client's response that is no success, or its start. Closes it."""
    said = b""
    # The status counts, even if its explanation breaks off.
    async with contextlib.aclosing(response):
        with contextlib.suppress(*network_errors()):
            async for chunk in response.aiter_bytes():
                said += chunk
                if len(said) >= MAX_REFUSAL:
                    break
    return said[:MAX_REFUSAL]


class AsyncHttpCall(AsyncCall):
    """As :class:`HttpCall`, over an async client."""

    def __init__(self, request: Request, client: Any, max_retries: int) -> None:
        self._request = request
        self.secret = request.api_key
        self._retries = Retries(max_retries)
        if client is not None and (not hasattr(client, "build_request") or not hasattr(client, "aclose")):
            raise TypeError("client must be an httpx.AsyncClient or httpx2.AsyncClient")
        self._client = client
        self._owned: httpx.AsyncClient | None = None

    async def open(self) -> Any:
        """As :meth:`HttpCall.open`."""
        if self._client is None:
            self._client = self._owned = httpx.AsyncClient(timeout=TIMEOUT)
        while True:
            try:
                request = self._client.build_request(
                    "POST", self._request.url, headers=self._request.headers, content=self._request.content
                )
                self.sent = time.monotonic()
                response = await self._client.send(request, stream=True)
            except transport_errors():
                delay = self._retries.after_failure()
                if delay is None:
                    raise
            else:
                if response.is_success:
                    return response
                said = await read_refusal(response)
                delay = self._retries.after_refusal(response)
                if delay is None:
                    raise status_error(response, said, self._request.api_key)
            await anyio.sleep(delay)

    async def again(self) -> bool:
        """As :meth:`HttpCall.again`."""
        delay = self._retries.after_failure()
        if delay is None:
            return False
        await anyio.sleep(delay)
        return True

    async def aclose(self) -> None:
        """As :meth:`HttpCall.close`."""
        if self._owned is not None:
            await self._owned.aclose()
