"""Type checkers narrow an event by its ``type`` and tell mistakes: their own verdict on the two files of ``typed/``."""

from __future__ import annotations

from pathlib import Path

import pytest
from type_checkers import TYPE_CHECKERS, TypeChecker

TYPED = Path(__file__).parent / "typed"


@pytest.mark.parametrize("told", TYPE_CHECKERS)
def test_the_type_of_an_event_narrows_it(told: TypeChecker) -> None:
    assert told(TYPED / "narrowing.py") == {}


@pytest.mark.parametrize("told", TYPE_CHECKERS)
def test_every_mistake_is_told_and_nothing_else(told: TypeChecker) -> None:
    file = TYPED / "mistakes.py"
    lines = file.read_text("utf-8").splitlines()
    assert set(told(file)) == {number for number, line in enumerate(lines, 1) if "# mistake" in line}
