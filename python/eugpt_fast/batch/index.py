"""The SQLite file of a ledger: where each line of the input is, and whether its result is in the output."""

from __future__ import annotations

import contextlib
import errno
import sqlite3
import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from .errors import AlreadyRunning, OutputChanged

__all__ = ["DONE", "FAILED", "Counts", "Index", "Job", "Mark", "Row"]

DONE, FAILED = 1, 2
"""The result is in the file of results, or in that of errors."""

_APPLICATION = 0x65754C67  # in the file's header, so that no other program's file is taken for a ledger
_VERSION = 1
_CACHE = 8 * 1024  # KiB of pages, and of what is sorted at a time; the rest goes to the disk
_LINES = """
CREATE TABLE line (
    number INTEGER PRIMARY KEY,
    position INTEGER NOT NULL,
    digest BLOB,                         -- of the custom_id; NULL if there is none
    valid INTEGER NOT NULL,
    recorded INTEGER NOT NULL DEFAULT 0,
    first INTEGER                        -- the number of the line that had the custom_id before
)
"""
_JOB = "CREATE TABLE job (input_sha256 BLOB, options TEXT, results_size INTEGER, errors_size INTEGER)"
_REPEATED = """
SELECT number, first FROM (
    SELECT number, min(number) OVER (PARTITION BY digest) AS first FROM line WHERE digest IS NOT NULL
) WHERE number > first
"""


@dataclass(frozen=True)
class Counts:
    """How many lines of the input are what."""

    done: int
    failed: int
    pending: int
    invalid: int


class Row(NamedTuple):
    """A line of the input."""

    number: int
    position: int
    digest: bytes | None
    first: int | None


class Mark(NamedTuple):
    """A line, and where its result is: :data:`DONE` or :data:`FAILED`."""

    number: int
    recorded: int


class Job(NamedTuple):
    """What the recorded results belong to, and how long the files are that hold them."""

    input_sha256: bytes
    options: str
    results_size: int
    errors_size: int


