"""Why a run does not start, or does not go on."""

from __future__ import annotations

from ..errors import EugptFastError
from .lines import InvalidLine

__all__ = ["AlreadyRunning", "BadKey", "InputChanged", "InvalidInput", "OptionsChanged", "OutputChanged"]


class AlreadyRunning(EugptFastError):
    """Another run writes to this output, or to these errors, right now."""


class BadKey(EugptFastError):
    """The API knows no such key: nothing was done."""


class InputChanged(EugptFastError):
    """The input is not the one whose results the output holds."""


class InvalidInput(EugptFastError):
    """There are lines that are no requests. ``lines`` holds the first of them."""

    def __init__(self, lines: list[InvalidLine], count: int) -> None:
        first = "; ".join(f"line {line.number}: {line.reason}" for line in lines)
        which = "1 line is no request" if count == 1 else f"{count:,} lines are no requests"
        more = "; …" if count > len(lines) else ""
        super().__init__(f"{which}: {first}{more} (skip_invalid, or --skip-invalid, runs the others)")
        self.lines = lines


class OptionsChanged(EugptFastError):
    """The results so far were made with other options, which would have given others."""


class OutputChanged(EugptFastError):
    """An output file is not as the runs before left it: somebody else has written to it, or replaced it."""
