"""httpx or httpx2: whose request comes in, whose response goes out, and whose exceptions are raised."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any

from .._core import TransportFailure
from .bodies import AsyncNativeBody, NativeBody

__all__ = ["Library", "library_of"]

_NAMES = ("httpx", "httpx2")


class Library:
    """One of the two, with its classes."""

    def __init__(self, module: ModuleType) -> None:
        self._module: Any = module
        # A response refuses a body of a class that is not its own.
        self._body: Any = type("Body", (NativeBody, self._module.SyncByteStream), {})
        self._async_body: Any = type("AsyncBody", (AsyncNativeBody, self._module.AsyncByteStream), {})

    def has_whole_body(self, request: Any) -> bool:
        """Whether the body of ``request`` is there in one piece."""
        return isinstance(request.stream, self._module.ByteStream)

    def error(self, kind: str, request: Any, message: str) -> Exception:
        """The library's exception of this name."""
        error: Exception = getattr(self._module, kind)(message, request=request)
        return error

    @contextmanager
    def failures(self, request: Any) -> Generator[None, None, None]:
        """Turns what the native half raises into the library's own exception."""
        try:
            yield
        except TransportFailure as failure:
            kind, message = failure.args
            raise self.error(kind, request, message) from None

    def response(self, request: Any, answer: Any, exchange: Any) -> Any:
        """The response to a sync client's request."""
        return self._response(answer, self._body(exchange, lambda: self.failures(request)))

    def async_response(self, request: Any, answer: Any, exchange: Any) -> Any:
        """The response to an async client's request."""
        return self._response(answer, self._async_body(exchange, lambda: self.failures(request)))

    def _response(self, answer: Any, body: Any) -> Any:
        status, version, reason, fields = answer
        extensions = {"http_version": version.encode(), "reason_phrase": reason}
        return self._module.Response(status, headers=fields, stream=body, extensions=extensions)


@cache
def _library(name: str) -> Library:
    return Library(sys.modules[name])


def library_of(request: Any) -> Library:
    """The library that ``request`` belongs to.

    Raises:
        TypeError: it is no request of httpx or httpx2.
    """
    for base in type(request).__mro__:
        name = base.__module__.partition(".")[0]
        if name in _NAMES:
            return _library(name)
    raise TypeError(f"expected a request of httpx or httpx2, not {type(request).__name__}")
