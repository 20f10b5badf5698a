"""The pages keep their word: every Python block runs, every command ends as shown, every link leads somewhere."""

import asyncio
import contextlib
import doctest
import json
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import eugpt_fast
import httpx
import pytest
from eugpt_fast.testing import Fault, ReplayServer, Reply, damage
from type_checkers import TYPE_CHECKERS, TypeChecker

from .conftest import STREAM
from .pages import PAGES, ROOT, Block, Command, all_blocks, blocks, commands, links, name_of, pages_with, run

NEEDED = {"Ray": 1, "Spark": 2}
"""What blocks that are not run here need, and how many do. `make test-cluster` has both."""
LEFT_TO_READERS = {"pip", "export"}
"""Commands that reach for the network, or into the reader's own shell."""

_TRANSPORT = re.compile(r"eugpt_fast\.\w*Transport\(")
_SHOWN = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)

COMMANDS = [command for block in blocks("console") for command in commands(block)]
OURS = [command for command in COMMANDS if command.arguments[0] == "eugpt-fast"]
MODULES = [block for block in blocks("python") if block.is_test_module]

each_page_with_python = pytest.mark.parametrize("page", pages_with("python"), ids=name_of)


def page_called(name: str) -> Path:
    return ROOT / "docs" / f"{name}.md"


def run_python(page: Path, capsys: pytest.CaptureFixture[str] | None = None) -> dict[str, Any]:
    """Runs the Python blocks of a page, one after the other; returns the names that they leave.

    With ``capsys``, what a block prints must be what it shows behind its ``print``.
    """
    found = blocks("python", [page])
    if not hasattr(eugpt_fast, "Transport") and any(_TRANSPORT.search(block.code) for block in found):
        pytest.skip("needs the native transport")
    names: dict[str, Any] = {"__name__": page.stem}
    for block in found:
        code = block.compiled()
        if block.needs or block.is_test_module:
            continue
        exec(code, names)
        printed = capsys.readouterr().out.splitlines() if capsys else []
        for shown in _SHOWN.findall(block.code) if capsys else []:
            assert shown in printed
    return names


def test_the_pages_have_blocks_of_every_kind() -> None:
    found = Counter(block.language for block in all_blocks())
    assert found["python"] >= 30
    assert found["pycon"] >= 3
    assert found.keys() <= {"", "console", "diff", "json", "pycon", "python", "sh"}, "a language that no test looks at"
    assert len(MODULES) == 1
    assert {command.arguments[1] for command in OURS} >= {"demo", "stream", "batch", "parse", "bench"}


def test_what_is_not_run_is_known_and_counted() -> None:
    assert Counter(block.needs for block in all_blocks() if block.needs) == NEEDED
    others = {command.arguments[0] for command in COMMANDS} - {"eugpt-fast"}
    assert others == LEFT_TO_READERS


