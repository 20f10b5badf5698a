"""The tests of httpx-sse, from its source distribution, with ``eugpt_fast.compat.httpx_sse`` in its place.

``python tests/peers/httpx_sse.py`` prints how many of those of the public names pass with the original and with ours.
Exit status 1: one passes with the original, fails with ours and is not in ``LISTED``, or one that is there does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import types
from pathlib import Path

import pytest
from eugpt_fast.compat import httpx_sse

LISTED = {"tests/test_event_source.py::test_iter_sse_id_retry": "a time without data is no event by the standard"}
"""What fails with ours, and why: see ``docs/COMPAT-HTTPX-SSE.md``."""

PRIVATE_TESTS = [
    "tests/test_decoders.py",
    "tests/test_api.py::test_iter_sse_lines",
    "tests/test_api.py::test_aiter_sse_lines",
]
"""Starts of the names of tests that are left out, because what they test is private."""

PRIVATE_NAMES = {"_api": ["_aiter_sse_lines", "_iter_sse_lines"], "_decoders": ["SSELineDecoder", "_splitlines_sse"]}
"""What the test modules import of that."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = download(Path(folder))
        original, ours = (passes(source, who, Path(folder)) for who in ("original", "ours"))
    failing = {name for name, passed in original.items() if passed and not ours.get(name)}
    print(
        f"{source.name}: {len(original)} tests of public names, {sum(original.values())} pass with the original, "
        f"{sum(ours.values())} with {httpx_sse.__name__}"
    )
    for name in sorted(failing & LISTED.keys()):
        print(f"  listed: {name}: {LISTED[name]}")
    for name in sorted(failing ^ LISTED.keys()):
        print(f"  NOT LISTED: {name}" if name in failing else f"  LISTED, but it does not fail: {name}")
    return 1 if failing != LISTED.keys() or not any(ours.values()) else 0


def download(folder: Path) -> Path:
    """The unpacked source distribution."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "httpx-sse", "httpx-sse"]
    subprocess.run(pip, cwd=folder, check=True)
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def passes(source: Path, who: str, folder: Path) -> dict[str, bool]:
    """Which tests pass, in a process of their own."""
    found = folder / f"{who}.json"
    run = [sys.executable, __file__, who, str(source), str(found)]
    done = subprocess.run(run, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not found.exists():
        sys.exit(done.stdout)
    return json.loads(found.read_text())


class Recorder:
    """A pytest plugin that notes how each test ended."""

    def __init__(self) -> None:
        self.passed: dict[str, bool] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.passed[report.nodeid] = self.passed.get(report.nodeid, True) and report.passed


def run_tests(who: str, source: str, found: str) -> None:
    """In the process of :func:`passes`: runs the tests and writes which passed."""
    sys.path[0] = source  # in place of this folder, where a module of the same name is
    if who == "original":
        sys.path.insert(1, f"{source}/src")
    else:
        sys.modules["httpx_sse"] = httpx_sse
        for name, members in PRIVATE_NAMES.items():
            stub = types.ModuleType(f"httpx_sse.{name}")
            vars(stub).update(dict.fromkeys(members))
            sys.modules[stub.__name__] = stub
    recorder = Recorder()
    # The options that the distribution sets itself ask for coverage.
    arguments = ["-o", "addopts=", "-p", "no:cacheprovider", "--rootdir", source, f"{source}/tests"]
    arguments += [f"--deselect={start}" for start in PRIVATE_TESTS]
    status = pytest.main(arguments, plugins=[recorder])
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        Path(found).write_text(json.dumps(recorder.passed))


if __name__ == "__main__":
    if sys.argv[1:]:
        run_tests(*sys.argv[1:])
    else:
        sys.exit(main())
