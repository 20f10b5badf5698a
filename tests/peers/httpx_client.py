"""httpx's own tests of its clients, from its source distribution, over the native transports.

``python tests/peers/httpx_client.py`` prints how many of those that send requests pass over httpx's own transports and
over ours. Exit status 1: one passes over the former, fails over ours and is not in ``LISTED``, or one there does not.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

LISTED = {"tests/test_timeouts.py::test_pool_timeout[asyncio]": "a body that has arrived holds no connection"}
"""What fails over ours, and why."""

CHOSEN = ["tests/client", "tests/test_api.py", "tests/test_timeouts.py", "tests/test_auth.py"]

LEFT_OUT = [
    "tests/test_api.py::test_httpcore_lazy_loading",
    "tests/client/test_proxies.py::test_socks_proxy",
    "tests/client/test_proxies.py::test_transport_for_request",
    "tests/client/test_proxies.py::test_proxies_environ",
    "tests/client/test_proxies.py::test_proxy_with_auth_header",
]
"""Starts of the names of tests that look at httpcore or at the pool inside a transport."""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        source = download(Path(folder))
        original, ours = (passes(source, who, Path(folder)) for who in ("original", "ours"))
    failing = {name for name, passed in original.items() if passed and not ours.get(name)}
    print(
        f"{source.name}: {len(original)} tests of clients, {sum(original.values())} pass over its own transports, "
        f"{sum(ours.values())} over eugpt_fast's"
    )
    for name in sorted(failing & LISTED.keys()):
        print(f"  listed: {name}: {LISTED[name]}")
    for name in sorted(failing ^ LISTED.keys()):
        print(f"  NOT LISTED: {name}" if name in failing else f"  LISTED, but it does not fail: {name}")
    return 1 if failing != LISTED.keys() or not any(ours.values()) else 0


def download(folder: Path) -> Path:
    """The unpacked source distribution of the httpx that is installed."""
    wanted = f"httpx=={version('httpx')}"
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "httpx", wanted]
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


class Replacement:
    """A pytest plugin: where httpx's clients and its tests look for the transports, they find the native ones."""

    def pytest_configure(self) -> None:
        import eugpt_fast  # noqa: PLC0415  # pytest wants to see it imported by nobody but itself
        import httpx  # noqa: PLC0415

        for module in (httpx, httpx._client, httpx._transports.default):
            module.HTTPTransport = eugpt_fast.Transport
            module.AsyncHTTPTransport = eugpt_fast.AsyncTransport


def run_tests(who: str, source: str, found: str) -> None:
    """In the process of :func:`passes`: runs the tests and writes which passed."""
    sys.path[0] = source  # in place of this folder, where a module of the name of a package is
    recorder = Recorder()
    plugins = [recorder, Replacement()] if who == "ours" else [recorder]
    # Ours is for asyncio; the options that the distribution sets itself ask for a report.
    arguments = [
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "-k",
        "not trio",
        "-m",
        "not network",
        "--timeout=60",
        "--rootdir",
        source,
    ]
    arguments += [f"{source}/{name}" for name in CHOSEN]
    arguments += [f"--deselect={start}" for start in LEFT_OUT]
    status = pytest.main(arguments, plugins=plugins)
    if status in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        Path(found).write_text(json.dumps(recorder.passed))


if __name__ == "__main__":
    if sys.argv[1:]:
        run_tests(*sys.argv[1:])
    else:
        sys.exit(main())