@each_page_with_python
def test_the_python_blocks_run_in_order(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_python(page, capsys)


@pytest.mark.parametrize("told", TYPE_CHECKERS)
def test_the_python_blocks_of_the_readme_are_typed(told: TypeChecker, tmp_path: Path) -> None:
    readme = ROOT / "README.md"
    lines = [""] * readme.read_text("utf-8").count("\n")
    for block in blocks("python", [readme]):
        code = block.code.splitlines()
        lines[block.lines_before : block.lines_before + len(code)] = code  # each where the README has it
    file = tmp_path / "examples.py"
    file.write_text("\n".join(lines), "utf-8")
    assert told(file) == {}


def test_the_readme_asks_the_api_as_often_as_it_says(api: ReplayServer) -> None:
    run_python(ROOT / "README.md")
    assert len(api.requests) == 3


def test_the_guides_loop_and_ours_give_the_same_events() -> None:
    names = run_python(page_called("GUIDE-LOOP"))
    before: list[Any] = []
    after: list[Any] = []
    names["before"](before.append)
    names["after"](after.append)
    assert before == after
    assert len(after) == STREAM.events


def test_the_relays_pass_on_every_byte(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_python(page_called("RELAYS"))
    assert names["received"] == [STREAM.body]
    printed = capsys.readouterr().out.splitlines()
    assert f"completed {STREAM.events} {len(STREAM.body)}" in printed
    assert "relayed: completed" in printed


@pytest.mark.parametrize(
    ("reply", "sent", "ended"),
    [
        (Reply(STREAM.body), STREAM.body, True),
        (Reply(STREAM.body, fault=Fault.NO_TERMINAL), damage(STREAM.body, Fault.NO_TERMINAL), False),
        (Reply.error(429), Reply.error(429).body, True),
    ],
    ids=["whole", "cut", "refused"],
)
def test_the_asgi_relay_ends_its_answer_unless_the_stream_was_cut(reply: Reply, sent: bytes, ended: bool) -> None:
    names = run_python(page_called("RELAYS"))
    start, *body = asyncio.run(messages_of(names, reply))
    assert start["status"] == reply.status
    assert b"".join(message["body"] for message in body) == sent
    assert body[-1]["more_body"] is not ended


async def messages_of(names: dict[str, Any], reply: Reply) -> list[dict[str, Any]]:
    """What the relay of the page sends its server when the API gives this reply."""
    messages: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        messages.append(message)

    async with ReplayServer(reply) as server, httpx.AsyncClient() as upstream:
        names.update(url=server.url, upstream=upstream)
        await names["relay"]({}, None, send)
    return messages


@pytest.mark.parametrize("page", pages_with("pycon"), ids=name_of)
def test_the_sessions_of_the_interpreter_are_true(page: Path) -> None:
    names: dict[str, Any] = {}
    for block in blocks("pycon", [page]):
        session = doctest.DocTestParser().get_doctest(block.code, names, page.name, str(page), block.lines_before)
        report: list[str] = []
        result = doctest.DocTestRunner(verbose=False).run(session, out=report.append, clear_globs=False)
        assert result.attempted > 0
        assert result.failed == 0, "".join(report)
        names = session.globs


@pytest.mark.parametrize("block", MODULES, ids=lambda block: name_of(block.page))
def test_the_test_modules_pass(block: Block, tmp_path: Path) -> None:
    module = tmp_path / "test_cut.py"
    module.write_text(block.code, "utf-8")
    done = run("pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(module), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("command", OURS, ids=lambda command: shlex.join(command.arguments[1:]))
def test_the_commands_end_as_shown(command: Command, tmp_path: Path) -> None:
    folder = tmp_path if "requests.jsonl" in command.arguments else ROOT
    done = run("eugpt_fast", *command.arguments[1:], cwd=folder)
    assert done.returncode == command.status, done.stdout
    lines = done.stdout.splitlines()
    assert lines
    for shown in command.output:
        assert shown in lines


def test_the_jobs_of_make_exist() -> None:
    shown = {target for block in blocks("sh") for target in re.findall(r"^make ([\w-]+)", block.code, re.MULTILINE)}
    jobs = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert shown
    assert shown <= jobs


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: f"{name_of(block.page)}-{block.lines_before}")
def test_what_is_shown_as_json_is_json(block: Block) -> None:
    with contextlib.suppress(json.JSONDecodeError):
        json.loads(block.code)
        return
    for line in block.code.splitlines():  # JSON lines
        json.loads(line)


@pytest.mark.parametrize("block", blocks("diff"), ids=lambda block: name_of(block.page))
def test_the_imports_of_a_diff_work_before_and_after(block: Block) -> None:
    imports = re.findall(r"^[+-]((?:from|import) .+)$", block.code, re.MULTILINE)
    assert imports
    for line in imports:
        exec(line, {})


@pytest.mark.parametrize(("page", "target"), links(), ids=lambda part: name_of(part) if part in PAGES else str(part))
def test_links_into_the_repository_lead_somewhere(page: Path, target: str) -> None:
    assert (page.parent / target).exists()
