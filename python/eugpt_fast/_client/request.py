"""What a call sends, and how a refusal is told."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

import orjson

from ..errors import MissingApiKey

DEFAULT_BASE_URL = "https://chat.eugpt.ai/v1"


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


def build(body: dict[str, Any], api_key: str | None, base_url: str | None) -> Request:
    """Completes what the caller left out from ``EUGPT_API_KEY`` and ``EUGPT_BASE_URL``.

    Raises:
        MissingApiKey: there is no key.
        ValueError: the key holds characters that no header may hold.
        TypeError: ``body`` cannot be encoded as JSON.
    """
    key = (api_key or os.environ.get("EUGPT_API_KEY", "")).strip()
    if not key:
        raise MissingApiKey("no API key: pass api_key= or set EUGPT_API_KEY")
    if not (key.isascii() and key.isprintable()):
        # Said here, for the error of the HTTP library would show the key.
        raise ValueError("the API key holds characters that no HTTP header may hold")
    base = (base_url or os.environ.get("EUGPT_BASE_URL") or DEFAULT_BASE_URL).rstrip("/")
    path = "/responses" if base.endswith("/v1") else "/v1/responses"
    return Request(base + path, orjson.dumps({**body, "stream": True}), key)


def status_error(response: Any, api_key: str) -> Exception:
    """The HTTP library's own ``HTTPStatusError``, with what the API says. The body must have been read."""
    said = _api_text(response).replace(api_key, "[api key]")
    message = f"HTTP {response.status_code} {response.reason_phrase} for {response.request.url}: {said}"
    try:
        response.raise_for_status()
    except Exception as error:
        kind: Any = type(error)
        refusal: Exception = kind(message, request=response.request, response=response)
        return refusal
    raise AssertionError("status_error is for responses that are no success")


def _api_text(response: Any) -> str:
    try:
        said = orjson.loads(response.content)
        details = said.get("error", said)
        text = details if isinstance(details, str) else details.get("message") or details.get("detail")
    except (orjson.JSONDecodeError, AttributeError):
        text = None
    return str(text) if text else response.text[:500]
