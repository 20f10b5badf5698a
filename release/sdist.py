"""The source distribution.

It carries Cargo.lock, not the crates: who builds without a network runs ``cargo fetch --locked`` beforehand.
"""

import sys
import tarfile
from pathlib import Path

from . import DIST, run


def build(out: Path = DIST) -> None:
    """Write the sdist into the folder ``out``."""
    run(sys.executable, "-m", "maturin", "sdist", "--out", out)


def unpack(folder: Path, place: Path) -> Path:
    """The sdist in ``folder``, unpacked into ``place``; the path of its root."""
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    return place / archive.name.removesuffix(".tar.gz")


if __name__ == "__main__":
    build()
