"""What a call sends, and how a refusal is told."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from ..errors import MissingApiKey

DEFAULT_BASE_URL = "https://chat.eugpt.ai/v1"

MAX_REFUSAL = 64 * 1024
"""Bytes of a refusal's body that are read."""

_MAX_SHOWN = 2000  # characters of it that the error's message shows
_OF_THE_WIRE = ("content-encoding", "content-length", "transfer-encoding")


@dataclass(frozen=True)
class Request:
    """A ``POST /v1/responses``, ready to be sent any number of times."""

    url: str
    content: bytes = field(repr=False)
    api_key: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "authorization": f"Bearer {self.api_key}",
            "content-type": "application/json",
            "accept": "text/event-stream",
        }


def build(body: dict[str, Any], api_key: str | None, base_url: str | None, path: str = "/v1/responses") -> Request:
    """Completes what the caller left out from ``EUGPT_API_KEY`` and ``EUGPT_BASE_URL``. The base may end in ``/v1``.

    Raises:
        MissingApiKey: there is no key.
        ValueError: the key holds characters that no header may hold, or the base URL is none.
        TypeError: ``body`` cannot be encoded as JSON.
    """
    key = (api_key or os.environ.get("EUGPT_API_KEY", "")).strip()
    if not key:
        raise MissingApiKey("no API key: pass api_key= or set EUGPT_API_KEY")
    if not (key.isascii() and key.isprintable()):
        # Said here, for the error of the HTTP library would show the key.
        raise ValueError("the API key holds characters that no HTTP header may hold")
    base = (base_url or os.environ.get("EUGPT_BASE_URL") or DEFAULT_BASE_URL).strip().rstrip("/")
    url = base.removesuffix("/v1") + path
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"the base URL is none: {error}") from None
    return Request(url, orjson.dumps({**body, "stream": True}), key)


def status_error(response: Any, said: bytes, api_key: str) -> Exception:
    """The HTTP library's own ``HTTPStatusError`` for a refusal whose body is ``said``, with its words.

    Its ``response`` is the refusal with the body read, so that ``error.response.json()`` works.
    """
    headers = [(name, value) for name, value in response.headers.multi_items() if name.lower() not in _OF_THE_WIRE]
    refusal = type(response)(
        response.status_code,
        headers=headers,
        content=said,
        request=response.request,
        extensions=response.extensions,
        history=response.history,
    )
    refusal.elapsed = response.elapsed
    text = _api_text(refusal).replace(api_key, "[api key]")[:_MAX_SHOWN]
    message = f"HTTP {response.status_code} {response.reason_phrase} for {response.request.url}: {text}"
    try:
        refusal.raise_for_status()
    except Exception as error:
        kind: Any = type(error)
        told: Exception = kind(message, request=response.request, response=refusal)
        return told
    raise AssertionError("status_error is for responses that are no success")


def _api_text(response: Any) -> str:
    try:
        said = orjson.loads(response.content)
        details = said.get("error", said)
        text = details if isinstance(details, str) else details.get("message") or details.get("detail")
    except (orjson.JSONDecodeError, AttributeError):
        text = None
    return str(text) if text else response.text
