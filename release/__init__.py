"""Builds what is published, and checks it as an installer meets it. The Makefile has the jobs."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"


def run(*command: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> None:
    """Run ``command``; with ``env`` as its environment, if given.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    subprocess.run(command, cwd=cwd, env=env, check=True)
