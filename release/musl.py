"""The native wheels for Linux with musl on this machine's processor, built without an interpreter of theirs.

``python -m release.musl 3.13 3.14t`` builds for these versions, without arguments for those that this machine has.
"""

import platform
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from . import DIST, interpreters, run
from .native import build_wheels


def build(versions: list[str], out: Path = DIST) -> None:
    """Write a wheel for each of ``versions`` into the folder ``out``.

    Raises:
        subprocess.CalledProcessError: if one does not build.
    """
    target = f"{platform.machine()}-unknown-linux-musl"
    run("rustup", "target", "add", target)
    pythons = [f"python{version}" for version in versions]
    options = ["--zig", "--compatibility", "musllinux_1_2", "--target", target, "--out", str(out)]
    build_wheels(*options, "--interpreter", *pythons)


def audit(wheel: Path) -> None:
    """Print which libraries the native module of ``wheel`` needs.

    Raises:
        SystemExit: if it is any other than musl's own. ``auditwheel`` can tell that only where musl runs.
    """
    with TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".so"))
        with open(archive.extract(name, folder), "rb") as file:
            needed = [
                tag.needed
                for section in ELFFile(file).iter_sections()
                if isinstance(section, DynamicSection)
                for tag in section.iter_tags("DT_NEEDED")
            ]
    print(wheel.name, "needs", needed, flush=True)
    if needed != ["libc.so"]:
        raise SystemExit(f"{wheel.name} needs more than musl")


if __name__ == "__main__":
    build(sys.argv[1:] or list(interpreters.find()))
    for built in DIST.glob("*musllinux*.whl"):
        audit(built)
