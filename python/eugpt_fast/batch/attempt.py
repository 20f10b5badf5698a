"""One request, sent once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from .._client.calls import read_refusal
from .._client.request import Request, build
from .._client.retries import retry_after
from .._json import is_array, is_object
from .._reader import AsyncEventStream, Collected
from .._reader.judge import judge
from .._verdict import Verdict
from ..errors import EugptFastError, EventDecodeError, EventTooLarge, StreamError, UnexpectedResponse
from .assemble import ITEM_DONE, response_body
from .chat import ChatReader, asking_for_usage, is_cut_short
from .lines import Line
from .options import Options
from .outcome import Outcome
from .refusal import refusal, without

__all__ = ["Sender"]

_CHAT = "/v1/chat/completions"


@dataclass(eq=False)
class _UnderWay:
    """A request that was sent, and what has come of it."""

    response: Any = None
    stream: AsyncEventStream | None = None
    chat: ChatReader | None = None
    sent: float = 0.0
    """When reading of the stream began: seconds since the request was sent."""

    @property
    def events(self) -> int:
        if self.chat is not None:
            return self.chat.events
        # Not by way of its metrics, which cost thirty times as much: all streams are asked every second.
        return 0 if self.stream is None else self.stream._reader.parser.events  # pyright: ignore[reportPrivateUsage]

    def describe(self, outcome: Outcome) -> None:
        """Enters all that is known but how it ended."""
        if self.response is not None:
            outcome.status_code = self.response.status_code
            outcome.headers = self.response.headers
            outcome.request_id = self.response.headers.get("x-request-id")
        first = None
        if self.chat is not None:
            outcome.text, outcome.usage, first = self.chat.text, self.chat.usage, self.chat.time_to_first_text
        elif self.stream is not None:
            outcome.text, first = self.stream.text, self.stream.metrics.time_to_first_text
        outcome.events = self.events
        outcome.time_to_first_text = None if first is None else self.sent + first


class Sender:
    """Sends requests over one client."""

    def __init__(self, client: httpx.AsyncClient, options: Options) -> None:
        self._client = client
        self._options = options
        self._under_way: set[_UnderWay] = set()

    @property
    def events(self) -> int:
        """Events that have come for requests that have not ended."""
        return sum(each.events for each in self._under_way)

    async def send(self, line: Line, seconds: float = math.inf) -> Outcome:
        """One attempt, which may take so many seconds. Whatever goes wrong with it is in the outcome."""
        body = asking_for_usage(line.body) if line.url == _CHAT else line.body
        request = build(body, self._options.api_key, self._options.base_url, line.url)
        begun = time.monotonic()
        one = _UnderWay()
        self._under_way.add(one)
        try:
            sending = self._send(request, line, begun, one)
            outcome = await (asyncio.wait_for(sending, seconds) if seconds < math.inf else sending)
        except asyncio.TimeoutError:
            outcome = Outcome("expired", error=("expired", f"not done within {self._options.deadline:g} seconds"))
        except (httpx.RequestError, OSError) as error:
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            outcome = Outcome("unreachable", error=("unreachable", told), retryable=True)
        finally:
            self._under_way.discard(one)
        one.describe(outcome)
        outcome.duration = time.monotonic() - begun
        return outcome if outcome.ok else without(request.api_key, outcome)

    async def _send(self, request: Request, line: Line, begun: float, one: _UnderWay) -> Outcome:
        asked = self._client.build_request("POST", request.url, headers=request.headers, content=request.content)
        response = await self._client.send(asked, stream=True)
        async with contextlib.aclosing(response):
            one.response = response
            if not response.is_success:
                return refusal(await read_refusal(response), response.status_code)
            if response.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
                return _whole(await response.aread())  # a server that does not stream
            one.sent = time.monotonic() - begun
            return await (self._read_chat if line.url == _CHAT else self._read)(response, line, one)

    async def _read(self, response: Any, line: Line, one: _UnderWay) -> Outcome:
        # Whole items are read beside, for the servers that leave them out of the final response.
        stream = AsyncEventStream(response, only={ITEM_DONE}, content_timeout=self._options.content_timeout)
        one.stream = stream
        try:
            items = [event["item"] async for event in stream if event["type"] == ITEM_DONE and "item" in event]
            collected = await stream.collect()
        except StreamError as error:
            return Outcome(str(error.verdict), error=_told(error), body=stream.response, retryable=error.retryable)
        except (EventDecodeError, EventTooLarge, UnexpectedResponse) as error:
            return Outcome("error", error=(type(error).__name__, str(error)), retryable=True)
        return _success(collected, line, items)

    async def _read_chat(self, response: Any, line: Line, one: _UnderWay) -> Outcome:
        choices = line.body.get("n")
        reader = ChatReader(
            choices if isinstance(choices, int) and choices > 0 else 1, content_timeout=self._options.content_timeout
        )
        one.chat = reader
        await reader.read(response)
        outcome = Outcome(reader.verdict, error=reader.error, retryable=reader.retryable)
        if outcome.ok:
            outcome.body = reader.body
        return outcome


def _success(collected: Collected, line: Line, items: Sequence[Mapping[str, Any]]) -> Outcome:
    body = response_body(collected, line.body, items)
    return Outcome(str(collected.verdict), body=body, usage=collected.usage)


def _whole(said: bytes) -> Outcome:
    try:
        body = json.loads(said)
    except ValueError as error:
        return Outcome("error", error=(type(error).__name__, f"the answer is no JSON: {error}"), retryable=True)
    if not is_object(body):
        return Outcome("error", error=("error", "the answer is no JSON object"), retryable=True)
    if body.get("error") and body.get("object") != "response":
        terminal = {"type": "error", "error": body["error"]}
    else:
        terminal = {"type": "response.completed", "response": body}
    verdict, failure = judge(terminal)
    if failure is not None:
        failure.verdict = verdict
        return Outcome(str(verdict), error=_told(failure), body=body, retryable=failure.retryable)
    usage, choices = body.get("usage"), body.get("choices")
    if is_array(choices) and is_cut_short(choices):
        verdict = Verdict.INCOMPLETE
    return Outcome(str(verdict), body=body, usage=usage if is_object(usage) else None)


def _told(error: EugptFastError) -> tuple[str, str]:
    return str(getattr(error, "code", None) or getattr(error, "verdict", None) or "error"), str(error)


def asked_to_wait(outcome: Outcome) -> float:
    """Seconds that the server wants this request to wait before it is sent again."""
    return retry_after(outcome.headers.get("retry-after")) or 0.0
