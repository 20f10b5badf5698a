"""What goes to the terminal beside the data."""

from __future__ import annotations

import sys

_CONTROLS = {code: None for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in "\n\t"}


def harmless(text: str) -> str:
    """``text`` without the control characters by which a server could take over a terminal."""
    return text.translate(_CONTROLS)


def complain(message: str) -> None:
    """One line on standard error."""
    print("eugpt-fast:", " ".join(harmless(message).split()), file=sys.stderr)
