"""Runs the tests with the lowest versions of the dependencies that pyproject.toml allows."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import tomllib
from packaging.requirements import Requirement

from . import ROOT, native, sdist, suite


def lowest() -> list[str]:
    """The dependencies with a lower bound, pinned to it: ``["httpx==0.27"]``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds = [(need.name, bound) for need in map(Requirement, project["dependencies"]) for bound in need.specifier]
    return [f"{name}=={bound.version}" for name, bound in bounds if bound.operator == ">="]


def main() -> None:
    """Build for the Python that runs this, and test with the lowest dependencies."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        sdist.build(folder)
        native.build([Path(sys.executable)], folder)
        suite.check(Path(sys.executable), folder, pins=lowest())


if __name__ == "__main__":
    print(*lowest(), flush=True)
    main()
