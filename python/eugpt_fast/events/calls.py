"""Output items that are calls of the server's own tools, and of tools whose work is yours."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

__all__ = [
    "ApplyPatchCall",
    "CallFields",
    "CodeInterpreterCall",
    "ComputerCall",
    "FileSearchCall",
    "ImageGenerationCall",
    "ItemFields",
    "LocalShellCall",
    "McpApprovalRequest",
    "McpCall",
    "McpListTools",
    "ShellCall",
    "ToolSearchCall",
    "ToolSearchOutput",
    "WebSearchCall",
]


class ItemFields(TypedDict, total=False):
    """What most items have."""

    id: str
    status: str
    """``in_progress``, ``completed``, ``incomplete``, and others for some tools."""
    created_by: str


class CallFields(ItemFields, total=False):
    """What calls of tools have besides."""

    namespace: str | None
    caller: Any


class _OfMcp(ItemFields, total=False):
    approval_request_id: str | None
    output: str | None
    error: Any


class McpCall(_OfMcp):
    """A call of a tool of an MCP server, by the API's server."""

    type: Literal["mcp_call"]
    name: str
    arguments: str
    server_label: str


class McpApprovalRequest(ItemFields):
    """The question whether a tool of an MCP server may be called."""

    type: Literal["mcp_approval_request"]
    name: str
    arguments: str
    server_label: str


class _McpListTools(ItemFields, total=False):
    error: Any


class McpListTools(_McpListTools):
    """The tools of an MCP server."""

    type: Literal["mcp_list_tools"]
    server_label: str
    tools: list[dict[str, Any]]


class _WebSearchCall(ItemFields, total=False):
    action: dict[str, Any]


class WebSearchCall(_WebSearchCall):
    """A search in the web."""

    type: Literal["web_search_call"]


class _FileSearchCall(ItemFields, total=False):
    queries: list[str]
    results: list[dict[str, Any]] | None


class FileSearchCall(_FileSearchCall):
    """A search in files."""

    type: Literal["file_search_call"]


class _CodeInterpreterCall(ItemFields, total=False):
    code: str | None
    container_id: str
    outputs: list[dict[str, Any]] | None


class CodeInterpreterCall(_CodeInterpreterCall):
    """A run of the code interpreter."""

    type: Literal["code_interpreter_call"]


class _ImageGenerationCall(ItemFields, total=False):
    result: str | None
    """The image in base64, once it is there."""
    action: str | None
    background: str | None
    error: Any
    output_format: str | None
    quality: str | None
    revised_prompt: str | None
    size: str | None


class ImageGenerationCall(_ImageGenerationCall):
    """An image that the model makes."""

    type: Literal["image_generation_call"]


class ApplyPatchCall(CallFields):
    """A change of a file that you are asked to make."""

    type: Literal["apply_patch_call"]
    call_id: str
    operation: dict[str, Any]


class _ShellCall(CallFields, total=False):
    environment: Any


class ShellCall(_ShellCall):
    """Commands that you are asked to run."""

    type: Literal["shell_call"]
    call_id: str
    action: dict[str, Any]


class LocalShellCall(CallFields):
    """A command that you are asked to run."""

    type: Literal["local_shell_call"]
    call_id: str
    action: dict[str, Any]


class _ComputerCall(CallFields, total=False):
    action: dict[str, Any] | None
    actions: list[dict[str, Any]] | None
    pending_safety_checks: list[dict[str, Any]]


class ComputerCall(_ComputerCall):
    """What you are asked to do with a screen."""

    type: Literal["computer_call"]
    call_id: str


class _ToolSearch(ItemFields, total=False):
    call_id: str | None
    execution: str


class ToolSearchCall(_ToolSearch):
    """A search among the tools."""

    type: Literal["tool_search_call"]
    arguments: Any


class ToolSearchOutput(_ToolSearch):
    """The tools found."""

    type: Literal["tool_search_output"]
    tools: list[dict[str, Any]]
