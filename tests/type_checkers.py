"""What type checkers say of a file, each in its strictest mode."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

TypeChecker = Callable[[Path], dict[int, str]]


def told_by_mypy(file: Path) -> dict[int, str]:
    """Its errors by line."""
    output = run("mypy", "--strict", "--config-file=", "--python-version=3.10", "--output=json", str(file))
    found = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    return {entry["line"]: entry["message"] for entry in found if entry["severity"] == "error"}


def told_by_pyright(file: Path) -> dict[int, str]:
    """Its errors by line."""
    output = run("pyright", "--pythonpath", sys.executable, "--outputjson", str(file))
    found = json.loads(output)["generalDiagnostics"]
    return {entry["range"]["start"]["line"] + 1: entry["message"] for entry in found}


def run(tool: str, *arguments: str) -> str:
    if importlib.util.find_spec(tool) is None:
        pytest.skip(f"{tool} is not installed")
    command = [sys.executable, "-m", tool, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


TYPE_CHECKERS = [pytest.param(told_by_mypy, id="mypy"), pytest.param(told_by_pyright, id="pyright")]
