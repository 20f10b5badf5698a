"""Files that a command is about to use."""

from __future__ import annotations

import os
from pathlib import Path


def check_readable(path: Path) -> None:
    """Raises ``OSError`` unless ``path`` can be read. A pipe is not opened: that would take from what it has."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file to read")
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    if not os.access(path, os.R_OK):
        raise PermissionError(f"{path} may not be read")


def check_writable(path: Path, *, regular: bool) -> None:
    """Raises ``OSError`` unless a file can be written at ``path``; with ``regular``, no device and no pipe."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file to write")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {path.parent} to write {path.name} to")
    if regular and path.exists() and not path.is_file():
        raise OSError(f"{path} is no regular file: results would not be safe there")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise PermissionError(f"{path} may not be written")
