"""Lines of the output."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eugpt_fast.batch.lines import InvalidLine, Line
from eugpt_fast.batch.outcome import Outcome
from eugpt_fast.batch.results import error_line, success_line

LINE = Line(3, "mine", "/v1/responses", {})


def success(body: dict[str, Any], **more: Any) -> dict[str, Any]:
    outcome = Outcome("completed", status_code=200, request_id="req_1", body=body, **more)
    written = success_line(LINE, outcome)
    assert written.endswith(b"\n")
    assert written.count(b"\n") == 1
    entry = json.loads(written)
    assert isinstance(entry, dict)
    return entry


def test_a_result() -> None:
    usage = {"output_tokens": 30, "total_tokens": 40}
    entry = success({"id": "r"}, usage=usage, attempts=2, time_to_first_text=0.5, duration=1.5)
    assert entry.pop("id").startswith("batch_req_")
    assert entry == {
        "custom_id": "mine",
        "response": {"status_code": 200, "request_id": "req_1", "body": {"id": "r"}},
        "error": None,
        "eugpt_fast": {
            "line": 3,
            "verdict": "completed",
            "attempts": 2,
            "time_to_first_text_s": 0.5,
            "duration_s": 1.5,
            "output_tokens_per_s": 20.0,
        },
    }


def test_what_is_not_known_is_null() -> None:
    told = success({})["eugpt_fast"]
    assert told["time_to_first_text_s"] is None
    assert told["output_tokens_per_s"] is None


def test_an_error() -> None:
    outcome = Outcome("interrupted", status_code=200, error=("interrupted", "cut"), text="half", attempts=5)
    entry = json.loads(error_line(LINE, outcome))
    assert entry["custom_id"] == "mine"
    assert entry["response"] == {"status_code": 200, "request_id": None, "body": None}
    assert entry["error"] == {"code": "interrupted", "message": "cut"}
    assert entry["eugpt_fast"]["partial_text"] == "half"
    assert entry["eugpt_fast"]["attempts"] == 5


def test_without_any_answer_there_is_no_response() -> None:
    assert json.loads(error_line(LINE, Outcome("unreachable", error=("unreachable", "no"))))["response"] is None


def test_an_error_that_nothing_is_known_of_still_says_something() -> None:
    error = json.loads(error_line(LINE, Outcome("cancelled")))["error"]
    assert error == {"code": "cancelled", "message": "the request ended as cancelled"}


def test_an_invalid_line() -> None:
    entry = json.loads(error_line(InvalidLine(9, None, "not JSON")))
    assert entry["custom_id"] is None
    assert entry["response"] is None
    assert entry["error"] == {"code": "invalid_line", "message": "not JSON"}
    assert entry["eugpt_fast"] == {"line": 9, "verdict": "invalid", "attempts": 0}


def test_a_request_without_an_outcome_is_a_mistake() -> None:
    with pytest.raises(TypeError):
        error_line(LINE)


def test_ids_are_stable_and_differ() -> None:
    outcome = Outcome("failed")
    other = Line(4, "other", LINE.url, {})
    duplicate = InvalidLine(5, "mine", "twice")
    ids = [json.loads(error_line(line, outcome))["id"] for line in (LINE, other)]
    ids.append(json.loads(error_line(duplicate))["id"])
    assert len(set(ids)) == 3
    assert success({})["id"] == ids[0]


@pytest.mark.parametrize("value", [2**80, "\ud83d", "\ud83d\ude00", "a\nb\u2028"])
def test_whatever_an_answer_holds_is_written(value: object) -> None:
    written = success({"value": value})["response"]["body"]["value"]
    assert written == ("😀" if value == "\ud83d\ude00" else value)
