"""The body that ``POST /v1/responses`` would have returned without streaming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._reader import Collected

__all__ = ["ITEM_DONE", "response_body"]

ITEM_DONE: Final = "response.output_item.done"
"""The event that brings an item of the output, whole."""

# What the API repeats of the request in its response.
_ECHOED = (
    "instructions",
    "max_output_tokens",
    "metadata",
    "model",
    "parallel_tool_calls",
    "previous_response_id",
    "reasoning",
    "store",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_p",
    "truncation",
    "user",
)


def response_body(
    collected: Collected, request_body: dict[str, Any], items: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """The final response object as the server sent it; what it lacks is assembled.

    An object with its ``output`` is returned as it is. Where the output is missing, or empty though content came, it
    is ``items`` or, without them, put together from the deltas. Ids and times that the server did not say are left
    out, none is made up.

    Args:
        collected: a stream that ended well.
        request_body: the request, whose parameters the API repeats in its response.
        items: the ``item`` of every :data:`ITEM_DONE`, in order. Without them a function call has no ``name`` and
            no ``call_id``, for the deltas bring only its arguments, and several parts of one kind become one.
    """
    response = collected.response or {}
    output = response.get("output") or list(items) or _output(collected)
    if response.get("output") == output:
        return response
    head = {} if collected.response_id is None else {"id": collected.response_id}
    echoed = {name: request_body[name] for name in _ECHOED if name in request_body}
    told = {name: value for name, value in response.items() if name != "output"}
    return {
        **head,
        "object": "response",
        "status": str(collected.verdict),
        "error": None,
        "incomplete_details": None,
        "usage": None,
        **echoed,
        **told,
        "output": output,
    }


def _output(collected: Collected) -> list[dict[str, Any]]:
    status = str(collected.verdict)
    output: list[dict[str, Any]] = []
    if collected.reasoning or collected.reasoning_summary:
        reasoning: dict[str, Any] = {"type": "reasoning", "summary": []}
        if collected.reasoning_summary:
            reasoning["summary"] = [{"type": "summary_text", "text": collected.reasoning_summary}]
        if collected.reasoning:
            reasoning["content"] = [{"type": "reasoning_text", "text": collected.reasoning}]
        output.append(reasoning)
    content: list[dict[str, Any]] = []
    if collected.text:
        content.append({"type": "output_text", "text": collected.text, "annotations": []})
    if collected.refusal:
        content.append({"type": "refusal", "refusal": collected.refusal})
    if content:
        output.append({"type": "message", "role": "assistant", "status": status, "content": content})
    for item_id, arguments in collected.arguments.items():
        call = {"type": "function_call", "status": status, "arguments": arguments}
        output.append({"id": item_id, **call} if item_id else call)
    return output