class Index:
    """One connection, used by one thread at a time.

    The only one, too: in exclusive mode SQLite holds its lock until the end, and needs no shared memory.

    Raises:
        AlreadyRunning: another program has the file open.
        OutputChanged: it is no ledger, or that of another version.
        OSError: it cannot be read or written; of every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        with self._access():
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise

    def _prepare(self) -> None:
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = NORMAL")
        self._execute(f"PRAGMA cache_size = -{_CACHE}")
        known = self._one("PRAGMA application_id"), self._one("PRAGMA user_version")
        if known == (0, 0) and not self._one("SELECT count(*) FROM sqlite_master"):
            with self._transaction():
                self._execute(f"PRAGMA application_id = {_APPLICATION}")
                self._execute(f"PRAGMA user_version = {_VERSION}")
                self._execute(_LINES)
                self._execute(_JOB)
        elif known != (_APPLICATION, _VERSION):
            raise OutputChanged(f"{self.path} is no ledger of this version of eugpt-fast")

    def job(self) -> Job | None:
        """None until an input is known."""
        with self._access():
            found = self._execute("SELECT input_sha256, options, results_size, errors_size FROM job").fetchone()
        return None if found is None else Job(*found)

    def clear(self) -> None:
        """Forgets all."""
        with self._access(), self._transaction():
            self._execute("DELETE FROM job")
            self._execute("DELETE FROM line")

    def fill(self, rows: Iterable[tuple[int, int, bytes | None, bool]], job: Callable[[], Job]) -> None:
        """Takes in an input, wholly or not at all: number, position, digest and validity of its lines; then the job.

        Lines whose ``custom_id`` an earlier one has become invalid. Returns once it is on the disk.
        """
        with self._access():
            with self._transaction():
                self._execute("DELETE FROM line")
                insert = "INSERT INTO line (number, position, digest, valid) VALUES (?, ?, ?, ?)"
                self._connection.executemany(insert, rows)
                # Sorted in one go: an index kept up to date at each line would read and write all over the file.
                repeated = self._execute(_REPEATED)
                update = "UPDATE line SET valid = 0, first = ? WHERE number = ?"
                self._connection.executemany(update, ((first, number) for number, first in repeated))
                self._execute("INSERT INTO job VALUES (?, ?, ?, ?)", *job())
            self._execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def mark(self, marks: list[Mark]) -> None:
        """Begins a transaction that says where results are; :meth:`commit` or :meth:`rollback` ends it.

        Raises:
            RuntimeError: one of the lines has a result already, or does not exist.
        """
        with self._access():
            self._execute("BEGIN")
            changed = self._connection.executemany(
                "UPDATE line SET recorded = ? WHERE number = ? AND recorded = 0",
                [(mark.recorded, mark.number) for mark in marks],
            ).rowcount
        if changed != len(marks):
            raise RuntimeError("a line has two results")

    def commit(self, results_size: int, errors_size: int) -> None:
        """Ends the transaction, with the new lengths of the files. A crash of the system may undo it, in order."""
        with self._access():
            self._execute("UPDATE job SET results_size = ?, errors_size = ?", results_size, errors_size)
            self._execute("COMMIT")

    def rollback(self) -> None:
        """Undoes the transaction, if there is one: some errors of SQLite have ended it already."""
        with self._access():
            if self._connection.in_transaction:
                self._execute("ROLLBACK")

    def pending(self, after: int, limit: int) -> list[Row]:
        """Requests without a result, behind line ``after``."""
        return self._rows("valid = 1 AND recorded = 0", after, limit)

    def invalid(self, limit: int) -> list[Row]:
        """The first lines that are no requests."""
        return self._rows("valid = 0", 0, limit)

    def unrecorded_invalid(self, after: int, limit: int) -> list[Row]:
        """Lines that are no requests and of which no error is recorded, behind line ``after``."""
        return self._rows("valid = 0 AND recorded = 0", after, limit)

    def awaits(self, number: int, digest: bytes | None) -> bool:
        """Whether there is such a line, and no result of it."""
        with self._access():
            found = self._execute("SELECT digest FROM line WHERE number = ? AND recorded = 0", number).fetchone()
        return found is not None and bool(found[0] == digest)

    def counts(self) -> Counts:
        """Reads all lines: not meant for every second."""
        with self._access():
            found = self._execute("SELECT valid, recorded, count(*) FROM line GROUP BY valid, recorded").fetchall()
        of = {(valid, recorded): count for valid, recorded, count in found}
        invalid = sum(count for (valid, _), count in of.items() if not valid)
        return Counts(of.get((1, DONE), 0), of.get((1, FAILED), 0), of.get((1, 0), 0), invalid)

    def close(self) -> None:
        """Closes it; what was not committed is undone."""
        with self._access():
            self._connection.close()

    def _rows(self, condition: str, after: int, limit: int) -> list[Row]:
        query = (
            f"SELECT number, position, digest, first FROM line WHERE {condition} AND number > ? ORDER BY number LIMIT ?"
        )
        with self._access():
            return [Row(*row) for row in self._execute(query, after, limit)]

    def _execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    def _one(self, query: str) -> Any:
        return self._execute(query).fetchone()[0]

    @contextlib.contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        self._execute("BEGIN")
        try:
            yield
            self._execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def _access(self) -> Generator[None, None, None]:
        """One thread at a time, and errors of the disk as those that other files raise."""
        with self._lock:
            try:
                yield
            except sqlite3.OperationalError as error:
                said = str(error)
                if "locked" in said:
                    raise AlreadyRunning(f"another program has {self.path} open") from error
                code = errno.ENOSPC if "full" in said else errno.EIO
                raise OSError(code, said, str(self.path)) from error
            except sqlite3.DatabaseError as error:
                raise OutputChanged(f"{self.path} is no ledger: {error}") from error
