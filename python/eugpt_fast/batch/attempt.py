"""One request, sent once."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import orjson

from .._client.calls import read_refusal
from .._client.request import Request, build
from .._client.retries import may_pass, retry_after
from .._reader import AsyncEventStream, Collected
from .._reader.judge import judge
from .._verdict import Verdict
from ..errors import EugptFastError, EventDecodeError, EventTooLarge, StreamError, UnexpectedResponse
from .assemble import ITEM_DONE, response_body
from .chat import ChatReader, asking_for_usage, is_cut_short
from .lines import Line
from .options import Options
from .outcome import Outcome

__all__ = ["Sender"]

_CHAT = "/v1/chat/completions"


class Sender:
    """Sends requests over one client."""

    def __init__(self, client: httpx.AsyncClient, options: Options) -> None:
        self._client = client
        self._options = options

    async def send(self, line: Line) -> Outcome:
        """One attempt. Whatever goes wrong with it is in the outcome."""
        body = asking_for_usage(line.body) if line.url == _CHAT else line.body
        request = build(body, self._options.api_key, self._options.base_url, line.url)
        begun = time.monotonic()
        try:
            outcome = await self._send(request, line, begun)
        except (httpx.RequestError, OSError) as error:
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            outcome = Outcome("unreachable", error=("unreachable", told), retryable=True)
        outcome.duration = time.monotonic() - begun
        if outcome.error is not None:
            code, message = outcome.error
            outcome.error = code, message.replace(request.api_key, "[api key]")
        return outcome

    async def _send(self, request: Request, line: Line, begun: float) -> Outcome:
        asked = self._client.build_request("POST", request.url, headers=request.headers, content=request.content)
        response = await self._client.send(asked, stream=True)
        async with contextlib.aclosing(response):
            if not response.is_success:
                outcome = await _refusal(response)
            elif response.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
                outcome = _whole(await response.aread())  # a server that does not stream
            elif line.url == _CHAT:
                outcome = await self._read_chat(response, line, begun)
            else:
                outcome = await self._read(response, line, begun)
        outcome.status_code = response.status_code
        outcome.headers = response.headers
        outcome.request_id = response.headers.get("x-request-id")
        return outcome

    async def _read(self, response: Any, line: Line, begun: float) -> Outcome:
        offset = time.monotonic() - begun
        # Whole items are read beside, for the servers that leave them out of the final response.
        stream = AsyncEventStream(response, only={ITEM_DONE}, content_timeout=self._options.content_timeout)
        try:
            items = [event["item"] async for event in stream if event["type"] == ITEM_DONE and "item" in event]
            collected = await stream.collect()
        except StreamError as error:
            outcome = Outcome(str(error.verdict), error=_told(error), retryable=error.retryable, text=error.text)
        except (EventDecodeError, EventTooLarge, UnexpectedResponse) as error:
            outcome = Outcome("error", error=(type(error).__name__, str(error)), retryable=True, text=stream.text)
        else:
            outcome = _success(collected, line, items)
        metrics = stream.metrics
        outcome.events = metrics.events
        if metrics.time_to_first_text is not None:
            outcome.time_to_first_text = offset + metrics.time_to_first_text
        return outcome

    async def _read_chat(self, response: Any, line: Line, begun: float) -> Outcome:
        choices = line.body.get("n")
        n = choices if isinstance(choices, int) and choices > 0 else 1
        offset = time.monotonic() - begun
        reader = ChatReader(n, content_timeout=self._options.content_timeout)
        await reader.read(response)
        outcome = Outcome(reader.verdict, error=reader.error, retryable=reader.retryable, text=reader.text)
        if outcome.ok:
            outcome.body = reader.body
        outcome.usage, outcome.events = reader.usage, reader.events
        if reader.time_to_first_text is not None:
            outcome.time_to_first_text = offset + reader.time_to_first_text
        return outcome


def _success(collected: Collected, line: Line, items: Sequence[Mapping[str, Any]]) -> Outcome:
    body = response_body(collected, line.body, items)
    return Outcome(str(collected.verdict), body=body, text=collected.text, usage=collected.usage)


def _whole(said: bytes) -> Outcome:
    try:
        body = json.loads(said)
    except ValueError as error:
        return Outcome("error", error=(type(error).__name__, f"the answer is no JSON: {error}"), retryable=True)
    if not isinstance(body, dict):
        return Outcome("error", error=("error", "the answer is no JSON object"), retryable=True)
    if body.get("error") and body.get("object") != "response":
        terminal = {"type": "error", "error": body["error"]}
    else:
        terminal = {"type": "response.completed", "response": body}
    verdict, failure = judge(terminal)
    if failure is not None:
        failure.verdict = verdict
        return Outcome(str(verdict), error=_told(failure), retryable=failure.retryable)
    usage, choices = body.get("usage"), body.get("choices")
    if isinstance(choices, list) and is_cut_short(choices):
        verdict = Verdict.INCOMPLETE
    return Outcome(str(verdict), body=body, usage=usage if isinstance(usage, dict) else None)


async def _refusal(response: Any) -> Outcome:
    status = response.status_code
    return Outcome("refused", error=_explained(await read_refusal(response), status), retryable=may_pass(status))


def _explained(said: bytes, status: int) -> tuple[str, str]:
    """Code and message of the API, if it says them; of the status otherwise."""
    try:
        error = orjson.loads(said)["error"]
        return str(error.get("code") or error.get("type") or status), str(error.get("message") or "")
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(status), said[:2000].decode("utf-8", "replace")


def _told(error: EugptFastError) -> tuple[str, str]:
    return str(getattr(error, "code", None) or getattr(error, "verdict", None) or "error"), str(error)


def asked_to_wait(outcome: Outcome) -> float:
    """Seconds that the server wants this request to wait before it is sent again."""
    return retry_after(outcome.headers.get("retry-after")) or 0.0
