"""How a stream ends, fails and is left early, beside the untouched SDK."""

from __future__ import annotations

import asyncio
import gc
import gzip
from typing import Any

import openai
import pytest
from conftest import every_cut
from eugpt_fast.compat.openai import accelerate
from openai.types.beta import AssistantStreamEvent
from openai_sdk import (
    DELTA,
    DONE,
    END,
    HTTP,
    MODES,
    Body,
    Steps,
    chat,
    check_same,
    client_of,
    read,
    responses,
    run,
    sse,
    stream_of,
    told,
)  # fmt: skip

pytestmark = pytest.mark.parametrize("mode", MODES)


def test_the_mark_at_the_end_ends_the_stream_wherever_it_is_cut(mode: str) -> None:
    body = b"".join(sse(DELTA, DONE, DELTA, DELTA))
    for chunks in every_cut(body[-150:]):
        check_same([body[:-150], *chunks], responses, mode)
    for mark in (b"data: [DONE] and more\n\n", b"data:[DONE]\n\n", b"event: done\ndata: [DONE]\n\n"):
        assert len(check_same(sse(DELTA, mark, DELTA), responses, mode)) == 1


def test_no_more_is_read_behind_the_mark_than_the_sdk_reads(mode: str) -> None:
    reads = []
    for fast in (False, True):
        body = Body(sse(DELTA, DONE, DELTA, DELTA))
        client = client_of(body, mode)
        read(accelerate(client) if fast else client)
        assert body.closed
        reads.append(body.reads)
    assert reads[0] == reads[1]


def test_a_chunk_is_read_when_the_events_before_it_are_taken(mode: str) -> None:
    body = Body(sse(DELTA, DELTA, DELTA))

    async def program(steps: Steps) -> None:
        for number in (1, 2, 3):
            await steps.next()
            assert body.reads == number
        assert await steps.next() is END
        assert body.closed

    run(accelerate(client_of(body, mode)), program)


@pytest.mark.parametrize("leave", ["close", "context", "drop"])
def test_leaving_early_closes_the_response(mode: str, leave: str) -> None:
    body = Body(sse(DELTA, DELTA, DELTA))

    async def program(steps: Steps) -> None:
        await steps.next()
        if leave == "close":
            await steps.close()
        elif leave == "context" and steps.is_async:
            async with steps.stream:
                pass
        elif leave == "context":
            with steps.stream:
                pass
        else:
            del steps.stream
            gc.collect()
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    run(accelerate(client_of(body, mode)), program)
    assert body.closed
    assert body.reads == 1


def test_after_break_the_next_loop_goes_on(mode: str) -> None:
    async def program(steps: Steps) -> None:
        first = await steps.next()
        assert len(await steps.all()) == 2
        assert await steps.all() == []
        assert first.delta == "te"
        assert isinstance(steps.stream.response, HTTP.Response)
        assert steps.stream.response.is_closed

    run(accelerate(client_of(sse(DELTA, DELTA, DELTA), mode)), program)


def test_a_response_that_was_read_already_is_iterated_all_the_same(mode: str) -> None:
    async def program(steps: Steps) -> Any:
        response = steps.stream.response
        await response.aread() if steps.is_async else response.read()
        return [told(event) for event in await steps.all()]

    assert len(run(accelerate(client_of(sse(DELTA, DELTA), mode)), program)) == 2


ERRORS: list[Any] = [
    {"error": {"message": "no", "code": "c", "type": "t", "param": "p"}},
    {"error": {"message": ""}},
    {"error": "text"},
    {"error": 7, "type": DELTA["type"]},
    {"error": None, "type": DELTA["type"]},
    {"error": {}, **DELTA},
    {"type": "error", "code": "flat", "message": "m", "param": None, "sequence_number": 3},
    {"type": "error", "error": {"code": "nested", "message": "m"}, "sequence_number": 3},
]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("name", [b"", b"event: error\n", b"event: thread.run.failed\n", b"event: thread.message\n"])
def test_events_with_errors_raise_what_they_raise_today(mode: str, name: bytes, error: Any) -> None:
    block = name + sse(error)[0]
    for call in (responses, chat, stream_of(dict[str, object])):
        check_same(sse(DELTA, block, DELTA, block), call, mode)


@pytest.mark.parametrize("data", [b"{oops", b"", b"{} {}", b'{"a":', b"[DONE", b"1" * 5000, b"[" * 200_000])
def test_data_that_is_not_json_raises_what_it_raises_today(mode: str, data: bytes) -> None:
    log = check_same(sse(DELTA, b"data: %b\n\n" % data, DELTA), responses, mode)
    assert len(log) == 2
    assert log[1][0] == "raised"


def test_assistants_events_are_named_by_their_block(mode: str) -> None:
    named = [b"event: %b\n%b" % (name, sse(DELTA)[0]) for name in (b"thread.created", b"thread.run.step.delta", b"x")]
    check_same(named, stream_of(AssistantStreamEvent), mode)
    check_same(named, stream_of(dict[str, object]), mode)
    check_same(named, lambda client: client.beta.threads.runs.create("t", assistant_id="a", stream=True), mode)


class BrokenPipe(Exception):
    """Not one of the transport's own."""


@pytest.mark.parametrize("kind", [HTTP.ReadError, HTTP.ReadTimeout, HTTP.RemoteProtocolError, BrokenPipe, OSError])
def test_failures_of_the_transport_raise_what_they_raise_today(mode: str, kind: Any) -> None:
    logs = []
    for fast in (False, True):
        body = Body([*sse(DELTA, DELTA), b"data: {"], kind("gone"))
        client = client_of(body, mode)
        logs.append(read(accelerate(client) if fast else client))
        assert body.closed or not fast  # the oldest SDKs leave it open
    assert logs[0] == logs[1]
    assert len(logs[0]) == 3


def test_cancelling_the_task_closes_the_response(mode: str) -> None:
    if mode == "sync":
        pytest.skip("there is no task")

    class Stuck(Body):
        async def __aiter__(self) -> Any:
            yield self.chunks[0]
            await asyncio.sleep(60)

    body = Stuck(sse(DELTA))

    async def main() -> None:
        stream = await responses(accelerate(client_of(body, mode)))
        await stream.__anext__()
        task = asyncio.ensure_future(stream.__anext__())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert body.closed


def test_a_compressed_body_is_decompressed(mode: str) -> None:
    packed = gzip.compress(b"".join(sse(*[DELTA] * 50)))
    log = check_same([packed[:20], packed[20:]], responses, mode, headers={"content-encoding": "gzip"})
    assert len(log) == 50


def test_a_client_that_validates_strictly_still_does(mode: str) -> None:
    full = {**DELTA, "item_id": "i", "output_index": 0, "content_index": 0, "logprobs": []}
    log = check_same(sse(full, DELTA, full), responses, mode, _strict_response_validation=True)
    assert [entry[0] for entry in log][1:] == ["raised"]
    assert log[1][1] is openai.APIResponseValidationError
