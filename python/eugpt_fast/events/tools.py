"""Events about calls of tools: yours, and those that the server runs by itself."""

from __future__ import annotations

from typing import Any, Literal

from .places import InCommand, InItem, PieceOfItem

__all__ = [
    "ApplyPatchDiffDelta",
    "ApplyPatchDiffDone",
    "CodeInterpreterCallProgress",
    "CodeInterpreterCodeDelta",
    "CodeInterpreterCodeDone",
    "CompactionProgress",
    "CustomToolCallInputDelta",
    "CustomToolCallInputDone",
    "FileSearchCallProgress",
    "FunctionCallArgumentsDelta",
    "FunctionCallArgumentsDone",
    "ImageGenerationCallProgress",
    "ImageGenerationPartialImage",
    "McpCallArgumentsDelta",
    "McpCallArgumentsDone",
    "McpCallProgress",
    "McpListToolsProgress",
    "ShellCallCommandAdded",
    "ShellCallCommandDelta",
    "ShellCallCommandDone",
    "ShellCallOutputDelta",
    "ShellCallOutputDone",
    "ToolEvent",
    "WebSearchCallProgress",
]


class FunctionCallArgumentsDelta(PieceOfItem):
    """More of the arguments for one of your functions."""

    type: Literal["response.function_call_arguments.delta"]
    delta: str


class _FunctionCallArgumentsDone(InItem, total=False):
    name: str


class FunctionCallArgumentsDone(_FunctionCallArgumentsDone):
    """The arguments for one of your functions, whole; JSON as the model wrote it."""

    type: Literal["response.function_call_arguments.done"]
    arguments: str


class CustomToolCallInputDelta(PieceOfItem):
    """More of the input for one of your tools."""

    type: Literal["response.custom_tool_call_input.delta"]
    delta: str


class CustomToolCallInputDone(InItem):
    """The input for one of your tools, whole."""

    type: Literal["response.custom_tool_call_input.done"]
    input: str


class McpCallArgumentsDelta(PieceOfItem):
    """More of the arguments for a tool of an MCP server."""

    type: Literal["response.mcp_call_arguments.delta"]
    delta: str


class McpCallArgumentsDone(InItem):
    """The arguments for a tool of an MCP server, whole."""

    type: Literal["response.mcp_call_arguments.done"]
    arguments: str


class McpCallProgress(InItem):
    """How far a call is. A failed one ends nothing else."""

    type: Literal["response.mcp_call.in_progress", "response.mcp_call.completed", "response.mcp_call.failed"]


class McpListToolsProgress(InItem):
    """How far the list of an MCP server's tools is."""

    type: Literal[
        "response.mcp_list_tools.in_progress", "response.mcp_list_tools.completed", "response.mcp_list_tools.failed"
    ]


class WebSearchCallProgress(InItem):
    """How far a search in the web is."""

    type: Literal[
        "response.web_search_call.in_progress",
        "response.web_search_call.searching",
        "response.web_search_call.completed",
    ]


class FileSearchCallProgress(InItem):
    """How far a search in files is."""

    type: Literal[
        "response.file_search_call.in_progress",
        "response.file_search_call.searching",
        "response.file_search_call.completed",
    ]


class CodeInterpreterCallProgress(InItem):
    """How far a run of the code interpreter is."""

    type: Literal[
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call.completed",
    ]


class CodeInterpreterCodeDelta(PieceOfItem):
    """More of the code to be run."""

    type: Literal["response.code_interpreter_call_code.delta"]
    delta: str


class CodeInterpreterCodeDone(InItem):
    """The code to be run, whole."""

    type: Literal["response.code_interpreter_call_code.done"]
    code: str


class ImageGenerationCallProgress(InItem):
    """How far an image is."""

    type: Literal[
        "response.image_generation_call.in_progress",
        "response.image_generation_call.generating",
        "response.image_generation_call.completed",
    ]


class _ImageGenerationPartialImage(InItem, total=False):
    partial_image_index: int
    background: str | None
    output_format: str | None
    quality: str | None
    size: str | None


class ImageGenerationPartialImage(_ImageGenerationPartialImage):
    """An image as far as it has come, in base64."""

    type: Literal["response.image_generation_call.partial_image"]
    partial_image_b64: str


class ApplyPatchDiffDelta(PieceOfItem):
    """More of a diff that you are asked to apply."""

    type: Literal["response.apply_patch_call_operation_diff.delta"]
    delta: str


class ApplyPatchDiffDone(InItem):
    """A diff that you are asked to apply, whole."""

    type: Literal["response.apply_patch_call_operation_diff.done"]
    diff: str


class ShellCallCommandAdded(InCommand):
    """A command begins."""

    type: Literal["response.shell_call_command.added"]
    command: str


class _ShellCallCommandDelta(InCommand, total=False):
    obfuscation: str


class ShellCallCommandDelta(_ShellCallCommandDelta):
    """More of a command."""

    type: Literal["response.shell_call_command.delta"]
    delta: str


class ShellCallCommandDone(InCommand):
    """A command, whole."""

    type: Literal["response.shell_call_command.done"]
    command: str


class ShellCallOutputDelta(InCommand):
    """More of what a command printed."""

    type: Literal["response.shell_call_output_content.delta"]
    delta: dict[str, Any]


class ShellCallOutputDone(InCommand):
    """What a command printed, whole."""

    type: Literal["response.shell_call_output_content.done"]
    output: list[dict[str, Any]]


class CompactionProgress(InItem):
    """The conversation is being made short."""

    type: Literal["response.compaction.compacting"]


ToolEvent = (
    FunctionCallArgumentsDelta
    | FunctionCallArgumentsDone
    | CustomToolCallInputDelta
    | CustomToolCallInputDone
    | McpCallArgumentsDelta
    | McpCallArgumentsDone
    | McpCallProgress
    | McpListToolsProgress
    | WebSearchCallProgress
    | FileSearchCallProgress
    | CodeInterpreterCallProgress
    | CodeInterpreterCodeDelta
    | CodeInterpreterCodeDone
    | ImageGenerationCallProgress
    | ImageGenerationPartialImage
    | ApplyPatchDiffDelta
    | ApplyPatchDiffDone
    | ShellCallCommandAdded
    | ShellCallCommandDelta
    | ShellCallCommandDone
    | ShellCallOutputDelta
    | ShellCallOutputDone
    | CompactionProgress
)
