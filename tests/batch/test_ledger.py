"""What a ledger knows after a start, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import shutil
import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from eugpt_fast.batch import appended, durable
from eugpt_fast.batch.errors import AlreadyRunning, InputChanged, OptionsChanged, OutputChanged
from eugpt_fast.batch.ledger import Counts, Ledger
from eugpt_fast.batch.outcome import Outcome

from .jobs import entries, open_ledger, outcome_of, record_all, recorded, request_line, write_input


def run(directory: Path, input: Path | None, *, limit: int | None = None, options: str = "o") -> Counts:
    """A run that records ``limit`` requests."""
    with contextlib.closing(open_ledger(directory, input, options=options)) as ledger:
        ledger.validate()
        asyncio.run(record_all(ledger, limit))
        return ledger.counts()


def pending(directory: Path, input: Path) -> list[int]:
    with contextlib.closing(open_ledger(directory, input)) as ledger:
        ledger.validate()
        return [line.number for line in ledger.pending()]


def test_a_run_from_start_to_end(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 1000)
    assert run(tmp_path, input) == Counts(done=858, failed=142, pending=0, invalid=0)
    assert len(entries(tmp_path / "out.jsonl")) == 858
    assert {entry["eugpt_fast"]["verdict"] for entry in entries(tmp_path / "bad.jsonl")} == {"failed"}
    assert sorted(recorded(tmp_path)) == sorted(f"r{number}" for number in range(1, 1001))


def test_starting_again_goes_on(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 20)
    assert run(tmp_path, input, limit=8).pending == 12
    assert pending(tmp_path, input) == list(range(9, 21))
    run(tmp_path, input)
    assert len(set(recorded(tmp_path))) == len(recorded(tmp_path)) == 20
    assert pending(tmp_path, input) == []


def test_requests_come_in_the_order_of_the_input_even_while_others_are_recorded(tmp_path: Path) -> None:
    async def work(ledger: Ledger) -> list[int]:
        seen = []
        for line in ledger.pending():
            seen.append(line.number)
            durable = ledger.record(line, outcome_of(line))
            if line.number % 300 == 0:
                await durable
        return seen

    with contextlib.closing(open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 2000))) as ledger:
        ledger.validate()
        assert asyncio.run(work(ledger)) == list(range(1, 2001))


def test_a_result_counts_once_it_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, answered = threading.Event(), threading.Event()

    def slow(fd: int) -> None:
        asked.set()
        assert answered.wait(30)

    async def work(ledger: Ledger) -> None:
        line = next(ledger.pending())
        done = ledger.record(line, outcome_of(line))
        assert await asyncio.to_thread(asked.wait, 30)
        assert not done.done()
        answered.set()
        await done

    with contextlib.closing(open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 2))) as ledger:
        ledger.validate()
        monkeypatch.setattr(appended, "sync", slow)
        asyncio.run(work(ledger))


def test_results_that_the_index_lost_are_read_from_the_files_wherever_these_end(tmp_path: Path) -> None:
    """As after a loss of power, which may take the newest commits of the index."""
    input = write_input(tmp_path / "in.jsonl", 9)
    output, failures, index = (tmp_path / name for name in ("out.jsonl", "bad.jsonl", "out.jsonl.ledger"))
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        ledger.validate()
        validated = index.read_bytes()  # in one file: what was validated is no longer in the write-ahead log
        asyncio.run(record_all(ledger))
    results, bad = output.read_bytes(), failures.read_bytes()
    ends = [position for position in range(len(results)) if results[position : position + 1] == b"\n"]
    cuts = {
        0,
        len(results),
        *(end + shift for end in ends for shift in (-100, -1, 0, 1, 2) if end + shift < len(results)),
    }
    for cut in sorted(cuts):
        index.write_bytes(validated)
        output.write_bytes(results[:cut])
        failures.write_bytes(bad[: cut * len(bad) // len(results)])
        whole = [path.read_bytes().count(b"\n") for path in (output, failures)]
        with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
            counts = ledger.validate()
            assert [counts.done, counts.failed] == whole
            assert counts.pending == 9 - sum(whole)
        assert [len(entries(path)) for path in (output, failures)] == whole


def test_many_results_that_the_index_lost(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 3000)
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        ledger.validate()
        shutil.copy(tmp_path / "out.jsonl.ledger", tmp_path / "copy")
        asyncio.run(record_all(ledger, 2900))
    shutil.copy(tmp_path / "copy", tmp_path / "out.jsonl.ledger")
    assert pending(tmp_path, input) == list(range(2901, 3001))


def test_zeros_at_the_end_are_cut_off(tmp_path: Path) -> None:
    """As some file systems leave them after a loss of power."""
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input, limit=3)
    whole = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "out.jsonl").write_bytes(whole + b"\0" * 4096 + b"\n{}\n")
    assert pending(tmp_path, input) == [4, 5]
    assert (tmp_path / "out.jsonl").read_bytes() == whole


def test_what_is_not_of_its_runs_is_not_touched(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input, limit=3)
    output = tmp_path / "out.jsonl"
    whole = output.read_bytes()
    first = whole.split(b"\n")[0] + b"\n"
    other = first.replace(b'"r1"', b'"other"').replace(b'"line":1', b'"line":5')
    for more in (b'{"mine": 1}\n', b"[]\n", b"1\n", first, other, first.replace(b'"line":1', b'"line":1e99')):
        output.write_bytes(whole + more)
        with pytest.raises(OutputChanged, match="did not write"):
            open_ledger(tmp_path, input)
        assert output.read_bytes() == whole + more


def test_a_shorter_output_is_noticed(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input)
    os.truncate(tmp_path / "out.jsonl", 10)
    with pytest.raises(OutputChanged, match="choose another output, or start over"):
        open_ledger(tmp_path, input)


def test_other_errors_are_noticed_once_there_are_any(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 8)
    run(tmp_path, input, limit=3)
    with contextlib.closing(Ledger.open(input, tmp_path / "out.jsonl", tmp_path / "others.jsonl", "o")) as ledger:
        assert ledger.validate().pending == 5
        asyncio.run(record_all(ledger))
    with pytest.raises(OutputChanged, match="bad"):
        open_ledger(tmp_path, input)


def test_an_output_without_a_ledger_is_not_overwritten(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    (tmp_path / "out.jsonl").write_text("precious\n")
    with pytest.raises(OutputChanged):
        open_ledger(tmp_path, input)
    assert (tmp_path / "out.jsonl").read_text() == "precious\n"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_file_that_is_no_ledger(tmp_path: Path, restarted: bool) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    (tmp_path / "out.jsonl.ledger").write_bytes(b"something else" * 100)
    with pytest.raises(OutputChanged, match="is no ledger"):
        open_ledger(tmp_path, input, restart=restarted)
    assert (tmp_path / "out.jsonl.ledger").read_bytes() == b"something else" * 100


def test_another_program_s_database_is_no_ledger(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "out.jsonl.ledger")) as other:
        other.execute("CREATE TABLE precious (x)")
    with pytest.raises(OutputChanged, match="is no ledger"):
        open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 5), restart=True)


def test_a_changed_input_is_noticed(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 50)
    run(tmp_path, input, limit=5)
    before = input.read_bytes()
    times = input.stat()
    input.write_bytes(before.replace(b"r25", b"r2x"))  # neither longer nor newer
    os.utime(input, ns=(times.st_atime_ns, times.st_mtime_ns))
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger, pytest.raises(InputChanged, match="--restart"):
        ledger.validate()
    input.write_bytes(before)
    assert run(tmp_path, input).pending == 0


def test_an_input_that_changes_during_the_run_is_noticed(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 3)
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        ledger.validate()
        input.write_bytes(input.read_bytes().replace(b"r1", b"r9"))
        with pytest.raises(InputChanged, match="line 1 of the input"):
            list(ledger.pending())


def test_changed_options_are_noticed(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input, limit=1)
    with pytest.raises(OptionsChanged, match="choose another output"):
        open_ledger(tmp_path, input, options="other")
    assert run(tmp_path, input).pending == 0


def test_without_results_anything_may_change(tmp_path: Path) -> None:
    run(tmp_path, write_input(tmp_path / "in.jsonl", 5), limit=0)
    assert run(tmp_path, write_input(tmp_path / "in.jsonl", 6), options="other").done == 6


def test_starting_over_deletes_what_is_there(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input, limit=3)
    write_input(input, 4)
    with contextlib.closing(open_ledger(tmp_path, input, options="other", restart=True)) as ledger:
        assert ledger.validate() == Counts(0, 0, 4, 0)
        assert recorded(tmp_path) == []


def test_two_runs_on_one_output_refuse_each_other(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    with contextlib.closing(open_ledger(tmp_path, input)):
        for output, errors in (("out.jsonl", "x"), ("x", "bad.jsonl"), ("./out.jsonl", "bad.jsonl")):
            with pytest.raises(AlreadyRunning, match="another run is writing to"):
                Ledger.open(input, tmp_path / output, tmp_path / errors, "o", restart=True)
    open_ledger(tmp_path, input).close()


def test_a_program_that_holds_the_ledger_open(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    run(tmp_path, input, limit=1)
    with contextlib.closing(sqlite3.connect(tmp_path / "out.jsonl.ledger")) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM line").fetchone()
        with pytest.raises(AlreadyRunning, match="another program"):
            open_ledger(tmp_path, input)
    assert run(tmp_path, input).pending == 0


def test_files_that_are_the_same(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 5)
    before = input.read_bytes()
    os.link(input, tmp_path / "link")
    for output, errors in (("in.jsonl", "x"), ("x", "link"), ("y", "y")):
        with pytest.raises(ValueError, match=r"is the input|cannot both"):
            Ledger.open(input, tmp_path / output, tmp_path / errors, "o", restart=True)
    assert input.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="there is no /dev/null")
def test_an_output_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no regular file"):
        Ledger.open(write_input(tmp_path / "in.jsonl", 1), tmp_path / "out", Path("/dev/null"), "o")


def test_a_missing_input_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_ledger(tmp_path, tmp_path / "in.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_invalid_lines(tmp_path: Path) -> None:
    input = tmp_path / "in.jsonl"
    lines = [b"[]\n", request_line("a"), request_line("b", method="GET"), b"\n", request_line("a"), request_line("b")]
    input.write_bytes(b"".join([*lines, request_line("c"), request_line("a")]))
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        assert ledger.validate() == Counts(done=0, failed=0, pending=2, invalid=5)
        assert [(line.number, line.custom_id, line.reason) for line in ledger.invalid(10)] == [
            (1, None, "not a JSON object"),
            (3, "b", "method is not POST"),
            (5, "a", "custom_id is that of line 2 too"),
            (6, "b", "custom_id is that of line 3 too"),
            (8, "a", "custom_id is that of line 2 too"),
        ]
        assert [line.number for line in ledger.invalid(2)] == [1, 3]
        assert [line.number for line in ledger.pending()] == [2, 7]


def test_invalid_lines_are_recorded_once(tmp_path: Path) -> None:
    input = tmp_path / "in.jsonl"
    input.write_bytes(b"x\n" * 700 + request_line("a") * 2)
    for _ in range(2):
        with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
            ledger.validate()
            ledger.record_invalid()
            ledger.record_invalid()
            assert ledger.counts() == Counts(done=0, failed=0, pending=1, invalid=701)
    written = entries(tmp_path / "bad.jsonl")
    assert [entry["eugpt_fast"]["line"] for entry in written] == [*range(1, 701), 702]
    assert written[-1]["custom_id"] == "a"


def test_invalid_lines_that_the_index_lost(tmp_path: Path) -> None:
    input = tmp_path / "in.jsonl"
    input.write_bytes(b"x\n" + request_line("a") * 2)
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        ledger.validate()
        shutil.copy(tmp_path / "out.jsonl.ledger", tmp_path / "copy")
        ledger.record_invalid()
    shutil.copy(tmp_path / "copy", tmp_path / "out.jsonl.ledger")
    with contextlib.closing(open_ledger(tmp_path, input)) as ledger:
        assert ledger.validate() == Counts(done=0, failed=0, pending=1, invalid=2)
        ledger.record_invalid()
    assert len(entries(tmp_path / "bad.jsonl")) == 2


def test_a_line_is_recorded_once(tmp_path: Path) -> None:
    async def twice(ledger: Ledger) -> None:
        line = next(ledger.pending())
        await ledger.record(line, outcome_of(line))
        with pytest.raises(RuntimeError, match="two results"):
            await ledger.record(line, outcome_of(line))

    with contextlib.closing(open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 2))) as ledger:
        ledger.validate()
        asyncio.run(twice(ledger))
    assert recorded(tmp_path) == ["r1"]


def test_a_disk_that_refuses_what_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be synced may be lost though it can be read: it is no result."""
    input = write_input(tmp_path / "in.jsonl", 20)
    run(tmp_path, input, limit=5)

    def broken(fd: int) -> None:
        raise OSError(5, "broken")

    async def fail(ledger: Ledger) -> None:
        with pytest.raises(OSError, match="broken"):
            await record_all(ledger, 3)

    ledger = open_ledger(tmp_path, input)
    ledger.validate()
    with monkeypatch.context() as patched:
        patched.setattr(appended, "sync", broken)
        asyncio.run(fail(ledger))
        assert ledger.counts().pending == 15
        ledger.close()
    assert len(recorded(tmp_path)) == 5
    assert pending(tmp_path, input) == list(range(6, 21))


