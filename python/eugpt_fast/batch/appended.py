"""A file of JSON lines that grows at its end only."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .durable import lock, sync
from .errors import AlreadyRunning

__all__ = ["AppendedFile"]


class AppendedFile:
    """A locked file of lines. ``size`` counts the bytes at its start that are known as whole lines, on the disk.

    Raises:
        AlreadyRunning: another process, or this one, has it open.
        ValueError: it is no regular file.
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._fd = os.open(path, flags, 0o666)
        try:
            if not stat.S_ISREG(self.status.st_mode):
                raise ValueError(f"{path} is no regular file: results are kept in files that can be repaired")
            if not lock(self._fd):
                raise AlreadyRunning(f"another run is writing to {path}")
        except BaseException:
            os.close(self._fd)
            raise
        self.size = 0

    @property
    def status(self) -> os.stat_result:
        """Of the open file, whatever its name stands for by now."""
        return os.fstat(self._fd)

    def append(self, lines: bytes) -> None:
        """Writes whole lines behind the others; returns once they are on the disk.

        If writing fails, those that were written wholly stay, and no more. If it is only the disk that refuses them,
        all are cut off: the system may have dropped them while still showing them, and would call a second attempt to
        sync a success.
        """
        kept = 0
        try:
            written = 0
            while written < len(lines):
                written += os.write(self._fd, lines[written:] if written else lines)
                kept = lines.rfind(b"\n", 0, written) + 1
            kept = 0
            sync(self._fd)
        except OSError as error:
            with contextlib.suppress(OSError):  # the next start repairs what is torn
                os.ftruncate(self._fd, self.size + kept)
            raise OSError(error.errno, error.strerror, str(self.path)) from error
        self.size += len(lines)

    def unknown(self) -> Iterator[tuple[int, Any]]:
        """The decoded lines beyond ``size``, with where each ends, up to the first that is torn; all on the disk."""
        sync(self._fd)
        end = self.size
        with open(self.path, "rb") as file:
            file.seek(end)
            for line in file:
                try:
                    decoded = json.loads(line)
                except ValueError:
                    return
                if not line.endswith(b"\n"):
                    return
                end += len(line)
                yield end, decoded

    def truncate(self, size: int) -> None:
        """Cuts off all behind the first ``size`` bytes, and has these on the disk."""
        if size < self.status.st_size:
            os.ftruncate(self._fd, size)
            sync(self._fd)
        self.size = size

    def close(self) -> None:
        """Closes and unlocks it."""
        os.close(self._fd)
