"""Output items: what a response consists of."""

from __future__ import annotations

from typing import Literal

from .calls import (
    ApplyPatchCall,
    CallFields,
    CodeInterpreterCall,
    ComputerCall,
    FileSearchCall,
    ImageGenerationCall,
    ItemFields,
    LocalShellCall,
    McpApprovalRequest,
    McpCall,
    McpListTools,
    ShellCall,
    ToolSearchCall,
    ToolSearchOutput,
    WebSearchCall,
)
from .content import Annotation, ContentPart

__all__ = [
    "Compaction",
    "CustomToolCall",
    "FunctionCall",
    "Message",
    "OutputItem",
    "Reasoning",
    "UnknownItem",
]


class _Message(ItemFields, total=False):
    role: str
    phase: str | None
    annotations: list[Annotation]


class Message(_Message):
    """What the model says."""

    type: Literal["message"]
    content: list[ContentPart]


class _Reasoning(ItemFields, total=False):
    summary: list[ContentPart]
    content: list[ContentPart] | None
    encrypted_content: str | None


class Reasoning(_Reasoning):
    """What the model thinks, as far as the server tells."""

    type: Literal["reasoning"]


class FunctionCall(CallFields):
    """A call of one of your functions. Its result goes back to the server under ``call_id``."""

    type: Literal["function_call"]
    name: str
    arguments: str
    """JSON, as the model wrote it: not checked."""
    call_id: str


class CustomToolCall(CallFields):
    """A call of one of your tools that takes free text."""

    type: Literal["custom_tool_call"]
    name: str
    input: str
    call_id: str


class Compaction(ItemFields):
    """The conversation so far, made short."""

    type: Literal["compaction"]
    encrypted_content: str


class UnknownItem(ItemFields):
    """Stands for any other type; see :class:`eugpt_fast.events.UnknownEvent`."""

    type: Literal["<unknown>"]


OutputItem = (
    Message
    | Reasoning
    | FunctionCall
    | CustomToolCall
    | McpCall
    | McpApprovalRequest
    | McpListTools
    | WebSearchCall
    | FileSearchCall
    | CodeInterpreterCall
    | ImageGenerationCall
    | ApplyPatchCall
    | ShellCall
    | LocalShellCall
    | ComputerCall
    | ToolSearchCall
    | ToolSearchOutput
    | Compaction
    | UnknownItem
)
