"""Chunks of a Chat Completions stream: another format, which ``Parser`` decodes too."""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = ["ChatChoice", "ChatChunk", "ChatDelta", "ChatFunction", "ChatToolCall"]


class ChatFunction(TypedDict, total=False):
    """More of a call of a function."""

    name: str | None
    arguments: str | None


class _ChatToolCall(TypedDict, total=False):
    id: str | None
    type: str | None
    function: ChatFunction


class ChatToolCall(_ChatToolCall):
    """More of one of the calls of tools; those with the same ``index`` belong together."""

    index: int


class ChatDelta(TypedDict, total=False):
    """What is new in a choice."""

    role: str | None
    content: str | None
    refusal: str | None
    reasoning: str | None
    reasoning_content: str | None
    reasoning_details: list[Any] | None
    tool_calls: list[ChatToolCall] | None


class _ChatChoice(TypedDict, total=False):
    index: int
    finish_reason: str | None
    logprobs: Any
    matched_stop: Any
    native_finish_reason: str | None


class ChatChoice(_ChatChoice):
    """One of the answers, most often the only one."""

    delta: ChatDelta


class _ChatChunk(TypedDict, total=False):
    id: str
    object: str
    created: int
    model: str
    provider: str
    service_tier: str | None
    system_fingerprint: str | None
    usage: dict[str, Any] | None
    error: Any


class ChatChunk(_ChatChunk):
    """One chunk. The types of this package are those of Responses streams: say that you read another one.

    Examples:
        >>> chunks = cast("list[ChatChunk]", parser.feed(data))
    """

    choices: list[ChatChoice]
