"""Where an event belongs: fields that many servers send and lean ones leave out."""

from __future__ import annotations

from typing import TypedDict

__all__ = ["InCommand", "InItem", "InPart", "InSummary", "Numbered", "PieceOfItem", "PieceOfPart", "PieceOfSummary"]


class Numbered(TypedDict, total=False):
    """Any event."""

    sequence_number: int
    """Its place in the stream, from 0 or 1 on."""


class InItem(Numbered, total=False):
    """An event about one output item."""

    output_index: int
    """The item's index in ``response["output"]``."""
    item_id: str


class InPart(InItem, total=False):
    """An event about one content part of an item."""

    content_index: int
    """The part's index in ``item["content"]``."""


class InSummary(InItem, total=False):
    """An event about one part of a reasoning item's summary."""

    summary_index: int
    """The part's index in ``item["summary"]``."""


class InCommand(InItem, total=False):
    """An event about one command of a shell call."""

    command_index: int


class PieceOfItem(InItem, total=False):
    """A delta."""

    obfuscation: str
    """Noise that hides the delta's length from whoever watches the connection."""


class PieceOfPart(InPart, total=False):
    """A delta of a content part."""

    obfuscation: str


class PieceOfSummary(InSummary, total=False):
    """A delta of a summary's part."""

    obfuscation: str
