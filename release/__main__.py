"""Builds the sdist, the pure wheel and a native wheel for each CPython of this machine, and tests them all."""

import shutil
import sys
import tempfile
from pathlib import Path

from . import DIST, interpreters, native, offline, pure, sdist, suite


def main() -> None:
    """Build into an empty ``dist``, then check everything in it.

    Raises:
        subprocess.CalledProcessError: at the first thing that fails.
    """
    shutil.rmtree(DIST, ignore_errors=True)
    pythons = interpreters.find()
    for version, python in pythons.items():
        print(f"CPython {version}: {python}", flush=True)
    sdist.build()
    pure.build()
    native.build(list(pythons.values()))
    (pure_wheel,) = DIST.glob("*-none-any.whl")
    for wheel in sorted(DIST.glob("*manylinux*.whl")):
        native.audit(wheel)
        pure.audit(pure_wheel, wheel)
    for version, python in pythons.items():
        print(f"--- native wheel, CPython {version}", flush=True)
        suite.check(python, DIST)
    print("--- sdist without a network", flush=True)
    offline.install(Path(sys.executable), DIST)
    print("--- pure wheel", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for file in [pure_wheel, *DIST.glob("*.tar.gz")]:
            shutil.copy(file, folder)
        suite.check(Path(sys.executable), Path(folder))


if __name__ == "__main__":
    main()
