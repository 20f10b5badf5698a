"""Why a run does not start on an output."""

from __future__ import annotations

from ..errors import EugptFastError

__all__ = ["AlreadyRunning", "InputChanged", "OptionsChanged", "OutputChanged"]


class AlreadyRunning(EugptFastError):
    """Another run writes to this output, or to these errors, right now."""


class InputChanged(EugptFastError):
    """The input is not the one whose results the output holds."""


class OptionsChanged(EugptFastError):
    """The results so far were made with other options, which would have given others."""


class OutputChanged(EugptFastError):
    """An output file is not as the runs before left it: somebody else has written to it, or replaced it."""
