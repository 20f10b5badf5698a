"""With ``verdict=True`` a stream of Responses events says how it ended, in the SDK's exceptions and ours at once."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from typing import Any, cast

import openai
import pytest
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.errors import EventTruncated, ResponseError, StreamInterrupted
from openai import APIConnectionError, APIError, APITimeoutError
from openai_sdk import DELTA, DONE, HTTP, MODES, Body, Steps, chat, client_of, read, responses, run, sse

COMPLETED = {"type": "response.completed", "response": {"id": "r", "status": "completed"}, "sequence_number": 9}
CREATED = {"type": "response.created", "response": {"id": "r", "status": "in_progress"}, "sequence_number": 0}
FLAT = {"type": "error", "code": "server_error", "message": "it broke", "param": "p", "sequence_number": 2}
NESTED = {"type": "error", "error": {"code": "c", "message": "nested", "param": None}, "sequence_number": 2}

pytestmark = pytest.mark.parametrize("mode", MODES)


def ending(body: Body | list[bytes], mode: str, call: Any = responses) -> tuple[list[Any], Exception | None]:
    """The events of a stream with a verdict, and what it raised."""

    async def program(steps: Steps) -> tuple[list[Any], Exception | None]:
        events: list[Any] = []
        try:
            if steps.is_async:
                async for event in steps.stream:
                    events.append(event)
            else:
                for event in steps.stream:
                    events.append(event)
        except Exception as error:
            return events, error
        return events, None

    found: tuple[list[Any], Exception | None] = run(accelerate(client_of(body, mode), verdict=True), program, call)
    return found


@pytest.mark.parametrize("end", [[], [DONE], [b"data: {"]], ids=["clean", "done", "inside an event"])
def test_a_stream_without_a_terminal_event_is_interrupted(mode: str, end: list[bytes]) -> None:
    body = Body([*sse(CREATED, DELTA), *end])
    events, error = ending(body, mode)
    assert [event.type for event in events] == ["response.created", DELTA["type"]]
    assert isinstance(error, StreamInterrupted)
    assert isinstance(error, APIConnectionError)
    assert not isinstance(error, APITimeoutError)
    assert "without a terminal event" in str(error) == error.message
    assert (error.verdict, error.retryable, error.text) == ("interrupted", True, "te")
    assert (error.last_sequence_number, error.response_id) == (1, "r")
    assert error.inside_event == (end == [b"data: {"]) == isinstance(error.__cause__, EventTruncated)
    assert str(error.request.url) == "http://test/v1/responses"
    assert body.closed


@pytest.mark.parametrize("end", [[], sse(FLAT)], ids=["cut", "error"])
def test_the_errors_can_be_copied_and_sent_to_other_processes(mode: str, end: list[bytes]) -> None:
    _, error = ending(Body([*sse(CREATED, DELTA), *end]), mode)
    assert error is not None
    for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(again), str(again), repr(again)) == (type(error), str(error), repr(error))
        for name in ("verdict", "retryable", "text", "response_id", "message", "body"):
            assert getattr(again, name) == getattr(error, name), name
        assert cast(Any, again).request.url == cast(Any, error).request.url


def test_a_failure_of_the_transport_is_an_interruption_with_its_cause(mode: str) -> None:
    events, error = ending(Body(sse(DELTA), HTTP.ReadError("gone")), mode)
    assert len(events) == 1
    assert isinstance(error, StreamInterrupted)
    assert isinstance(error, APIConnectionError)
    assert isinstance(error.__cause__, HTTP.ReadError)
    assert "gone" in str(error)


def test_a_timeout_of_the_transport_is_also_the_timeout_of_the_sdk(mode: str) -> None:
    failure = HTTP.ReadTimeout("slow")
    untouched = read(client_of(Body(sse(DELTA), failure), mode))
    _, error = ending(Body(sse(DELTA), failure), mode)
    assert isinstance(error, StreamInterrupted)
    assert isinstance(error, APIConnectionError)
    if untouched[-1][1] is APITimeoutError:  # SDK 2 passes on the error of its transport
        assert isinstance(error, APITimeoutError)


def test_a_failure_behind_the_terminal_event_changes_nothing(mode: str) -> None:
    events, error = ending(Body(sse(DELTA, COMPLETED), HTTP.ReadError("gone")), mode)
    assert len(events) == 2
    assert error is None


@pytest.mark.parametrize("end", [COMPLETED, COMPLETED | {"type": "response.incomplete"}], ids=lambda end: end["type"])
def test_a_good_end_is_quiet(mode: str, end: dict[str, Any]) -> None:
    assert ending(sse(DELTA, end), mode)[1] is None
    assert ending(sse(DELTA, end, DONE), mode)[1] is None


@pytest.mark.parametrize("kind", ["response.failed", "response.cancelled"])
def test_a_failed_response_is_left_to_the_program(mode: str, kind: str) -> None:
    events, error = ending(sse(DELTA, {**COMPLETED, "type": kind}), mode)
    assert (events[-1].type, error) == (kind, None)


def test_a_flat_error_event_raises_behind_itself(mode: str) -> None:
    events, error = ending(sse(DELTA, FLAT), mode)
    assert type(events[-1]) is openai.types.responses.ResponseErrorEvent
    assert isinstance(error, ResponseError)
    assert isinstance(error, APIError)
    assert not isinstance(error, APIConnectionError)
    assert (error.code, error.message, error.param) == ("server_error", "it broke", "p")
    assert (str(error), error.body, error.type) == ("it broke", FLAT, "error")
    assert (error.verdict, error.retryable, error.text, error.last_sequence_number) == ("error", True, "te", 2)


def test_a_flat_error_event_without_words_raises_too(mode: str) -> None:
    _, error = ending(sse({"type": "error"}), mode)
    assert isinstance(error, ResponseError)
    assert isinstance(error, APIError)
    assert error.message == str(error) == "the stream ended with an error event"
    assert error.code is None


def test_a_nested_error_event_raises_what_the_sdk_raises(mode: str) -> None:
    events, error = ending(sse(DELTA, NESTED), mode)
    assert len(events) == 1
    assert type(error) is APIError
    assert (error.code, error.message) == ("c", "nested")


def test_data_that_is_not_json_raises_what_the_sdk_raises(mode: str) -> None:
    events, error = ending([sse(DELTA)[0] + b"data: {oops\n\n" + sse(COMPLETED)[0]], mode)
    assert len(events) == 1
    assert type(error) is json.JSONDecodeError


def test_a_stream_that_is_left_has_no_verdict(mode: str) -> None:
    body = Body(sse(DELTA, DELTA))

    async def program(steps: Steps) -> None:
        await steps.next()
        await steps.close()

    run(accelerate(client_of(body, mode), verdict=True), program)
    assert body.closed


def test_chat_streams_have_no_verdict(mode: str) -> None:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    assert ending(sse(chunk), mode, chat)[1] is None


def test_without_the_option_all_ends_are_as_they_are_today(mode: str) -> None:
    for events in ([DELTA], [DELTA, FLAT], [DELTA, NESTED]):
        assert read(accelerate(client_of(sse(*events), mode))) == read(client_of(sse(*events), mode))


def test_the_last_word_on_the_option_counts_and_copies_keep_it(mode: str) -> None:
    client = client_of(sse(DELTA), mode)
    assert read(accelerate(client, verdict=True).copy())[-1][0] == "raised"
    assert read(accelerate(client).with_options(timeout=3))[-1][0] != "raised"


def test_the_accumulating_helper_raises_the_verdict(mode: str) -> None:
    client = accelerate(client_of(sse(CREATED), mode), verdict=True)

    async def main() -> None:
        if mode == "sync":
            with client.responses.stream(model="m", input="Hi") as stream:
                stream.get_final_response()
        else:
            async with client.responses.stream(model="m", input="Hi") as stream:
                await stream.get_final_response()

    with pytest.raises(StreamInterrupted) as caught:
        asyncio.run(main())
    assert isinstance(caught.value, APIConnectionError)
