"""``Worker``: batches of rows in, batches of rows out, whoever calls it."""

from __future__ import annotations

import asyncio
import json
import pickle
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from eugpt_fast.batch import BadKey, Worker
from eugpt_fast.batch.in_memory import completing
from eugpt_fast.errors import MissingApiKey

from .echo import KEY, EchoServer

Making = Callable[..., Worker]


@pytest.fixture
def server() -> Iterator[EchoServer]:
    with EchoServer() as server:
        yield server


@pytest.fixture
def making(server: EchoServer) -> Iterator[Making]:
    """Makes workers that ask the server, and closes them."""
    made = []

    def make(**options: Any) -> Worker:
        made.append(Worker(**{"base_url": server.url, "api_key": KEY, **options}))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


def row(said: Any, custom_id: Any = None, **columns: Any) -> dict[str, Any]:
    body = json.dumps({"model": "m", "input": said})
    return {"custom_id": f"id of {said}" if custom_id is None else custom_id, "body": body, **columns}


def columns(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: [each[name] for each in rows] for name in rows[0]}


def test_every_row_comes_out_in_its_place_with_its_own_answer(making: Making) -> None:
    rows = [row(f"question {number}") for number in range(200)]
    results = making()(rows)
    assert [result["custom_id"] for result in results] == [each["custom_id"] for each in rows]
    for number, result in enumerate(results):
        assert result["text"] == f"question {number}"
        assert json.loads(result["body"])["output"][0]["content"][0]["text"] == f"question {number}"
        assert (result["verdict"], result["status_code"], result["attempts"]) == ("completed", 200, 1)
        assert (result["error_code"], result["error_message"], result["output_tokens"]) == (None, None, 2)
        assert 0 < result["time_to_first_text_s"] <= result["duration_s"]


def test_a_dict_of_columns_gives_a_dict_of_the_columns_of_the_schema(making: Making) -> None:
    results = making()(columns([row("a"), row("b")]))
    assert list(results) == [column.split()[0] for column in Worker.SCHEMA.split(", ")]
    assert results["text"] == ["a", "b"]


@pytest.mark.parametrize("kind", [list, columns], ids=["list", "dict"])
def test_an_empty_batch_gives_an_empty_one(making: Making, kind: Any) -> None:
    batch: Any = [] if kind is list else {"custom_id": [], "body": []}
    results = making()(batch)
    assert results == [] if kind is list else all(values == [] for values in results.values())


def test_a_refusal_is_a_row_and_the_rows_around_it_are_answered(making: Making, server: EchoServer) -> None:
    before, refused, after = making()([row("a"), row("refuse 400"), row("b")])
    assert (before["text"], after["text"]) == ("a", "b")
    assert refused["custom_id"] == "id of refuse 400"
    assert (refused["verdict"], refused["status_code"], refused["body"]) == ("refused", 400, None)
    assert (refused["error_code"], refused["error_message"]) == ("code_400", "no: 400")
    assert server.asked.count("refuse 400") == 1


def test_what_fails_for_a_moment_is_repeated_and_what_fails_always_is_a_row(making: Making) -> None:
    flaky, dead = making(attempts=2)([row("flaky"), row("die")])
    assert (flaky["text"], flaky["attempts"]) == ("flaky", 2)
    assert (dead["verdict"], dead["error_code"], dead["attempts"]) == ("unreachable", "unreachable", 2)


BAD = {
    "no custom_id": ({"body": "{}"}, None, "custom_id is missing"),
    "null": (row("a", custom_id=float("nan")), None, "custom_id is missing"),
    "a number": (row("a", custom_id=7), "7", "custom_id is not a string"),
    "another url": (row("a", url="/v1/embeddings"), "id of a", "url is neither"),
    "another method": (row("a", method="GET"), "id of a", "method is not POST"),
    "no body": ({"custom_id": "x"}, "x", "body is not a JSON object"),
    "body of a list": ({"custom_id": "x", "body": "[1]"}, "x", "body is not a JSON object"),
    "torn body": ({"custom_id": "x", "body": '{"input":'}, "x", "not JSON"),
    "body that ends the row": ({"custom_id": "x", "body": '{}, "custom_id": "y"'}, "x", "not JSON"),
    "body of objects": ({"custom_id": "x", "body": {"input": object()}}, "x", "not JSON"),
    "half a character": ({"custom_id": "\ud800", "body": "{}"}, "\ufffd", "not JSON"),
    "no row": ("text", None, "not a row"),
}


@pytest.mark.parametrize(("bad", "custom_id", "reason"), BAD.values(), ids=BAD)
def test_a_row_that_is_no_request_is_an_error_row(
    making: Making, server: EchoServer, bad: Any, custom_id: str | None, reason: str
) -> None:
    good, result = making()([row("good"), bad])
    assert good["text"] == "good"
    assert (result["custom_id"], result["verdict"], result["error_code"]) == (custom_id, "invalid", "invalid_line")
    assert reason in result["error_message"]
    assert result["status_code"] is result["body"] is result["duration_s"] is None
    assert server.asked == ["good"]


