"""Files that a command is about to use."""

from __future__ import annotations

import os
from pathlib import Path


def check_readable(path: Path) -> None:
    """Raises ``OSError`` unless ``path`` is a file that can be read more than once."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise OSError(f"{path} is no file that can be read twice: pipe it in, with - as its name")
    open(path, "rb").close()


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
