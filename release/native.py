"""The native wheels for this machine's system and processor; on Linux for an old glibc, with zig's linker.

``python -m release.native`` builds the one for the Python that runs it.
"""

import os
import subprocess
import sys
from pathlib import Path

from . import DIST, run

OLDEST_GLIBC = "manylinux_2_17"


def build(pythons: list[Path], out: Path = DIST) -> None:
    """Write a wheel for each of ``pythons`` into the folder ``out``.

    Raises:
        subprocess.CalledProcessError: if one does not build.
    """
    linux = ["--zig", "--compatibility", OLDEST_GLIBC] if sys.platform == "linux" else []
    build_wheels(*linux, "--out", str(out), "--interpreter", *map(str, pythons))


def build_wheels(*options: str) -> None:
    """Call ``maturin build`` with these options."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # where maturin looks for zig
    maturin = [sys.executable, "-m", "maturin", "build", "--release", "--locked"]
    run(*maturin, *options, env={**os.environ, "PATH": path})


def audit(wheel: Path) -> None:
    """Print what ``auditwheel`` says of this wheel.

    Raises:
        SystemExit: if the wheel needs more than its tag promises.
    """
    show = [sys.executable, "-m", "auditwheel", "show", str(wheel)]
    said = subprocess.run(show, capture_output=True, text=True, check=True).stdout
    print(said, flush=True)
    if f'platform tag:\n"{OLDEST_GLIBC}_' not in said:
        raise SystemExit(f"{wheel.name} is no {OLDEST_GLIBC} wheel")


if __name__ == "__main__":
    build([Path(sys.executable)])
    for built in DIST.glob("*manylinux*.whl"):
        audit(built)