def test_a_body_may_be_an_object_and_the_url_a_column(making: Making, server: EchoServer) -> None:
    rows = [
        {"custom_id": "a", "body": {"input": "object"}, "url": None, "method": float("nan"), "other": object()},
        {"custom_id": "b", "body": b'{\n"input": "bytes"\n}', "url": "/v1/responses", "method": "POST"},
    ]
    assert [result["text"] for result in cast("list[dict[str, Any]]", making()(rows))] == ["object", "bytes"]


def test_what_no_column_can_hold_is_replaced(making: Making) -> None:
    [result] = making()([row("half")])
    assert result["text"] == "half \ufffd"
    assert json.loads(result["body"])["output"][0]["content"][0]["text"] == "half \ud83d"
    "".join(str(value) for value in result.values()).encode()


def test_a_worker_is_pickled_without_its_connections(making: Making) -> None:
    worker = making()
    assert worker([row("a")])[0]["text"] == "a"
    copy = pickle.loads(pickle.dumps(worker))
    try:
        assert copy([row("b")])[0]["text"] == "b"
    finally:
        copy.close()


def test_a_worker_that_is_closed_works_again(making: Making) -> None:
    worker = making()
    for said in "ab":
        assert worker([row(said)])[0]["text"] == said
        worker.close()
        worker.close()


def test_batches_are_completed_as_they_are_asked_for(making: Making, server: EchoServer) -> None:
    results = making().batches(iter([[row("a")], [row("b")]]))
    assert server.asked == []
    assert next(results)[0]["text"] == "a"
    assert server.asked == ["a"]
    assert [result["text"] for batch in results for result in batch] == ["b"]


def test_it_can_be_called_where_an_event_loop_runs(making: Making) -> None:
    async def main() -> Any:
        return making()([row("a")])

    assert asyncio.run(main())[0]["text"] == "a"


def test_limits_are_divided_over_the_workers() -> None:
    worker = Worker(workers=4, concurrency=9, max_concurrency=8, rpm=10, tpm=1000, max_total_tokens=401, attempts=3)
    options = worker._options
    assert (options.concurrency, options.max_concurrency, options.attempts) == (2, 2, 3)
    assert (options.rpm, options.tpm, options.max_total_tokens) == (2.5, 250, 100)
    with pytest.raises(ValueError, match="concurrency is 3: too little for 4 workers"):
        Worker(workers=4, concurrency=3)
    with pytest.raises(ValueError, match="workers must be positive"):
        Worker(workers=0)
    with pytest.raises(TypeError, match="unheard_of"):
        Worker(unheard_of=1)


def test_no_more_requests_are_open_than_the_part_of_a_worker() -> None:
    with EchoServer(delay=0.02) as server:
        worker = Worker(workers=2, concurrency=6, base_url=server.url, api_key=KEY)
        try:
            worker([row(f"{number}") for number in range(30)])
        finally:
            worker.close()
        assert server.most == 3


def test_a_limit_holds_over_the_batches_of_a_worker(making: Making) -> None:
    worker = making(max_total_tokens=5)  # an answer has 3
    rows = [worker([row(f"{number}")])[0] for number in range(4)]
    assert [each["verdict"] == "completed" for each in rows] == [True, True, False, False]


def test_an_outage_ends_its_batch_and_not_the_worker(making: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eugpt_fast.batch.stop._OUTAGE", 0.0)
    worker = making(attempts=1, concurrency=20)
    dead = worker([row(f"die {number}") for number in range(20)])
    assert {each["verdict"] for each in dead} <= {"unreachable", "expired"}
    assert "stopping" in {each["error_code"] for each in dead}
    assert [each["text"] for each in worker([row("a"), row("b")])] == ["a", "b"]


def test_a_bad_key_raises_and_is_not_shown(making: Making, server: EchoServer, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = making(api_key="wrong-key")
    with pytest.raises(BadKey) as error:
        worker([row("a")])
    assert "wrong-key" not in str(error.value) + repr(worker) + repr(worker._options)
    monkeypatch.delenv("EUGPT_API_KEY", raising=False)
    with pytest.raises(MissingApiKey):
        making(api_key=None)([row("a")])
    monkeypatch.setenv("EUGPT_API_KEY", KEY)
    assert making(api_key=None)([row("a")])[0]["text"] == "a"


def test_connections_are_used_again_by_the_next_batch(making: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def counted(options: Any) -> Any:
        opened.append(options)
        return completing(options)

    monkeypatch.setattr("eugpt_fast.batch.worker.completing", counted)
    worker = making()
    for said in "abc":
        worker([row(said)])
    assert len(opened) == 1