def test_closing_records_what_was_recorded(tmp_path: Path) -> None:
    async def leave(ledger: Ledger) -> None:
        for line in ledger.pending():
            ledger.record(line, outcome_of(line))
        ledger.close()

    input = write_input(tmp_path / "in.jsonl", 20)
    ledger = open_ledger(tmp_path, input)
    ledger.validate()
    asyncio.run(leave(ledger))
    assert pending(tmp_path, input) == []


def test_standard_input_is_kept(tmp_path: Path) -> None:
    piped = write_input(tmp_path / "in.jsonl", 20).read_bytes()
    for limit, stdin in ((5, piped), (5, b""), (None, piped)):
        with contextlib.closing(open_ledger(tmp_path, None)) as ledger:
            ledger.validate(io.BytesIO(stdin))
            asyncio.run(record_all(ledger, limit))
    assert sorted(recorded(tmp_path)) == sorted(f"r{number}" for number in range(1, 21))
    with contextlib.closing(open_ledger(tmp_path, None)) as ledger, pytest.raises(InputChanged):
        ledger.validate(io.BytesIO(piped + b"\n"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_with_a_name_is_read_once(tmp_path: Path) -> None:
    piped = write_input(tmp_path / "in.jsonl", 20).read_bytes()
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(piped,))
    writer.start()
    assert run(tmp_path, tmp_path / "pipe").pending == 0
    writer.join()


def test_the_first_pass_is_all_or_nothing(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def readline(self, limit: int | None = -1, /) -> bytes:
            if self.tell() > 1000:
                raise OSError(5, "broken")
            return super().readline(limit)

    piped = write_input(tmp_path / "in.jsonl", 200).read_bytes()
    with contextlib.closing(open_ledger(tmp_path, None)) as ledger, pytest.raises(OSError, match="broken"):
        ledger.validate(Broken(piped))
    with contextlib.closing(open_ledger(tmp_path, None)) as ledger:
        assert ledger.validate(io.BytesIO(piped)).pending == 200


def test_the_settings_that_the_guarantees_rest_on(tmp_path: Path) -> None:
    with contextlib.closing(open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 1))) as ledger:
        asked = ledger._index._one
        settings = [asked(f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "locking_mode")]
        assert settings == ["wal", 1, "exclusive"]
        assert not (tmp_path / "out.jsonl.ledger-shm").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has its own")
