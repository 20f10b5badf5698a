"""The wheel for every Python: the package without its native module, with the same metadata.

maturin writes the metadata, as it does for the native wheels: version and dependencies stand in no second place.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from . import DIST, ROOT

EARLIEST = "315532800"  # 1980-01-01, where the times of zip files begin
WHEEL = "Wheel-Version: 1.0\nGenerator: release.pure\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build(out: Path = DIST) -> None:
    """Write the pure wheel into the folder ``out``."""
    out.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        metadata = [sys.executable, "-m", "maturin", "pep517", "write-dist-info", "--metadata-directory", folder]
        subprocess.run(metadata, cwd=ROOT, check=True)
        (info,) = Path(folder).glob("*.dist-info")
        (info / "WHEEL").write_text(WHEEL, "utf-8")
        native = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
        shutil.copytree(ROOT / "python" / "eugpt_fast", Path(folder) / "eugpt_fast", ignore=native)
        pack = [sys.executable, "-m", "wheel", "pack", "--dest-dir", str(out), folder]
        subprocess.run(pack, env={"SOURCE_DATE_EPOCH": EARLIEST, **os.environ}, check=True)


if __name__ == "__main__":
    build()
