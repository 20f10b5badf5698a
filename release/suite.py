"""Runs the tests against a wheel: in a clean venv, from the unpacked sdist, so that nothing of the clone is used.

``python -m release.suite FOLDER`` installs what pip takes from the folder for the Python that runs it.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from . import run, sdist, venvs


def check(python: Path, folder: Path, pins: Sequence[str] = ()) -> None:
    """Install from ``folder``, which has an sdist too, for ``python``, with dependencies as in ``pins``; run the tests.

    Raises:
        subprocess.CalledProcessError: if no wheel fits, pip took the pure one though there are others, or a test fails.
    """
    backend = "pure" if all(wheel.name.endswith("-none-any.whl") for wheel in folder.glob("*.whl")) else "native"
    with tempfile.TemporaryDirectory() as scratch:
        source = sdist.unpack(folder, Path(scratch))
        inside = venvs.make(python, Path(scratch) / "venv")
        pip = [str(inside), "-m", "pip", "install", "--quiet"]
        run(*pip, "--no-index", "--no-deps", "--only-binary", ":all:", "--find-links", folder, "eugpt-fast")
        run(*pip, "--group", "test", "eugpt-fast", *pins, cwd=source)  # what is installed stays
        venvs.expect(inside, backend, source)
        run(inside, "-m", "pytest", "-p", "no:cacheprovider", cwd=source, env=venvs.environment())


if __name__ == "__main__":
    check(Path(sys.executable), Path(sys.argv[1]).resolve())
