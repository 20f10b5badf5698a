"""The programs of this folder and of the examples, run by an interpreter of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"


def run(program: Path, *arguments: str, given: str = "") -> str:
    """What it prints."""
    path = os.pathsep.join([str(EXAMPLES), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "RAY_AUTH_MODE": "disabled"}
    command = [sys.executable, str(program), *arguments]
    ended = subprocess.run(
        command, input=given, capture_output=True, text=True, timeout=550, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stderr[-5000:]
    return ended.stdout


def rows_from(program: str, url: str, key: str, rows: list[dict[str, Any]], *more: str) -> list[dict[str, Any]]:
    """The rows that a program of this folder makes of these."""
    printed = run(HERE / program, url, key, *more, given=json.dumps(rows))
    [rows_line] = [line for line in printed.splitlines() if line.startswith("[{")]  # engines print too
    found: list[dict[str, Any]] = json.loads(rows_line)
    return found


def needs(package: str) -> list[pytest.MarkDecorator]:
    """The marks of tests that need it."""
    missing = importlib.util.find_spec(package) is None
    return [pytest.mark.skipif(missing, reason=f"{package} is not installed"), pytest.mark.timeout(600)]
