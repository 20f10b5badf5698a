"""Builds the sdist as one without a network would: the crates fetched before, the Python packages in a folder.

``python -m release.offline FOLDER`` takes the sdist in the folder and the Python that runs it.
"""

import os
import sys
import tempfile
from pathlib import Path

import tomllib

from . import run, sdist, venvs


def install(python: Path, folder: Path) -> None:
    """Build the sdist in ``folder`` for ``python`` and install it in a clean venv.

    Raises:
        subprocess.CalledProcessError: if it needs something that Cargo.lock and pyproject.toml do not name.
    """
    (archive,) = folder.glob("*.tar.gz")
    with tempfile.TemporaryDirectory() as scratch:
        source = sdist.unpack(folder, Path(scratch))
        inside = venvs.make(python, Path(scratch) / "venv")
        project = tomllib.loads((source / "pyproject.toml").read_text("utf-8"))
        needed = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
        pip = [str(inside), "-m", "pip"]
        packages = Path(scratch) / "packages"
        run(*pip, "download", "--quiet", "--dest", packages, *needed)
        run("cargo", "fetch", "--locked", "--manifest-path", source / "Cargo.toml")
        without = {**os.environ, "CARGO_NET_OFFLINE": "true"}
        run(*pip, "install", "--quiet", "--no-index", "--find-links", packages, archive, env=without)
        venvs.expect(inside, "native", Path(scratch))


if __name__ == "__main__":
    install(Path(sys.executable), Path(sys.argv[1]).resolve())
