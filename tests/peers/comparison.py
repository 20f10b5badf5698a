"""The own tests of a package, from its source distribution: what passes with the original, and what with ours.

A script calls :func:`compare`, which calls it again, in processes of their own, to run the tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest


def compare(script: str, wanted: str, listed: Mapping[str, str], told: str) -> int:
    """Downloads ``wanted``, runs ``script original SOURCE FOUND`` and the same with ``ours``, and prints both counts.

    Returns 1 if one passes with the original, fails with ours and is not in ``listed``, or one there does not.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = _download(wanted, Path(folder))
        original, ours = (_passes(script, source, who, Path(folder)) for who in ("original", "ours"))
    failing = {name for name, passed in original.items() if passed and not ours.get(name)}
    counts = {"all": len(original), "original": sum(original.values()), "ours": sum(ours.values())}
    print(f"{source.name}: {told.format_map(counts)}")
    for name in sorted(failing & listed.keys()):
        print(f"  listed: {name}: {listed[name]}")
    for name in sorted(failing ^ listed.keys()):
        print(f"  NOT LISTED: {name}" if name in failing else f"  LISTED, but it does not fail: {name}")
    return 1 if failing != listed.keys() or not any(ours.values()) else 0


def _download(wanted: str, folder: Path) -> Path:
    """The unpacked source distribution."""
    name = wanted.partition("==")[0]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, wanted]
    subprocess.run(pip, cwd=folder, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def _passes(script: str, source: Path, who: str, folder: Path) -> dict[str, bool]:
    """Which tests pass, in a process of their own."""
    found = folder / f"{who}.json"
    run = [sys.executable, script, who, str(source), str(found)]
    done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not found.exists():
        sys.exit(done.stdout)
    return dict(json.loads(found.read_text()))


class _Recorder:
    """A pytest plugin that notes how each test ended."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed[report.nodeid] = self.passed.get(report.nodeid, True) and report.passed


def run_tests(arguments: list[str], found: str, plugins: Iterable[Any] = ()) -> None:
    """In the second process: runs the tests and writes which passed."""
    recorder = _Recorder()
    status = pytest.main(arguments, plugins=[recorder, *plugins])
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        Path(found).write_text(json.dumps(recorder.passed))
