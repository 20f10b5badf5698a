"""A pytest plugin: every client of the SDK is accelerated as soon as it is made, and the fast streams are counted."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import openai
from eugpt_fast.compat.openai import accelerate, streams

_opened = 0


def pytest_configure() -> None:
    for kind in (openai.OpenAI, openai.AsyncOpenAI):
        kind.__init__ = _accelerating(kind.__init__)  # type: ignore[method-assign]
    for stream in (streams.FastStream, streams.AsyncFastStream):
        stream.__stream__ = _counting(stream.__stream__)  # type: ignore[method-assign]


def pytest_terminal_summary(terminalreporter: Any) -> None:
    terminalreporter.write_line(f"fast streams: {_opened}")


def _accelerating(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapped(self: Any, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        accelerate(self)

    return wrapped


def _counting(stream: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(stream)
    def wrapped(self: Any) -> Any:
        global _opened  # noqa: PLW0603
        _opened += 1
        return stream(self)

    return wrapped
