"""Builds the sdist as one without a network would: the crates fetched before, the Python packages in a folder."""

import os
import subprocess
import tempfile
import tomllib
from pathlib import Path

from . import sdist, venvs


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
        packages = Path(scratch) / "packages"
        subprocess.run([inside, "-m", "pip", "download", "--quiet", "--dest", packages, *needed], check=True)
        subprocess.run(["cargo", "fetch", "--locked", "--manifest-path", source / "Cargo.toml"], check=True)
        pip = [inside, "-m", "pip", "install", "--quiet", "--no-index", "--find-links", packages, archive]
        subprocess.run(pip, env={**os.environ, "CARGO_NET_OFFLINE": "true"}, check=True)
        venvs.expect(inside, "native", Path(scratch))
