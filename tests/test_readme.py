"""The README keeps its word: every Python block runs, every command ends as shown."""

import contextlib
import doctest
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import eugpt_fast
import pytest
from eugpt_fast.testing import ReplayServer, openai_stream
from type_checkers import TYPE_CHECKERS, TypeChecker

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
STREAM = openai_stream(20)

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SHOWN = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, its code, and the lines of the README before its code."""

    language: str
    code: str
    lines_before: int


class Command(NamedTuple):
    """One command of a console block, and what the block shows of it."""

    arguments: list[str]
    status: int
    output: list[str]


def blocks(language: str) -> list[Block]:
    text = README.read_text("utf-8")
    found = [Block(m[1], m[2], text.count("\n", 0, m.start(2))) for m in _BLOCK.finditer(text)]
    return [block for block in found if block.language == language]


def is_test_module(block: Block) -> bool:
    return "pytest_plugins" in block.code


def commands(block: Block) -> Iterator[Command]:
    """The `$ eugpt-fast` lines. `$ echo $?` behind one, and the number below it, give its exit status."""
    status_line = re.compile(r"^\$ echo \$\?\n(\d+)\n", re.MULTILINE)
    for session in re.split(r"^(?=\$ eugpt-fast )", block.code, flags=re.MULTILINE):
        if not session:
            continue
        status = status_line.search(session)
        first, *output = status_line.sub("", session).splitlines()
        program, *arguments = shlex.split(first.removeprefix("$ "))
        assert program == "eugpt-fast", f"this block shows something else: {first}"
        yield Command(arguments, int(status[1]) if status else 0, output)


COMMANDS = [command for block in blocks("console") for command in commands(block)]


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    """The address and the key that the README takes from the environment, and its working directory."""
    with ReplayServer(STREAM.body) as server:
        monkeypatch.setenv("EUGPT_API_KEY", "sk-readme")
        monkeypatch.setenv("EUGPT_BASE_URL", server.url + "/v1")
        monkeypatch.chdir(ROOT)
        yield server


def test_the_readme_has_blocks_of_every_kind() -> None:
    assert len([block for block in blocks("python") if not is_test_module(block)]) >= 8
    assert len([block for block in blocks("python") if is_test_module(block)]) == 1
    assert len(blocks("pycon")) == 2
    assert {command.arguments[0] for command in COMMANDS} == {"demo", "stream", "batch", "parse", "bench"}


def test_the_python_blocks_run_in_order(capsys: pytest.CaptureFixture[str], api: ReplayServer) -> None:
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks("python"):
        if is_test_module(block) or ("Transport(" in block.code and not hasattr(eugpt_fast, "Transport")):
            continue
        # The blank lines make a traceback point at the line of the README.
        exec(compile("\n" * block.lines_before + block.code, str(README), "exec"), names)
        printed = capsys.readouterr().out.splitlines()
        for shown in _SHOWN.findall(block.code):
            assert shown in printed
    assert b"".join(names["received"]) == STREAM.body  # type: ignore[arg-type]
    assert len(api.requests) >= 6


@pytest.mark.parametrize("told", TYPE_CHECKERS)
def test_the_python_blocks_are_typed(told: TypeChecker, tmp_path: Path) -> None:
    for name, of_a_test in (("examples.py", False), ("test_examples.py", True)):
        lines = [""] * README.read_text("utf-8").count("\n")
        for block in blocks("python"):
            if is_test_module(block) is of_a_test:
                code = block.code.splitlines()
                lines[block.lines_before : block.lines_before + len(code)] = code  # each where the README has it
        file = tmp_path / name
        file.write_text("\n".join(lines), "utf-8")
        assert told(file) == {}


def test_the_guides_loop_and_ours_give_the_same_events() -> None:
    names: dict[str, object] = {"__name__": "readme"}
    with contextlib.redirect_stdout(None):
        for block in blocks("python"):
            if "def before(" in block.code or "def after(" in block.code:
                exec(compile("\n" * block.lines_before + block.code, str(README), "exec"), names)
    before: list[object] = []
    after: list[object] = []
    names["before"](before.append)  # type: ignore[operator]
    names["after"](after.append)  # type: ignore[operator]
    assert before == after
    assert len(after) == STREAM.events


def test_the_sessions_of_the_interpreter_are_true() -> None:
    names: dict[str, object] = {}
    for block in blocks("pycon"):
        session = doctest.DocTestParser().get_doctest(block.code, names, "README", str(README), block.lines_before)
        report: list[str] = []
        result = doctest.DocTestRunner(verbose=False).run(session, out=report.append, clear_globs=False)
        assert result.attempted > 0
        assert result.failed == 0, "".join(report)
        names = session.globs


def test_the_test_module_passes(tmp_path: Path) -> None:
    (block,) = filter(is_test_module, blocks("python"))
    module = tmp_path / "test_cut.py"
    module.write_text(block.code, "utf-8")
    done = run("pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(module), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: shlex.join(command.arguments))
def test_the_commands_end_as_shown(command: Command, tmp_path: Path) -> None:
    folder = ROOT
    if "requests.jsonl" in command.arguments:  # the reader's own file
        folder = tmp_path
        request = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"input": "Tell me a haiku."}}
        (folder / "requests.jsonl").write_text(json.dumps(request) + "\n", "utf-8")
    done = run("eugpt_fast", *command.arguments, cwd=folder)
    assert done.returncode == command.status, done.stdout
    lines = done.stdout.splitlines()
    assert lines
    for shown in command.output:
        assert shown in lines


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#:]+)\)", README.read_text("utf-8")))
def test_links_into_the_repository_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


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
