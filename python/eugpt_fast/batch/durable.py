"""What operating systems do differently: locking a file, and having it on the disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["lock", "sync", "sync_directory"]

if sys.platform == "win32":
    import msvcrt

    _LOCKED = 2**31 - 2  # a byte that hardly any reader asks for: Windows would refuse it to them

    def lock(fd: int) -> bool:
        """Locks a file for as long as it is open, at most until the process ends. False if it is locked already."""
        os.lseek(fd, _LOCKED, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def lock(fd: int) -> bool:
        """Locks a file for as long as it is open, at most until the process ends. False if it is locked already."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def sync(fd: int) -> None:
    """Returns once the file is on the disk: ``fsync``."""
    if sys.platform == "darwin":
        # There fsync leaves it in the disk's own cache; file systems that cannot do more say so.
        try:
            fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
        except OSError:
            os.fsync(fd)
    else:
        os.fsync(fd)


def sync_directory(directory: Path) -> None:
    """Has the names of new files on the disk. Windows does it by itself."""
    if sys.platform != "win32":
        fd = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
