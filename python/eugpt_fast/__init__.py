"""A fast, truthful parser and reader for LLM response streams."""

from . import errors
from ._backend import Parser, ServerSentEvent, SSEParser, build_info

__all__ = ["Parser", "SSEParser", "ServerSentEvent", "build_info", "errors"]
