"""Instructions and calls, counted by ``valgrind --tool=callgrind``: the same on a busy machine as on an idle one."""

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

MARK = "getpriority"
"""A function of libc that nobody calls by chance: in Python it is ``os.getpriority``. It separates sections."""

_FUNCTION = re.compile(r"^(c?fn)=\((\d+)\)(?: (.*))?$")
_FLAGS = ["--tool=callgrind", "--quiet", f"--dump-before={MARK}"]


@dataclass(frozen=True)
class Section:
    """What ran between two marks."""

    instructions: int
    calls: Counter[str] = field(repr=False)
    own: Counter[str] = field(repr=False)
    """Instructions by function, without those of the functions that it called."""


def is_there() -> bool:
    return shutil.which("valgrind") is not None


def sections(command: Sequence[str], **options: str) -> list[Section]:
    """Runs ``command``; the sections from its start over each mark to its end."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        flags = [*_FLAGS, f"--callgrind-out-file={out}"]
        subprocess.run(["valgrind", *flags, *command], check=True, stdout=subprocess.DEVNULL, **options)
        dumps = sorted(out.parent.glob("out.*"), key=lambda path: int(path.suffix[1:]))
        return [_read(path) for path in [*dumps, out]]


def _read(path: Path) -> Section:
    """One dump, see "Callgrind Format Specification" in valgrind's manual. A name is given once, then its number."""
    names: dict[str, str] = {}
    calls: Counter[str] = Counter()
    own: Counter[str] = Counter()
    total, function, called = 0, "", ""
    is_callee_cost = False
    for line in path.read_text(errors="replace").splitlines():
        if match := _FUNCTION.match(line):
            kind, number, name = match.groups()
            name = names.setdefault(number, name)
            if kind == "fn":
                function = name
            else:
                called = name
        elif line.startswith("calls="):
            calls[called] += int(line[6:].split()[0])
            is_callee_cost = True
        elif line.startswith("summary:"):
            total = int(line.split()[1])
        elif line[:1] in "+-*0123456789" and line:
            if not is_callee_cost:
                own[function] += int(line.split()[-1])
            is_callee_cost = False
    return Section(total, calls, own)
