"""What was done, so that it is never done again.

The results themselves are the log. A group of them is appended to the output files, these are synced, and only then are
its requests done, and does SQLite learn of it (``OUTPUT.ledger``: where each line of the input is, whether its result
is written, and how long the output files are with all the results it knows of). So after a crash of any kind the files
can hold more than SQLite knows of, never less. What is more is read at the next start: whole lines are results like the
others, and are taken in; a torn one is cut off.

Why SQLite, and why with these settings:

- It is in every Python, its file format is stable, and its behaviour in crashes is tested as that of few programs is.
  A table of 10^6 lines takes no memory worth the name, and sorts them to find the ``custom_id`` that comes twice.
- Write-ahead log with ``synchronous=NORMAL``: SQLite then syncs when it moves the log into the database, not at every
  commit, and promises that a loss of power leaves an earlier state, whole, though not the latest
  (https://www.sqlite.org/pragma.html#pragma_synchronous, https://www.sqlite.org/wal.html). An earlier state is all that
  is needed here, for the output files tell the rest. ``FULL`` would wait for the disk a second time for each group, and
  protect nothing more. Only the list of the input's lines must not be lost: it is moved into the database, and synced,
  before the first request.
- Exclusive locking: one process, one connection. No shared memory is needed, and nothing of what SQLite guards against
  between connections can happen.

Results are written :data:`~eugpt_fast.batch.commit.DELAY` seconds after the first of a group, or as soon as
:data:`~eugpt_fast.batch.commit.GROUP` wait. A request whose result was not written when the process died is made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from .appended import AppendedFile
from .checking import Tell
from .commit import GROUP, GroupCommit
from .durable import sync_directory
from .errors import InputChanged, OptionsChanged, OutputChanged
from .index import DONE, FAILED, Counts, Index, Job, Mark
from .lines import InvalidLine, Line, digest
from .outcome import Outcome
from .results import EXTENSION, error_line, success_line
from .source import Source

__all__ = ["Counts", "Ledger"]

_AT_ONCE = 512  # rows read from SQLite
_WAY_OUT = "choose another output, or start over with restart (--restart), which deletes the results so far"


class _Entry(NamedTuple):
    mark: Mark
    text: bytes


class Ledger:
    """The input, the two output files and the SQLite file of a run. Made by :meth:`open`; used from one event loop.

    All files stay when every request is done: a run that is started again then finds nothing to do.
    """

    def __init__(self, source: Source, index: Index, results: AppendedFile, errors: AppendedFile, options: str) -> None:
        self._source = source
        self._index = index
        self._results = results
        self._errors = errors
        self._options = options
        self._commit = GroupCommit(self._write)

    @classmethod
    def open(
        cls, input: Path | None, output: Path, errors: Path, options_fingerprint: str, *, restart: bool = False
    ) -> Ledger:
        """Takes hold of the output, and brings it into order after a crash.

        Args:
            input: path of the requests; None for standard input, which is kept in ``OUTPUT.input``.
            output, errors: paths of the results and of the failures; created if need be.
            options_fingerprint: of what decides the results.
            restart: whether to delete what is there.

        Raises:
            AlreadyRunning: another run writes to ``output`` or ``errors``. A run that died does not.
            OptionsChanged: the results so far were made with other options.
            OutputChanged: an output file holds what no ledger accounts for, or lacks what one does.
            ValueError: two of the paths name the same file, or one no regular file.
            OSError: a file cannot be opened, read or written.
        """
        if output.resolve() == errors.resolve():
            raise ValueError(f"results and errors cannot both go to {output}")
        with contextlib.ExitStack() as opened:
            source = opened.enter_context(contextlib.closing(Source(input, _beside(output, "input"))))
            results = opened.enter_context(contextlib.closing(AppendedFile(output)))
            failures = opened.enter_context(contextlib.closing(AppendedFile(errors)))
            for file in (results, failures):
                if source.status is not None and os.path.samestat(source.status, file.status):
                    raise ValueError(f"{file.path} is the input")
            index = opened.enter_context(contextlib.closing(Index(_beside(output, "ledger"))))
            for directory in {output.parent, errors.parent}:
                sync_directory(directory)
            ledger = cls(source, index, results, failures, options_fingerprint)
            ledger._repair(restart)
            opened.pop_all()
        return ledger

    def validate(self, stdin: BinaryIO | None = None, tell: Tell | None = None) -> Counts:
        """Reads the input once, from start to end: what its lines are, or whether it is the one that it was.

        As long as there are no results any input is welcome. When going on with standard input, nothing need come
        through it: what came the first time was kept. ``tell`` is told how far it is.

        Raises:
            InputChanged: it is not the one whose results the output holds.
            OSError: it cannot be read, or the ledger cannot be written.
        """
        job, tell = self._index.job(), tell or Tell()
        if job is None:
            reading = self._source.read(stdin, tell)
            self._index.fill(reading.rows(), lambda: Job(reading.sha256(), self._options, 0, 0))
        elif self._source.sha256(stdin, tell) not in (job.input_sha256, None):
            raise InputChanged(f"the input is not the one whose results {self._results.path} holds: {_WAY_OUT}")
        return self.counts()

    def invalid(self, limit: int) -> list[InvalidLine]:
        """The first of the lines that are no requests, or whose ``custom_id`` an earlier line has."""
        return [self._source.flaw(row) for row in self._index.invalid(limit)]

    def record_invalid(self) -> None:
        """Writes the lines that are no requests to the errors, if they are not there. Returns once they are durable."""
        last = 0
        while rows := self._index.unrecorded_invalid(last, GROUP):
            self._write([_Entry(Mark(row.number, FAILED), error_line(self._source.flaw(row))) for row in rows])
            last = rows[-1].number

    def pending(self) -> Iterator[Line]:
        """The requests without a result, in the order of the input, each read when it is asked for.

        Raises:
            InputChanged: the input was changed meanwhile.
        """
        last = 0
        while rows := self._index.pending(last, _AT_ONCE):
            for row in rows:
                yield self._source.request(row)
            last = rows[-1].number

    def record(self, line: Line, outcome: Outcome) -> asyncio.Future[None]:
        """Has a result written. The future is done once it is durable, and only then is the request.

        Whoever awaits it bounds the memory: what was not written yet is kept. If writing fails it raises OSError, and
        so does every one after it: this run has ended. The next one goes on with what was written.
        """
        if outcome.ok:
            try:
                return self._commit.add(_Entry(Mark(line.number, DONE), success_line(line, outcome)))
            except RecursionError:
                error = "too_deep", "the answer is nested too deeply to be written"
                outcome = replace(outcome, verdict="error", body=None, error=error)
        return self._commit.add(_Entry(Mark(line.number, FAILED), error_line(line, outcome)))

    async def flush(self) -> None:
        """Returns once all that was recorded is durable. Raises OSError if it cannot be made so."""
        await self._commit.flush()

    def counts(self) -> Counts:
        """How many lines have durable results, and how many have none."""
        return self._index.counts()

    def close(self) -> None:
        """Writes what was recorded and not yet written, unless writing has failed before, and lets go of the output."""
        with contextlib.ExitStack() as rest:
            rest.callback(self._source.close)
            rest.callback(self._results.close)
            rest.callback(self._errors.close)
            rest.callback(self._index.close)
            self._commit.close()

    def _write(self, group: list[_Entry]) -> None:
        """Makes results durable: in the files first, then in the index."""
        try:
            self._index.mark([entry.mark for entry in group])
            for file, where in ((self._results, DONE), (self._errors, FAILED)):
                lines = b"".join(entry.text for entry in group if entry.mark.recorded == where)
                if lines:
                    file.append(lines)
            self._index.commit(self._results.size, self._errors.size)
        except BaseException:
            self._index.rollback()
            raise

    def _repair(self, restart: bool) -> None:
        if restart:
            self._index.clear()
            self._results.truncate(0)
            self._errors.truncate(0)
        job = self._index.job()
        self._results.size, self._errors.size = (0, 0) if job is None else (job.results_size, job.errors_size)
        for file in (self._results, self._errors):
            length = file.status.st_size
            if length < file.size or (job is None and length):
                raise OutputChanged(f"{file.path} is not as the last run left it: {_WAY_OUT}")
        if job is None:
            return
        self._take_in(self._results, DONE)
        self._take_in(self._errors, FAILED)
        if not self._results.size and not self._errors.size:
            self._index.clear()  # nothing is lost with another input, or other options
        elif job.options != self._options:
            which = "another server's address, or with skip_invalid (--skip-invalid) otherwise"
            raise OptionsChanged(f"the results in {self._results.path} were made with {which}: {_WAY_OUT}")

    def _take_in(self, file: AppendedFile, where: int) -> None:
        """Takes the whole lines that the index does not know of as results, and cuts off the rest."""
        marks: dict[int, Mark] = {}
        for end, entry in file.unknown():
            number = self._number(entry)
            if number is None or number in marks:
                raise OutputChanged(f"{file.path} holds lines that its runs did not write: {_WAY_OUT}")
            marks[number] = Mark(number, where)
            file.size = end
            if len(marks) == _AT_ONCE:
                self._known(marks)
        self._known(marks)
        file.truncate(file.size)

    def _known(self, marks: dict[int, Mark]) -> None:
        if marks:
            self._index.mark(list(marks.values()))
            self._index.commit(self._results.size, self._errors.size)
            marks.clear()

    def _number(self, entry: Any) -> int | None:
        """Of the line whose result this is; None if it is none, or one that is known."""
        try:
            number, custom_id = int(entry[EXTENSION]["line"]), entry["custom_id"]
            awaited = self._index.awaits(number, None if custom_id is None else digest(custom_id))
        except (LookupError, TypeError, AttributeError, ValueError, OverflowError):
            return None
        return number if awaited else None


def _beside(output: Path, what: str) -> Path:
    return output.with_name(f"{output.name}.{what}")
