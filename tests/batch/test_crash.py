"""A run that is killed, or has no room on the disk: nothing that was durable is lost, and nothing comes twice."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .jobs import entries, open_ledger, recorded, write_input

if sys.platform == "win32":
    pytest.skip("there is no SIGKILL", allow_module_level=True)

from .recorder import PLACES

KILLED = -9


def start(input: Path, directory: Path, *more: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.batch.recorder", str(input), str(directory), *map(str, more)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> tuple[list[str], str]:
    """The custom_ids that it called durable, and its last words."""
    said, complaint = process.communicate(timeout=60)
    return said.split(), complaint


def check(directory: Path, input: Path, count: int, durable: list[str]) -> None:
    """Opens the ledger as the next run would, and compares it with the files and with what was called durable."""
    with contextlib.closing(open_ledger(directory, input)) as ledger:
        counts = ledger.validate()
        pending = [line.custom_id for line in ledger.pending()]
    there = recorded(directory)
    assert len(there) == len(set(there))
    assert sorted(there + pending) == sorted(f"r{number}" for number in range(1, count + 1))
    assert set(durable) <= set(there)
    assert (counts.done, counts.failed) == tuple(len(entries(directory / name)) for name in ("out.jsonl", "bad.jsonl"))


@pytest.mark.parametrize("nth", [1, 3])
@pytest.mark.parametrize("where", PLACES)
def test_a_run_that_dies_anywhere_is_taken_up_where_it_was(tmp_path: Path, where: str, nth: int) -> None:
    if where == "validated" and nth > 1:
        pytest.skip("a run validates once")
    count = 900
    input = write_input(tmp_path / "in.jsonl", count)
    process = start(input, tmp_path, where, nth)
    durable, complaint = finish(process)
    assert process.returncode == KILLED, complaint
    assert len(durable) < count
    check(tmp_path, input, count, durable)

    process = start(input, tmp_path)
    finished, complaint = finish(process)
    assert process.returncode == 0, complaint
    assert not set(durable) & set(finished)
    check(tmp_path, input, count, durable + finished)
    assert len(recorded(tmp_path)) == count


def test_killed_five_times_at_any_moment(tmp_path: Path) -> None:
    count = 5000
    input = write_input(tmp_path / "in.jsonl", count)
    dice = random.Random(6)
    durable: list[str] = []
    for _ in range(5):
        process = start(input, tmp_path)
        assert process.stdout is not None
        durable += [process.stdout.readline().strip() for _ in range(dice.randrange(1, 700))]
        time.sleep(dice.uniform(0.0, 0.01))
        process.kill()
        # A line that the kill cut in two is no word of a result.
        durable += [line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        assert process.wait() == KILLED
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()
        assert len(durable) == len(set(durable)) < count
        if dice.random() < 0.5:  # mostly the next run itself repairs
            check(tmp_path, input, count, durable)
    finished, complaint = finish(start(input, tmp_path))
    assert not complaint
    assert not set(durable) & set(finished)
    check(tmp_path, input, count, durable + finished)
    assert len(recorded(tmp_path)) == count


def test_a_run_that_was_killed_holds_no_lock(tmp_path: Path) -> None:
    input = write_input(tmp_path / "in.jsonl", 50_000)
    first = start(input, tmp_path)
    assert first.stdout is not None
    assert first.stdout.readline()
    second = start(input, tmp_path)
    _, complaint = finish(second)
    assert second.returncode == 1
    assert f"AlreadyRunning: another run is writing to {tmp_path / 'out.jsonl'}" in complaint
    first.kill()
    finish(first)
    open_ledger(tmp_path, input).close()


@pytest.mark.parametrize(
    ("size", "room"),
    [
        pytest.param(2000, 200_000, id="for the results"),
        pytest.param(1, 100_000, id="for the ledger, in the middle"),
        pytest.param(1, 10_000, id="for the ledger, from the start"),
    ],
)
def test_without_room_on_the_disk_a_run_ends_and_the_next_goes_on(tmp_path: Path, size: int, room: int) -> None:
    count = 1000
    input = write_input(tmp_path / "in.jsonl", count)
    process = start(input, tmp_path, "--size", size, "--max-file", room)
    durable, complaint = finish(process)
    assert process.returncode == 1
    assert complaint.startswith("OSError: ")
    assert "out.jsonl" in complaint, "it tells which file"
    assert len(durable) < count
    check(tmp_path, input, count, durable)

    finished, complaint = finish(start(input, tmp_path, "--size", size))
    assert not complaint
    assert not set(durable) & set(finished)
    check(tmp_path, input, count, durable + finished)
    assert len(recorded(tmp_path)) == count
