"""The input of a ledger: read once from its start, then line by line from anywhere."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from .checking import Tell
from .durable import sync
from .errors import InputChanged
from .index import Row
from .lines import MAX_LINE, InvalidLine, Line, digest, parse, raw_lines

__all__ = ["Source"]


class Source:
    """A file, or what came through a pipe and was written to one.

    Args:
        path: the input; None for standard input. A path that names a pipe is treated as standard input is.
        spool: where to keep what comes through a pipe.
    """

    def __init__(self, path: Path | None, spool: Path) -> None:
        self._spool = spool
        self._pipe: BinaryIO | None = None
        self._file: BinaryIO | None = None
        if path is not None:
            file = open(path, "rb")  # noqa: SIM115 - close() closes it
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                self._file = file
            else:
                self._pipe = file

    @property
    def status(self) -> os.stat_result | None:
        """Of the file; None of a pipe."""
        return None if self._file is None else os.fstat(self._file.fileno())

    def read(self, stdin: BinaryIO | None, tell: Tell) -> Reading:
        """The input from its start. What comes through a pipe is on the disk when it ends."""
        tell.size = self._size
        if self._file is not None:
            self._file.seek(0)
            return Reading(self._file, None, tell)
        spooled = open(self._spool, "w+b")  # noqa: SIM115
        self._file = spooled
        return Reading(self._incoming(stdin), spooled, tell)

    def sha256(self, stdin: BinaryIO | None, tell: Tell) -> bytes | None:
        """Of the whole input as it is now. None if nothing comes through the pipe: then what came before is meant."""
        tell.size = self._size
        hash, size = hashlib.sha256(), 0
        if self._file is not None:
            self._file.seek(0)
        file = self._file or self._incoming(stdin)
        while block := file.read(2**20):
            hash.update(block)
            size += len(block)
            tell("comparing the input with that of the run before", None, size)
        if self._file is None:
            self._file = open(self._spool, "rb")  # noqa: SIM115
            if not size:
                return None
        return hash.digest()

    @property
    def _size(self) -> int | None:
        return None if self.status is None else self.status.st_size

    def request(self, row: Row) -> Line:
        """A line that is a request. Raises InputChanged if it is another one by now."""
        line = self._line(row)
        if isinstance(line, InvalidLine):
            raise _changed(row)
        return line

    def flaw(self, row: Row) -> InvalidLine:
        """A line that is none. Raises InputChanged if it is another one by now."""
        line = self._line(row)
        if row.first is not None:
            return InvalidLine(row.number, line.custom_id, f"custom_id is that of line {row.first} too")
        if isinstance(line, Line):
            raise _changed(row)
        return line

    def _line(self, row: Row) -> Line | InvalidLine:
        assert self._file is not None
        self._file.seek(row.position)
        line = parse(row.number, self._file.readline(MAX_LINE + 1))
        if row.digest != (None if line.custom_id is None else digest(line.custom_id)):
            raise _changed(row)
        return line

    def close(self) -> None:
        """Closes it; standard input stays open."""
        for file in (self._file, self._pipe):
            if file is not None:
                file.close()

    def _incoming(self, stdin: BinaryIO | None) -> BinaryIO:
        incoming = self._pipe or stdin
        if incoming is None:
            raise TypeError("neither a path nor standard input was given")
        return incoming


def _changed(row: Row) -> InputChanged:
    return InputChanged(f"line {row.number} of the input was changed while it was being read")


class Reading:
    """One way through an input, which hashes it, and keeps what comes through a pipe."""

    def __init__(self, file: BinaryIO, spool: BinaryIO | None, tell: Tell) -> None:
        self._file = file
        self._spool = spool
        self._tell = tell
        self._hash = hashlib.sha256()

    def readline(self, limit: int, /) -> bytes:
        """As that of a file."""
        line = self._file.readline(limit)
        self._hash.update(line)
        if self._spool is not None:
            try:
                self._spool.write(line)
            except OSError as error:
                raise OSError(error.errno, error.strerror, self._spool.name) from error
        return line

    def rows(self) -> Iterator[tuple[int, int, bytes | None, bool]]:
        """Number, position, digest and validity of every line."""
        for number, position, raw in raw_lines(self):
            line = parse(number, raw)
            known = None if line.custom_id is None else digest(line.custom_id)
            yield number, position, known, isinstance(line, Line)
            self._tell("reading the input", number, position)
        if self._spool is not None:
            self._spool.flush()
            sync(self._spool.fileno())
        self._tell.now("looking for custom_ids that come twice")

    def sha256(self) -> bytes:
        """Of what was read."""
        return self._hash.digest()
