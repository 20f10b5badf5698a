"""The body that ``POST /v1/chat/completions`` would have returned without streaming."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import anyio

from .._json import is_array, is_object
from .._reader import AsyncEventStream
from .._reader.judge import judge
from .._verdict import Verdict
from ..errors import EugptFastError, StreamError, StreamInterrupted
from .deltas import merge, settled

__all__ = ["ChatReader", "asking_for_usage", "is_cut_short"]

_DRAIN = 5.0
"""Seconds that we wait for the usage and the end of the body once every choice is finished."""

_NAMING = ("id", "created", "model")
"""What names the answer. Some servers leave it empty in the first chunk or the last."""


def asking_for_usage(body: dict[str, Any]) -> dict[str, Any]:
    """The body of a request for a stream that ends with the ``usage``, which an answer in one piece always has."""
    options: Any = body.get("stream_options") or {}
    return {**body, "stream_options": {"include_usage": True, **options}} if is_object(options) else body


def is_cut_short(choices: Iterable[Any]) -> bool:
    """Whether a limit of tokens or a filter stopped any of these choices."""
    reasons = [choice.get("finish_reason") for choice in choices if is_object(choice)]
    return "length" in reasons or "content_filter" in reasons


class ChatReader:
    """Reads one stream of chat completion chunks to its verdict.

    The verdict is ``error`` if a chunk holds an ``error``; else ``completed`` if all choices have a
    ``finish_reason``, or ``incomplete`` if one of these is ``length`` or ``content_filter``; else ``interrupted``,
    whether or not a ``[DONE]`` came.

    Args:
        n: how many choices were asked for.
        content_timeout: seconds without content after which the stream counts as cut; None for no limit.
    """

    def __init__(self, n: int = 1, *, content_timeout: float | None = None) -> None:
        self.verdict = str(Verdict.INTERRUPTED)
        self.error: tuple[str, str] | None = None
        """Code, and message for people, unless all is well."""
        self.retryable = False
        self.events = 0
        """Chunks received."""
        self.time_to_first_text: float | None = None
        """Seconds since :meth:`read` was called."""
        self._n = n
        self._content_timeout = content_timeout
        self._top: dict[str, Any] = {}
        self._choices: dict[int, dict[str, Any]] = {}
        self._refused: StreamError | None = None

    async def read(self, response: Any) -> None:
        """Reads to the end. How it ended is in the attributes; only what is no matter of the stream is raised.

        Args:
            response: of ``httpx.AsyncClient`` or ``httpx2.AsyncClient``, or any async iterable of bytes.
        """
        begun = time.monotonic()
        stream = AsyncEventStream(response, content_timeout=self._content_timeout)
        failure: EugptFastError = StreamInterrupted("the stream ended before its choices did", retryable=True)
        try:
            async with stream:
                await self._read(stream, begun)
        except EugptFastError as error:
            failure = error
        if isinstance(failure, StreamInterrupted) and self._refused is not None:
            failure = self._refused
        if isinstance(failure, StreamInterrupted) and self._is_finished:
            self.verdict = str(Verdict.INCOMPLETE if is_cut_short(self._choices.values()) else Verdict.COMPLETED)
        else:
            self._fail(failure)

    async def _read(self, stream: AsyncEventStream, begun: float) -> None:
        chunks = aiter(stream)
        async for chunk in chunks:
            self._enter(chunk, begun)
            if self._is_finished:
                break
        with anyio.move_on_after(_DRAIN):
            async for chunk in chunks:
                self._enter(chunk, begun)

    def _fail(self, failure: EugptFastError) -> None:
        if isinstance(failure, StreamError):
            self.verdict = str(failure.verdict or Verdict.INTERRUPTED)
            self.error = (getattr(failure, "code", None) or self.verdict, str(failure))
            self.retryable = failure.retryable
        else:  # no stream of events, or no JSON: a fault of the way rather than of the request
            self.verdict = str(Verdict.ERROR)
            self.error = (type(failure).__name__, str(failure))
            self.retryable = True

    @property
    def _is_finished(self) -> bool:
        choices = self._choices.values()
        return len(choices) >= self._n and all(choice.get("finish_reason") for choice in choices)

    def _enter(self, chunk: Any, begun: float) -> None:
        self.events += 1
        if not is_object(chunk):
            return
        if chunk.get("error") and self._refused is None:
            _, self._refused = judge({"type": "error", "error": chunk["error"]})
            assert self._refused is not None
            self._refused.verdict = Verdict.ERROR
        for name, value in chunk.items():
            if name == "choices":
                for choice in value if is_array(value) else ():
                    if is_object(choice):
                        self._enter_choice(choice, begun)
            elif name in _NAMING:
                self._top[name] = self._top.get(name) or value
            elif value is not None and name not in ("object", "obfuscation", "error"):
                self._top[name] = value

    def _enter_choice(self, chunk: dict[str, Any], begun: float) -> None:
        index = chunk.get("index")
        index = index if isinstance(index, int) else 0
        choice = self._choices.setdefault(index, {"index": index, "message": {}, "logprobs": None})
        for name, value in chunk.items():
            known = choice.get(name)
            if name == "delta" and is_object(value):
                merge(choice["message"], value)
                if self.time_to_first_text is None and value.get("content"):
                    self.time_to_first_text = time.monotonic() - begun
            elif name == "logprobs" and is_object(value):
                choice[name] = merge(known or {}, value)
            elif is_array(known) and is_array(value):
                known.extend(value)
            elif (value is not None or known is None) and name not in ("delta", "index", "message", "logprobs"):
                choice[name] = value

    @property
    def text(self) -> str:
        """The content of the first choice so far."""
        first = settled(self._choices.get(0, {}).get("message", {})).get("content")
        return first if isinstance(first, str) else ""

    @property
    def usage(self) -> dict[str, Any] | None:
        """The last ``usage`` that a chunk brought, or None."""
        usage = self._top.get("usage")
        return usage if is_object(usage) else None

    @property
    def body(self) -> dict[str, Any]:
        """The ``chat.completion``, as far as it has come.

        ``id``, ``created`` and ``model`` are the first ones that are not empty. Of every other field of a chunk or
        a choice the last value counts that is not null; lists grow. For what deltas bring see :func:`~.deltas.merge`.
        The ``index`` of a tool call, which only streams have, is left out.
        """
        named = {name: self._top[name] for name in _NAMING if name in self._top}
        choices = [_whole(self._choices[index]) for index in sorted(self._choices)]
        return {**named, "object": "chat.completion", "choices": choices, "usage": None, **self._top}


def _whole(choice: dict[str, Any]) -> dict[str, Any]:
    whole: dict[str, Any] = settled(choice)
    message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None, **whole["message"]}
    if message.get("tool_calls"):
        calls: list[dict[str, Any]] = sorted(message["tool_calls"], key=lambda call: call.get("index") or 0)
        message["tool_calls"] = [{name: call[name] for name in call if name != "index"} for call in calls]
    return {**whole, "message": message}
