"""The same requests on a real local Ray and on a real local Spark: `make test-cluster`."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from batch.echo import KEY, EchoServer
from eugpt_fast.batch import Worker

from .programs import EXAMPLES, needs, rows_from, run

ENGINES = [
    pytest.param("ray", marks=needs("ray")),
    pytest.param("spark", marks=needs("pyspark")),
]
on_each = pytest.mark.parametrize("engine", ENGINES)


def row(said: str) -> dict[str, Any]:
    return {"custom_id": f"id of {said}", "body": json.dumps({"model": "m", "input": said})}


@on_each
def test_every_row_comes_out_once_with_its_own_answer_or_error(engine: str) -> None:
    said = [f"question {number} \u2028 🙂" for number in range(400)]
    troubled = ["refuse 400", "flaky", "die", "half"]
    invalid = [{"custom_id": "torn", "body": "{"}, {"custom_id": None, "body": "{}"}]
    rows = [*map(row, said), *map(row, troubled), *invalid]
    with EchoServer(delay=0.01) as server:
        found = rows_from(f"on_{engine}.py", server.url, KEY, rows)
        assert server.most <= 8
    assert len(found) == len(rows)
    results = {result["custom_id"]: result for result in found}
    assert set(results) == {each["custom_id"] for each in rows}
    assert all(list(result) == [column.split()[0] for column in Worker.SCHEMA.split(", ")] for result in found)
    for each in said:
        result = results[f"id of {each}"]
        assert (result["text"], result["verdict"], result["attempts"]) == (each, "completed", 1)
        assert json.loads(result["body"])["output"][0]["content"][0]["text"] == each
        assert (result["status_code"], result["error_code"]) == (200, None)
    told = {name: (results[name]["error_code"], results[name]["attempts"]) for name in ("torn", None)}
    assert told == {"torn": ("invalid_line", 0), None: ("invalid_line", 0)}
    told = {each: (results[f"id of {each}"]["error_code"], results[f"id of {each}"]["attempts"]) for each in troubled}
    assert told == {"refuse 400": ("code_400", 1), "flaky": (None, 2), "die": ("unreachable", 2), "half": (None, 1)}
    assert results["id of half"]["text"] == "half \ufffd"
    asked = server.asked
    assert all(asked.count(each) == 1 for each in [*said, "refuse 400", "half"])


@on_each
def test_the_example_runs(engine: str) -> None:
    printed = run(EXAMPLES / f"batch_{engine}.py").splitlines()
    assert "501 rows, 501 different ones" in printed
    assert "verdicts: {'completed': 500, 'invalid': 1}" in [_ordered(line) for line in printed]
    assert any(line.startswith("errors: {'torn': ") for line in printed)


@pytest.mark.parametrize("engine", ENGINES[:1])
def test_an_actor_that_dies_costs_no_row_and_no_more_than_its_requests_again(engine: str, tmp_path: Path) -> None:
    rows = [row(f"question {number}") for number in range(200)]
    with EchoServer() as server:
        found = rows_from(f"on_{engine}.py", server.url, KEY, rows, str(tmp_path / "died"))
    assert (tmp_path / "died").exists()
    assert sorted(result["custom_id"] for result in found) == sorted(each["custom_id"] for each in rows)
    assert {result["verdict"] for result in found} == {"completed"}
    counts = Counter(server.asked)
    assert set(counts) == {f"question {number}" for number in range(200)}
    assert 2 in counts.values()


def _ordered(line: str) -> str:
    return line.replace("{'invalid': 1, 'completed': 500}", "{'completed': 500, 'invalid': 1}")
