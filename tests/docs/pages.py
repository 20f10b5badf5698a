"""The pages of the documentation, taken apart: blocks of code, commands, links."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benches" / "README.md"])

_BLOCK = re.compile(r"^(?:<!-- not run: ([^>]+) -->\n)?```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


class Block(NamedTuple):
    """A fenced block: its language, its code, and where that stands.

    ``needs`` is what a comment above the block says: ``<!-- not run: Ray -->``. Such a block is compiled, and counted.
    """

    page: Path
    language: str
    code: str
    lines_before: int
    needs: str | None

    @property
    def is_test_module(self) -> bool:
        return "pytest_plugins" in self.code

    def compiled(self) -> CodeType:
        """With blank lines before it, which make a traceback point at the line of the page."""
        return compile("\n" * self.lines_before + self.code, str(self.page), "exec")


class Command(NamedTuple):
    """One command of a console block, and what the block shows of it."""

    arguments: list[str]
    status: int
    output: list[str]


def name_of(page: Path) -> str:
    """What a page is called in the names of tests."""
    return page.relative_to(ROOT).as_posix()


def blocks(language: str, pages: list[Path] = PAGES) -> list[Block]:
    return [block for page in pages for block in _blocks_of(page) if block.language == language]


def all_blocks() -> list[Block]:
    return [block for page in PAGES for block in _blocks_of(page)]


def pages_with(language: str) -> list[Path]:
    return [page for page in PAGES if blocks(language, [page])]


def links() -> list[tuple[Path, str]]:
    """Each page with each of its links into the repository, without what follows a ``#``."""
    return [(page, target) for page in PAGES for target in _LINK.findall(page.read_text("utf-8"))]


def commands(block: Block) -> Iterator[Command]:
    """Its ``$`` lines. ``$ echo $?`` behind one, and the number below it, give its exit status."""
    status_line = re.compile(r"^\$ echo \$\?\n(\d+)\n", re.MULTILINE)
    for session in re.split(r"^(?=\$ (?!echo \$\?))", block.code, flags=re.MULTILINE):
        if session:
            status = status_line.search(session)
            first, *output = status_line.sub("", session).splitlines()
            yield Command(shlex.split(first.removeprefix("$ "), comments=True), int(status[1]) if status else 0, output)


def run(module: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """``python -m module``, with standard error among the output."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def _blocks_of(page: Path) -> list[Block]:
    text = page.read_text("utf-8")
    return [Block(page, m[2], m[3], text.count("\n", 0, m.start(3)), m[1]) for m in _BLOCK.finditer(text)]
