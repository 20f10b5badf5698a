"""Runs the official SDK's own tests, from its source distribution, without and with every client accelerated.

    python tests/peers/openai_sdk.py [VERSION]      # the version that is installed, if none is given

Exit status 1 if a test that passes without does not pass with. Everything happens in ``.peers``. Some tests need
recordings that are not in the source distribution, and pass neither way.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as ET
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS = ROOT / ".peers"
TESTS = ["tests/test_streaming.py", "tests/test_stream_mode.py", "tests/lib/streaming", "tests/lib/chat"]
TESTS += ["tests/lib/responses"]
NEEDS = ["pytest", "pytest-asyncio", "pytest-xdist", "inline-snapshot", "respx", "rich", "anyio", "trio"]
NEEDS += ["websockets<16", "h11", "httpx", "orjson", "nest-asyncio", "dirty-equals", "Pillow"]


def main() -> int:
    version = sys.argv[1] if len(sys.argv) > 1 else importlib.metadata.version("openai")
    python = _environment(version)
    source = _source(python, version)
    before, _ = _passes(python, source, "without", [])
    after, streams = _passes(python, source, "with", ["-p", "openai_accelerated"])
    lost = sorted(before - after)
    print(f"openai {version}: {len(before)} passed without, {len(after)} with; {streams} streams were fast")
    for name in lost:
        print(f"  no longer passes: {name}")
    return 1 if lost or not before or not streams else 0


def _environment(version: str) -> Path:
    place = PEERS / f"openai-{version}-venv"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        venv.create(place, with_pip=True, clear=True)
        _run(python, "-m", "pip", "install", "--quiet", f"openai[aiohttp]=={version}", *NEEDS)
        (place / "ready").touch()
    return python


def _source(python: Path, version: str) -> Path:
    source = PEERS / f"openai-{version}"
    if not source.exists():
        only_source = ("--no-deps", "--no-binary", "openai", "--dest", PEERS)
        _run(python, "-m", "pip", "download", "--quiet", *only_source, f"openai=={version}")
        with tarfile.open(PEERS / f"openai-{version}.tar.gz") as archive:
            archive.extractall(PEERS, filter="data")
    return source


def _passes(python: Path, source: Path, name: str, more: list[str]) -> tuple[set[str], int]:
    """The tests that passed, and how many streams were fast."""
    report = PEERS / f"{source.name}-{name}.xml"
    paths = [path for path in TESTS if (source / path).exists()]
    command = ["-m", "pytest", *paths, "-q", "-n", "0", "-p", "no:cacheprovider", f"--junitxml={report}", *more]
    # The SDK is the installed one, not the source beside the tests.
    given = {"PYTHONPATH": os.pathsep.join([str(ROOT / "python"), str(Path(__file__).parent)])}
    done = subprocess.run(
        [python, *command], cwd=source, env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    print(f"{name}: {next((line for line in reversed(done.stdout.splitlines()) if ' in ' in line), done.stdout)}")
    cases = ET.parse(report).iter("testcase")
    streams = re.search(r"fast streams: (\d+)", done.stdout)
    return {_name(case) for case in cases if len(case.findall("*")) == 0}, int(streams[1]) if streams else 0


def _name(case: ET.Element) -> str:
    return f"{case.get('classname')}::{case.get('name')}"


def _run(*command: str | Path) -> None:
    subprocess.run(list(map(str, command)), check=True)


if __name__ == "__main__":
    sys.exit(main())
