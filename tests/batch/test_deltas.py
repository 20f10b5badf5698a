"""Deltas of every shape that servers send, merged."""

from __future__ import annotations

import random
from typing import Any

import pytest
from eugpt_fast.batch.deltas import merge, settled


def merged(*deltas: dict[str, Any]) -> Any:
    whole: dict[str, Any] = {}
    for delta in deltas:
        merge(whole, delta)
    return settled(whole)


@pytest.mark.parametrize(
    ("deltas", "whole"),
    [
        pytest.param([{"content": "Hel"}, {"content": "lo"}], {"content": "Hello"}, id="strings are joined"),
        pytest.param([{"content": "ha"}, {"content": "ha"}], {"content": "haha"}, id="also equal ones"),
        pytest.param([{"role": "assistant"}, {"role": "assistant"}], {"role": "assistant"}, id="a role is none"),
        pytest.param([{"id": "a"}, {"id": ""}], {"id": "a"}, id="an empty name overwrites nothing"),
        pytest.param([{"name": "get"}, {"name": "_it"}], {"name": "get_it"}, id="a name may come in pieces"),
        pytest.param([{"name": "get"}, {"name": "get"}], {"name": "get"}, id="a name may come again"),
        pytest.param([{"content": "Hi"}, {"content": None}], {"content": "Hi"}, id="null overwrites nothing"),
        pytest.param([{"content": None}, {"content": "Hi"}], {"content": "Hi"}, id="null is overwritten"),
        pytest.param([{"refusal": None}], {"refusal": None}, id="null stays"),
        pytest.param([{"n": 1}, {"n": 2}], {"n": 2}, id="the last number counts"),
        pytest.param([{"a": {"b": "x"}}, {"a": {"b": "y", "c": 1}}], {"a": {"b": "xy", "c": 1}}, id="objects"),
        pytest.param([{"l": [{"u": "a"}]}, {"l": [{"u": "b"}]}], {"l": [{"u": "a"}, {"u": "b"}]}, id="lists grow"),
        pytest.param([{"l": [1]}, {"l": [2]}], {"l": [1, 2]}, id="lists of numbers grow"),
        pytest.param([{"l": "text"}, {"l": {"a": 1}}, {"l": [1]}], {"l": [1]}, id="the last type counts"),
        pytest.param(
            [
                {"l": [{"index": 1, "s": "b"}, {"index": 0, "s": "a"}, {"index": 1, "s": "c"}]},
                {"l": [{"index": 0, "s": "d"}]},
            ],
            {"l": [{"index": 1, "s": "bc"}, {"index": 0, "s": "ad"}]},
            id="entries of one index are one",
        ),
    ],
)  # fmt: skip
def test_merging(deltas: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    assert merged(*deltas) == whole


def test_deltas_are_left_as_they_were() -> None:
    first = {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}], "audio": {"data": "a"}}
    copy = settled(first)
    merged(first, {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}], "audio": {"data": "b"}})
    assert first == copy


def test_parallel_calls_are_whole_however_their_pieces_are_mixed() -> None:
    dice = random.Random(7)
    calls = {index: "".join(dice.choices("{}ab\u2028", k=50)) for index in range(8)}
    pieces = [(index, at) for index in calls for at in range(50)]
    dice.shuffle(pieces)
    pieces.sort(key=lambda piece: piece[1])  # in the order of each call, the calls mixed
    deltas = [{"calls": [{"index": index, "arguments": calls[index][at]}]} for index, at in pieces]
    assert {call["index"]: call["arguments"] for call in merged(*deltas)["calls"]} == calls
