"""Runs the tests against a wheel: in a clean venv, from the unpacked sdist, so that nothing of the clone is used.

``python -m release.suite FOLDER`` installs what pip takes from the folder for the Python that runs it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from . import sdist, venvs


def run(python: Path, folder: Path) -> None:
    """Install from ``folder``, which has an sdist too, for ``python``, and run the tests.

    Raises:
        subprocess.CalledProcessError: if no wheel fits, pip took the pure one though there are others, or a test fails.
    """
    backend = "pure" if all(wheel.name.endswith("-none-any.whl") for wheel in folder.glob("*.whl")) else "native"
    with tempfile.TemporaryDirectory() as scratch:
        source = sdist.unpack(folder, Path(scratch))
        inside = venvs.make(python, Path(scratch) / "venv")
        pip = [inside, "-m", "pip", "install", "--quiet"]
        ours = ["--no-index", "--no-deps", "--only-binary", ":all:", "--find-links", folder, "eugpt-fast"]
        subprocess.run([*pip, *ours], check=True)
        subprocess.run([*pip, "--group", "test", "eugpt-fast"], cwd=source, check=True)
        venvs.expect(inside, backend, source)
        tests = [inside, "-m", "pytest", "-p", "no:cacheprovider"]
        subprocess.run(tests, cwd=source, env=venvs.environment(), check=True)


if __name__ == "__main__":
    run(Path(sys.executable), Path(sys.argv[1]).resolve())
