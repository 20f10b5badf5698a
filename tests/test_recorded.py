"""Every recorded stream gives the events that ``json.loads`` gives on its data lines, under any cut."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import feed_all, outcome_of, random_cuts
from eugpt_fast.errors import EventDecodeError, EventTruncated

HERE = Path(__file__).parent
SHARED = HERE.parent.parent / "shared" / "streams"  # beside the checkout on the machines of the project; else absent
RECORDINGS = sorted([*(HERE / "data").glob("*.sse"), *SHARED.glob("recorded/*.sse")])


def data_of(body: str) -> tuple[list[str], str | None]:
    """The data of every event, and the data left open at the end: the rules again, on the whole text at once."""
    *blocks, rest = re.split(r"(?<=\n)\n", re.sub(r"\r\n?", "\n", body))
    found = [re.findall(r"^data(?:: ?|$)(.*)$", block, re.MULTILINE) for block in [*blocks, rest]]
    joined = ["\n".join(lines) if lines else None for lines in found]
    return [data for data in joined[:-1] if data is not None], joined[-1]


def expected_of(body: bytes) -> list[tuple[str, ...]]:
    complete, left = data_of(body.decode("utf-8", "replace"))
    log: list[tuple[str, ...]] = []
    for data in complete:
        if data.strip() == "[DONE]":
            continue
        try:
            log.append(("event", repr(json.loads(data))))
        except json.JSONDecodeError as error:
            log.append(outcome_of(EventDecodeError(error.msg, error.doc, error.pos)))
    return log if left is None else [*log, outcome_of(EventTruncated(left))]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


def test_recordings_are_events_of_json_loads_under_random_cuts(backend: ModuleType, recording: Path) -> None:
    body = recording.read_bytes()
    expected = expected_of(body)
    assert feed_all(backend.Parser(), [body]) == expected
    assert feed_all(backend.ResponseParser(), [body]) == expected
    for chunks in random_cuts(body, recording.name):
        assert feed_all(backend.Parser(), chunks) == expected


def test_recordings_cut_off_anywhere_are_the_events_before_the_cut(backend: ModuleType, recording: Path) -> None:
    body = recording.read_bytes()
    for at in range(0, len(body), max(1, len(body) // 40)):
        assert feed_all(backend.Parser(), [body[: at // 2], body[at // 2 : at]]) == expected_of(body[:at])


def test_other_line_ends_and_a_bom_change_no_event(backend: ModuleType, recording: Path) -> None:
    body = recording.read_bytes()
    expected = expected_of(body)
    for end in (b"\r\n", b"\r"):
        other = b"\xef\xbb\xbf" + body.replace(b"\n", end)
        for chunks in ([other], next(random_cuts(other, recording.name))):
            assert feed_all(backend.Parser(), chunks) == expected


def test_skimming_a_recording_keeps_the_same_account(backend: ModuleType, recording: Path) -> None:
    body = recording.read_bytes()
    events = [json.loads(data) for data in data_of(body.decode())[0] if is_json(data)]
    fed, skimmed = backend.ResponseParser(), backend.ResponseParser()
    feed_all(fed, [body])
    log = feed_all(skimmed, [body[:-7], body[-7:]], "skim")
    terminal = [event for event in events if kind_of(event) in TERMINAL]
    assert [entry for entry in log if entry[0] == "event"] == [("event", repr(event)) for event in terminal]
    for parser in (fed, skimmed):
        deltas = [event["delta"] for event in events if kind_of(event) == "response.output_text.delta"]
        assert parser.text == "".join(deltas)
        assert parser.has_text == bool(parser.text)
        assert parser.events == len(events)
        assert parser.terminal == (terminal[-1] if terminal else None)
        numbers = [event["sequence_number"] for event in events if "sequence_number" in event]
        assert parser.last_sequence_number == max(numbers, default=None)
        assert (parser.gaps, parser.repeats, parser.reorders) == sequence_faults(numbers)
        ids = [event["response"]["id"] for event in events if (event.get("response") or {}).get("id")]
        assert parser.response_id == (ids[-1] if ids else None)


TERMINAL = {"response.completed", "response.incomplete", "response.failed", "response.cancelled", "error"}


def kind_of(event: dict[str, Any]) -> Any:
    return event.get("type")


def is_json(data: str) -> bool:
    try:
        json.loads(data)
    except json.JSONDecodeError:
        return False
    return True


def sequence_faults(numbers: list[int]) -> tuple[int, int, int]:
    gaps = repeats = reorders = 0
    highest = None
    for number in numbers:
        if highest is not None:
            gaps += number > highest + 1
            repeats += number == highest
            reorders += number < highest
        highest = number if highest is None else max(highest, number)
    return gaps, repeats, reorders


def test_the_oracle_of_this_file_sees_the_events_that_were_recorded() -> None:
    counts = {path.stem: len(expected_of(path.read_bytes())) for path in RECORDINGS if path.parent.name == "data"}
    assert counts == {"bad_model": 0, "chat_list_input": 77, "server_killed": 48, "text_60": 18, "text_long": 1243}


def test_the_shared_recordings_have_the_events_that_their_index_counts() -> None:
    index = SHARED / "recorded" / "index.json"
    if not index.exists():
        pytest.skip("the shared recordings are not here")
    for entry in json.loads(index.read_text()):
        complete, left = data_of((index.parent / entry["file"]).read_text())
        assert left is None
        assert len(complete) == entry["events"], entry["file"]
