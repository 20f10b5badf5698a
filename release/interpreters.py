"""The CPythons of this machine that wheels are for."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import tomllib
from packaging.specifiers import SpecifierSet

from . import ROOT

PLACES = [".pyenv/versions/*/bin", ".local/share/uv/python/*/bin"]  # below the home: not on the PATH
ASK = """
import ensurepip, os, sys, sysconfig, venv
assert sys.implementation.name == "cpython"
free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
print("%d.%d" % sys.version_info[:2], free_threaded, os.path.realpath(sys.executable))
"""


def find() -> dict[str, Path]:
    """The first CPython of each supported version that can make a venv: ``{"3.14t": Path("/usr/bin/python3.14t")}``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    supported = SpecifierSet(project["requires-python"])
    found: dict[str, Path] = {}
    for path in _candidates():
        answer = subprocess.run([path, "-c", ASK], capture_output=True, text=True, check=False)
        if answer.returncode != 0:
            continue  # not CPython, without venv, or a shim of pyenv for a version that is not active
        version, free_threaded, executable = answer.stdout.strip().split(maxsplit=2)
        if version in supported:
            found.setdefault(version + ("t" if free_threaded == "True" else ""), Path(executable))
    return dict(sorted(found.items()))


def _candidates() -> Iterator[Path]:
    places = [Path(place) for place in os.get_exec_path()]
    for pattern in PLACES:
        places += sorted(Path.home().glob(pattern))
    for place in places:
        for path in sorted(place.glob("python3.*")):
            if path.name.removeprefix("python3.").removesuffix("t").isdigit():
                yield path