def test_it_can_be_imported_where_there_is_no_fcntl(monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[Any] = []

    class Msvcrt:
        LK_NBLCK = 2

        @staticmethod
        def locking(fd: int, mode: int, count: int) -> None:
            if locked:
                raise OSError(13, "locked")
            locked.append((mode, count))

    source = Path(durable.__file__).read_text()
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", Msvcrt)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    there: dict[str, object] = {"__name__": "durable"}
    exec(compile(source, durable.__file__, "exec"), there)
    lock = there["lock"]
    assert callable(lock)
    with open(__file__, "rb") as file:
        assert [lock(file.fileno()), lock(file.fileno())] == [True, False]
    assert locked == [(2, 1)]


def test_an_answer_that_cannot_be_written_is_a_failure_and_not_the_end(tmp_path: Path) -> None:
    nested: list[object] = []
    for _ in range(100_000):
        nested = [nested]
    outcome = Outcome("completed", status_code=200, body={"deep": nested}, text="what was said")

    async def main() -> None:
        with contextlib.closing(open_ledger(tmp_path, write_input(tmp_path / "in.jsonl", 1))) as ledger:
            ledger.validate()
            await ledger.record(next(ledger.pending()), outcome)

    asyncio.run(main())
    [entry] = entries(tmp_path / "bad.jsonl")
    assert entry["error"]["code"] == "too_deep"
    assert entry["eugpt_fast"]["partial_text"] == "what was said"
