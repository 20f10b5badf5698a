"""The API pages name every public name, and the examples in the docstrings run."""

import ast
import asyncio
import doctest
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import eugpt_fast
import httpx
import pytest

from .pages import ROOT

PUBLIC = [
    "eugpt_fast",
    "eugpt_fast.errors",
    "eugpt_fast.events",
    "eugpt_fast.batch",
    "eugpt_fast.compat.httpx_sse",
    "eugpt_fast.compat.openai",
    "eugpt_fast.testing",
]
SKIPPED = 2
"""Lines of docstrings that need Ray or Spark."""


def named_on_the_pages() -> set[str]:
    lines = (line for page in (ROOT / "docs" / "api").glob("*.md") for line in page.read_text("utf-8").splitlines())
    return {line.removeprefix("::: ") for line in lines if line.startswith("::: ")}


def what(path: str) -> Any:
    """What a dotted name stands for, if this build has it."""
    module, _, name = path.rpartition(".")
    if path in PUBLIC or name == "chunking":
        return import_module(path)
    return getattr(import_module(module), name, None)


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_on_an_api_page(module: str) -> None:
    shown: list[Any] = []
    for path in named_on_the_pages():
        entry = what(path)
        shown.append(entry)
        if isinstance(entry, ModuleType) and path != "eugpt_fast.testing":  # which is shown without its members
            shown.extend(vars(entry).values())
    for name in import_module(module).__all__:
        value = what(f"{module}.{name}")
        known = value is None or f"{module}.{name}" in PUBLIC
        assert known or any(value is each for each in shown), name


def docstrings() -> Iterator[tuple[str, str]]:
    """Name and text of each docstring of the package that has an example, those of the stub too."""
    package = ROOT / "python" / "eugpt_fast"
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.pyi")]):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                if ">>>" in text:
                    yield f"{path.relative_to(package)}:{getattr(node, 'name', '')}", text


EXAMPLES = dict(docstrings())


class Lenient(doctest.OutputChecker):
    """What an example shows must be true; it need not show all that is printed."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return not want or super().check_output(want, got, optionflags)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_of_the_docstrings_run(name: str, tmp_path: Path) -> None:
    names = {
        "asyncio": asyncio,
        "eugpt_fast": eugpt_fast,
        "EventStream": eugpt_fast.EventStream,
        "Parser": eugpt_fast.Parser,
        "httpx": httpx,
        "url": os.environ["EUGPT_BASE_URL"] + "/responses",
        "body": {"input": "Hi", "stream": True},
        "cast": cast,
        "parser": eugpt_fast.Parser(),
        "data": b'data: {"object":"chat.completion.chunk","choices":[]}\n\n',
        "event": {"type": "response.output_text.delta", "delta": "Hi"},
    }
    test = doctest.DocTestParser().get_doctest(EXAMPLES[name], names, name, None, None)
    report: list[str] = []
    result = doctest.DocTestRunner(Lenient(), verbose=False).run(test, out=report.append)
    assert result.failed == 0, "".join(report)


def test_the_docstrings_have_examples_and_those_not_run_are_counted() -> None:
    assert len(EXAMPLES) >= 6
    parsed = [example for text in EXAMPLES.values() for example in doctest.DocTestParser().get_examples(text)]
    assert sum(doctest.SKIP in example.options for example in parsed) == SKIPPED
