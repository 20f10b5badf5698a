"""The examples run as they are shown."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def shown(name: str, *arguments: str) -> list[str]:
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    found: list[str] = subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120
    ).stdout.splitlines()
    return found


def test_the_library() -> None:
    told = shown("batch_library.py")
    assert told[:2] == ["100 done, 0 failed, 0 left", "again: 100 done, of these 0 in this run"]
    assert told[2].startswith("async: 100 done, retries {}, ")
    assert [line.partition(",")[0] for line in told[3:]] == ["q1: completed", "q2: completed", "q3: completed"]


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_the_demo() -> None:
    told = shown("batch_demo.py", "200")
    assert told[-1].startswith("200 requests, ")
    assert told[-1].endswith(": 0 lost, 0 repeated in the results")
