"""Inputs, outcomes and ledgers for the tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eugpt_fast.batch.ledger import Ledger
from eugpt_fast.batch.lines import Line
from eugpt_fast.batch.outcome import Outcome


def request_line(custom_id: Any = "a", **changed: Any) -> bytes:
    """A line of an input; a value of None leaves the key out."""
    entry = {"custom_id": custom_id, "method": "POST", "url": "/v1/responses", "body": {"input": "hi"}, **changed}
    return json.dumps({name: value for name, value in entry.items() if value is not None}).encode() + b"\n"


def write_input(path: Path, count: int) -> Path:
    path.write_bytes(b"".join(request_line(f"r{number}") for number in range(1, count + 1)))
    return path


def outcome_of(line: Line, size: int = 10) -> Outcome:
    """Every seventh request fails."""
    if line.number % 7 == 0:
        return Outcome("failed", status_code=200, error=("server_error", "no"), text="x" * size)
    return Outcome("completed", status_code=200, body={"id": f"resp_{line.number}", "text": "ö" * size}, duration=1.0)


def open_ledger(directory: Path, input: Path | None, *, options: str = "o", restart: bool = False) -> Ledger:
    return Ledger.open(input, directory / "out.jsonl", directory / "bad.jsonl", options, restart=restart)


def entries(path: Path) -> list[dict[str, Any]]:
    """The lines of an output file, all of which must be whole."""
    whole = path.read_bytes()
    assert not whole or whole.endswith(b"\n")
    return [json.loads(line) for line in whole.split(b"\n")[:-1]]


def recorded(directory: Path) -> list[str]:
    """The custom_ids of both output files."""
    return [entry["custom_id"] for name in ("out.jsonl", "bad.jsonl") for entry in entries(directory / name)]


async def record_all(ledger: Ledger, limit: int | None = None) -> None:
    """Records the first ``limit`` pending requests."""
    for done, line in enumerate(ledger.pending()):
        if done == limit:
            break
        ledger.record(line, outcome_of(line))
    await ledger.flush()
