"""The code on the page about the SDK runs, in order, and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path

import openai
import pytest
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream

PAGE = Path(__file__).parents[2] / "docs" / "COMPAT-OPENAI.md"
STREAM = lean_stream(20)


def test_the_blocks_of_the_page_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    with ReplayServer([STREAM.body, Reply(STREAM.body, fault=Fault.NO_TERMINAL, after_events=5)]) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        printed = []
        for block in blocks:
            exec(compile(block, str(PAGE), "exec"), names)
            printed.append(capsys.readouterr().out)
        client = names["client"]
        assert isinstance(client, openai.OpenAI)
        client.close()
    assert "".join(printed[1]) in STREAM.text
    assert len(printed[1]) > 20
    assert printed[3].splitlines()[-1].startswith("True 4 ")
    assert len(printed[3].splitlines()) == 6
