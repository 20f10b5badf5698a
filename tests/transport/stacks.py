"""Every way to send a request: httpx or httpx2, blocking or async, over its own transport or the native one."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType, TracebackType
from typing import Any

import eugpt_fast
import httpx
import httpx2
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

HAS_NATIVE = hasattr(eugpt_fast, "Transport")
needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="no native transport in this build")

_OF_TRANSPORT = {
    "verify", "cert", "trust_env", "http1", "http2", "limits", "proxy", "uds", "local_address", "retries",
    "buffer_size",
}  # fmt: skip

_ROOTS = ssl.create_default_context()  # for those that read the roots, 20 ms, whenever a transport is made


@dataclass(frozen=True)
class Stack:
    """A library, its blocking or its async client, and a transport below it."""

    library: ModuleType
    is_async: bool
    native: bool

    def __str__(self) -> str:
        kind = "async" if self.is_async else "sync"
        return f"{self.library.__name__}-{kind}-{'native' if self.native else 'own'}"

    def transport(self, **options: Any) -> Any:
        """A transport with these options of httpx's."""
        owner = eugpt_fast if self.native else self.library
        name = ("Async" if self.is_async else "") + ("Transport" if self.native else "HTTPTransport")
        return getattr(owner, name)(**options)

    @contextlib.contextmanager
    def client(self, *, reads_environment: bool = False, **options: Any) -> Iterator[Any]:
        """A client that is used like a blocking one. Options of the transport go there, the others to the client.

        ``reads_environment``: httpx looks for proxies there only where it makes its transports itself.
        """
        options.setdefault("timeout", 15)
        if not self.native:
            options.setdefault("verify", _ROOTS)
        if self.native or not reads_environment:
            for_transport = {name: options.pop(name) for name in _OF_TRANSPORT & options.keys()}
            options.setdefault("transport", self.transport(**for_transport))
        if self.is_async:
            with Bridge(self.library.AsyncClient(**options)) as client:
                yield client
        else:
            with self.library.Client(**options) as client:
                yield client


OWN = [Stack(httpx, False, False), Stack(httpx, True, False), Stack(httpx2, False, False)]
NATIVE = [Stack(library, is_async, True) for library in (httpx, httpx2) for is_async in (False, True)]


def stacks(*chosen: Stack) -> list[Any]:
    """Parameters for pytest; the native ones are skipped where there is none."""
    return [pytest.param(stack, marks=needs_native if stack.native else (), id=str(stack)) for stack in chosen]


class Bridge:
    """An async client that is used from blocking code, on an asyncio loop in a thread of its own."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __enter__(self) -> Bridge:
        self._scope = contextlib.ExitStack()
        self._portal: BlockingPortal = self._scope.enter_context(start_blocking_portal())
        self._scope.enter_context(self._portal.wrap_async_context_manager(self._client))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._scope.__exit__(kind, error, traceback)

    def request(self, method: str, url: str, **options: Any) -> Any:
        return self._portal.call(lambda: self._client.request(method, url, **_made_async(options)))

    def get(self, url: str, **options: Any) -> Any:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Any:
        return self.request("POST", url, **options)

    @contextlib.contextmanager
    def stream(self, method: str, url: str, **options: Any) -> Iterator[BridgedResponse]:
        context = self._client.stream(method, url, **_made_async(options))
        with self._portal.wrap_async_context_manager(context) as response:
            yield BridgedResponse(response, self._portal)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


class BridgedResponse:
    """An async response that is read from blocking code."""

    def __init__(self, response: Any, portal: BlockingPortal) -> None:
        self._response, self._portal = response, portal

    def iter_raw(self) -> Iterator[bytes]:
        return self._iterate(self._response.aiter_raw())

    def iter_bytes(self) -> Iterator[bytes]:
        return self._iterate(self._response.aiter_bytes())

    def iter_text(self) -> Iterator[str]:
        return self._iterate(self._response.aiter_text())

    def iter_lines(self) -> Iterator[str]:
        return self._iterate(self._response.aiter_lines())

    def read(self) -> bytes:
        found: bytes = self._portal.call(self._response.aread)
        return found

    def close(self) -> None:
        self._portal.call(self._response.aclose)

    def _iterate(self, source: Any) -> Iterator[Any]:
        try:
            while (part := self._portal.call(anext, source, None)) is not None:
                yield part
        finally:
            self._portal.call(source.aclose)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)


def _made_async(options: dict[str, Any]) -> dict[str, Any]:
    content = options.get("content")
    if content is None or isinstance(content, bytes | str):
        return options
    return {**options, "content": _alternate(content)}


async def _alternate(parts: Iterable[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
