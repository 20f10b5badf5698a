"""What the pages take from the environment."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from eugpt_fast.testing import ReplayServer, openai_stream

STREAM = openai_stream(20)


@pytest.fixture(autouse=True)
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ReplayServer]:
    """An address and a key, and a folder with the reader's own file of requests."""
    request = {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"input": "Tell me a haiku."}}
    (tmp_path / "requests.jsonl").write_text(json.dumps(request) + "\n", "utf-8")
    with ReplayServer(STREAM.body) as server:
        for name in ("EUGPT", "OPENAI"):
            monkeypatch.setenv(f"{name}_API_KEY", "sk-of-the-pages")
            monkeypatch.setenv(f"{name}_BASE_URL", server.url + "/v1")
        monkeypatch.chdir(tmp_path)
        yield server
