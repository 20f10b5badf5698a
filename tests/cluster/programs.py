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
        command, input=given, capture_output=True, text=True, timeout=280, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stderr[-5000:]
    return ended.stdout


def rows_from(program: str, url: str, key: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that a program of this folder makes of these."""
    found: list[dict[str, Any]] = json.loads(run(HERE / program, url, key, given=json.dumps(rows)).splitlines()[-1])
    return found


def needs(package: str) -> list[pytest.MarkDecorator]:
    """The marks of tests that need it."""
    missing = importlib.util.find_spec(package) is None
    return [pytest.mark.skipif(missing, reason=f"{package} is not installed"), pytest.mark.timeout(300)]
