"""The memory that a ledger takes does not grow with its lines."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LINES = 100_000
MOST = 32  # MiB, of which SQLite's cache and its sorting may take 16; the lines are 60 MB

PROGRAM = """
import contextlib, io, sys
from pathlib import Path
from tests.batch.jobs import open_ledger, request_line

class Generated(io.RawIOBase):
    number = 0
    def readline(self, limit=-1, /):
        self.number += 1
        return request_line(f"r{self.number}", body={"input": "word " * 100}) if self.number <= COUNT else b""

def peak():
    # Not ru_maxrss, which a new process inherits from the one that started it.
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 2**10

COUNT = int(sys.argv[2])
before = peak()
with contextlib.closing(open_ledger(Path(sys.argv[1]), None)) as ledger:
    assert ledger.validate(Generated()).pending == COUNT
    assert sum(1 for _ in ledger.pending()) == COUNT
print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells the peak in this way")
def test_memory_does_not_grow_with_the_lines(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path), str(LINES)]
    grown = float(subprocess.run(command, check=True, capture_output=True, timeout=100).stdout)
    assert grown < MOST
