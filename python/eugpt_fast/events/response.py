"""The response object that the events of its life bring."""

from __future__ import annotations

from typing import Any, TypedDict

from .items import OutputItem

__all__ = ["IncompleteDetails", "InputTokensDetails", "OutputTokensDetails", "Response", "ResponseFault", "Usage"]


class InputTokensDetails(TypedDict, total=False):
    """What the tokens read are made of."""

    cached_tokens: int
    cache_write_tokens: int


class OutputTokensDetails(TypedDict, total=False):
    """What the tokens written are made of."""

    reasoning_tokens: int


class Usage(TypedDict, total=False):
    """Tokens read and written."""

    input_tokens: int
    input_tokens_details: InputTokensDetails | None
    output_tokens: int
    output_tokens_details: OutputTokensDetails | None
    total_tokens: int


class ResponseFault(TypedDict, total=False):
    """Why a response failed."""

    code: str | None
    message: str | None
    type: str | None
    param: str | None


class IncompleteDetails(TypedDict, total=False):
    """Why a response is incomplete."""

    reason: str
    """Such as ``max_output_tokens`` or ``content_filter``."""


class _Request(TypedDict, total=False):
    """What was asked for, said again."""

    background: bool | None
    conversation: Any
    frequency_penalty: float | None
    instructions: Any
    max_output_tokens: int | None
    max_tool_calls: int | None
    metadata: dict[str, str] | None
    model: str
    moderation: Any
    parallel_tool_calls: bool
    presence_penalty: float | None
    previous_response_id: str | None
    prompt: Any
    prompt_cache_key: str | None
    prompt_cache_options: Any
    prompt_cache_retention: str | None
    reasoning: Any
    safety_identifier: str | None
    service_tier: str | None
    store: bool | None
    temperature: float | None
    text: Any
    tool_choice: Any
    tools: list[dict[str, Any]]
    top_logprobs: int | None
    top_p: float | None
    truncation: str | None
    user: str | None


class _Response(_Request, total=False):
    object: str
    created_at: float
    """Seconds since 1970."""
    completed_at: float | None
    status: str
    """``completed``, ``failed``, ``in_progress``, ``cancelled``, ``queued`` or ``incomplete``."""
    error: ResponseFault | None
    incomplete_details: IncompleteDetails | None
    output: list[OutputItem]
    usage: Usage | None
    tool_usage: Any


class Response(_Response):
    """A response as far as it has come."""

    id: str
