"""The stub says what the native module is."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from types import ModuleType

import pytest


@pytest.mark.usefixtures("native")
def test_stubtest_finds_no_difference() -> None:
    if importlib.util.find_spec("mypy") is None:
        pytest.skip("mypy is not installed")
    command = [sys.executable, "-m", "mypy.stubtest", "eugpt_fast._core"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_module_says_how_it_was_built(native: ModuleType) -> None:
    info = native.build_info()
    assert set(info) == {"version", "profile", "panic", "transport"}
    assert info["panic"] == "unwind"  # a panic becomes a Python exception
