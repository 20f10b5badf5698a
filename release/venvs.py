"""Clean venvs, and the question what is installed in them."""

import os
from pathlib import Path

from . import run

WHAT = """
import pathlib, sys, eugpt_fast
info = eugpt_fast.build_info()
print(sys.version, info, eugpt_fast.__file__, sep="\\n", flush=True)
assert pathlib.Path(sys.prefix) in pathlib.Path(eugpt_fast.__file__).parents, "this is not what was installed"
assert info["backend"] == sys.argv[1], "this is not what pip should have taken"
assert info.get("transport", "yes") == "yes", "the native wheels have the transport"
"""
HIDDEN = ("EUGPT_FAST_PURE", "PYTHONPATH", "PYTHON_GIL")  # would let something else run than what is installed


def make(python: Path, place: Path) -> Path:
    """A new venv with a pip that knows dependency groups; the path of its Python."""
    run(python, "-m", "venv", place)
    inside = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(inside, "-m", "pip", "install", "--quiet", "--upgrade", "pip>=25.1")
    return inside


def environment() -> dict[str, str]:
    """The environment, without what would let something else run than what is installed."""
    return {name: value for name, value in os.environ.items() if name not in HIDDEN}


def expect(inside: Path, backend: str, folder: Path) -> None:
    """Import the package from within ``folder``.

    Raises:
        subprocess.CalledProcessError: if it is not the installed one, or its parser is not of this ``backend``.
    """
    run(inside, "-c", WHAT, backend, cwd=folder, env=environment())
