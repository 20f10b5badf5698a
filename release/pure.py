"""The wheel for every Python: the package without its native module, with the same metadata.

maturin writes the metadata, as it does for the native wheels: version and dependencies stand in no second place.
"""

import os
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

from . import DIST, ROOT, run

EARLIEST = "315532800"  # 1980-01-01, where the times of zip files begin
WHEEL = "Wheel-Version: 1.0\nGenerator: release.pure\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build(out: Path = DIST) -> None:
    """Write the pure wheel into the folder ``out``."""
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "maturin", "pep517", "write-dist-info", "--metadata-directory", folder)
        (info,) = Path(folder).glob("*.dist-info")
        (info / "WHEEL").write_text(WHEEL, "utf-8")
        native = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
        shutil.copytree(ROOT / "python" / "eugpt_fast", Path(folder) / "eugpt_fast", ignore=native)
        epoch = {"SOURCE_DATE_EPOCH": EARLIEST, **os.environ}
        run(sys.executable, "-m", "wheel", "pack", "--dest-dir", out, folder, env=epoch)


def audit(pure: Path, native: Path) -> None:
    """Compare the two wheels.

    Raises:
        SystemExit: if they differ in more than the native module and what is said of the build.
    """
    differing = _contents(pure).items() ^ _contents(native).items()
    names = {name for name, _ in differing}
    if len(names) != 1 or not names.pop().endswith((".so", ".pyd")):
        raise SystemExit(f"{pure.name} and {native.name} differ in {sorted(name for name, _ in differing)}")


def _contents(wheel: Path) -> dict[str, int]:
    """The checksums of its files, but for those that tell how it was built."""
    with zipfile.ZipFile(wheel) as archive:
        files = {file.filename: file.CRC for file in archive.infolist()}
    told = (".dist-info/WHEEL", ".dist-info/RECORD", ".cyclonedx.json")
    return {name: crc for name, crc in files.items() if not name.endswith(told)}


if __name__ == "__main__":
    build()
