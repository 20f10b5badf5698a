"""The wheel for every Python: the package without its native module, with the same metadata.

maturin writes the metadata, as it does for the native wheels: version and dependencies stand in no second place.
"""

import os
import shutil
import sys
import tempfile
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


if __name__ == "__main__":
    build()
