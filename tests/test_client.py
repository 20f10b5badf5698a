"""``stream``, ``astream``, ``collect``, ``acollect`` against a server that misbehaves."""

import asyncio
import json
import time
import traceback
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import anyio
import eugpt_fast
import httpx
import httpx2
import pytest
from eugpt_fast import Verdict, errors
from eugpt_fast._client.calls import HttpCall
from eugpt_fast._client.retries import Retries, retry_after
from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream

asyncio_sleep = asyncio.sleep  # the fixture below replaces what it can reach
KEY = "sk-very-secret-123"
STREAM = openai_stream(20)
CUT_BEFORE_EVENTS = Reply(STREAM.body, fault=Fault.BROKEN_CHUNK, after_events=0)
CUT_HALF_WAY = Reply(STREAM.body, fault=Fault.BROKEN_CHUNK)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A key, and no waiting: how long is tested by itself."""
    monkeypatch.setenv("EUGPT_API_KEY", KEY)
    monkeypatch.delenv("EUGPT_BASE_URL", raising=False)
    slept: list[float] = []

    async def asleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(anyio, "sleep", asleep)
    return slept


def sync_events(url: str, **options: Any) -> list[Any]:
    with eugpt_fast.stream("Hi", base_url=url, **options) as stream:
        return list(stream)


def async_events(url: str, **options: Any) -> list[Any]:
    async def run() -> list[Any]:
        async with eugpt_fast.astream("Hi", base_url=url, **options) as stream:
            return [event async for event in stream]

    return asyncio.run(run())


def sync_collect(url: str, **options: Any) -> list[Any]:
    return [eugpt_fast.collect("Hi", base_url=url, **options)]


def async_collect(url: str, **options: Any) -> list[Any]:
    return [asyncio.run(eugpt_fast.acollect("Hi", base_url=url, **options))]


ITERATING = [sync_events, async_events]
COLLECTING = [sync_collect, async_collect]
every_way = pytest.mark.parametrize("call", ITERATING + COLLECTING, ids=lambda call: call.__name__)
iterating = pytest.mark.parametrize("call", ITERATING, ids=lambda call: call.__name__)
collecting = pytest.mark.parametrize("call", COLLECTING, ids=lambda call: call.__name__)


@every_way
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
def test_a_call_posts_to_v1_responses(call: Any, suffix: Any) -> None:
    with ReplayServer(STREAM.body) as server:
        assert call(server.url + suffix, model="m", temperature=0.5)
        (request,) = server.requests
    assert (request.method, request.path) == ("POST", "/v1/responses")
    assert json.loads(request.body) == {"input": "Hi", "stream": True, "model": "m", "temperature": 0.5}
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["content-type"] == "application/json"


@every_way
def test_the_address_is_read_from_the_environment(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with ReplayServer(STREAM.body) as server:
        monkeypatch.setenv("EUGPT_BASE_URL", server.url)
        assert call(None)


def test_collecting_gives_text_response_usage_and_verdict() -> None:
    with ReplayServer(STREAM.body) as server:
        (collected,) = sync_collect(server.url)
    assert collected.text == STREAM.text
    assert collected.verdict is Verdict.COMPLETED
    assert collected.usage == collected.response["usage"]


@every_way
@pytest.mark.parametrize("value", ["", "  "])
def test_a_missing_key_is_told_before_anything_is_sent(call: Any, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EUGPT_API_KEY", value)
    with ReplayServer(STREAM.body) as server:
        with pytest.raises(errors.MissingApiKey, match="EUGPT_API_KEY"):
            call(server.url)
        assert server.connections == 0


@every_way
@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refusal_raises_with_the_words_of_the_api_and_is_not_repeated(call: Any, status: Any) -> None:
    with ReplayServer(Reply.error(status, message="what the API says")) as server:
        with pytest.raises(httpx.HTTPStatusError, match="what the API says") as caught:
            call(server.url)
        assert caught.value.response.status_code == status
        assert len(server.requests) == 1


@every_way
@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_a_passing_refusal_is_repeated(call: Any, status: Any, environment: Any) -> None:
    with ReplayServer([Reply.error(status), Reply.error(status), STREAM.body]) as server:
        assert call(server.url)
        assert len(server.requests) == 3
    assert len(environment) == 2
    assert 0.25 <= environment[0] <= 0.5 <= environment[1] <= 1.0


@every_way
def test_a_lasting_refusal_is_raised_in_the_end(call: Any) -> None:
    with ReplayServer(Reply.error(503, message="down")) as server:
        with pytest.raises(httpx.HTTPStatusError, match="down"):
            call(server.url, max_retries=1)
        assert len(server.requests) == 2


@every_way
def test_retry_after_is_honoured_in_seconds_and_as_a_date(call: Any, environment: Any) -> None:
    date = datetime.now(timezone.utc) + timedelta(seconds=20)
    with ReplayServer([Reply.error(429, retry_after=7), Reply.error(503, retry_after=date), STREAM.body]) as server:
        assert call(server.url)
    assert environment[0] == 7
    assert 15 < environment[1] <= 20


@every_way
def test_a_server_that_asks_for_an_hour_is_not_waited_for(call: Any, environment: Any) -> None:
    with (
        ReplayServer([Reply.error(429, retry_after=3600), STREAM.body]) as server,
        pytest.raises(httpx.HTTPStatusError),
    ):
        call(server.url)
    assert environment == []


@every_way
def test_a_connection_that_fails_is_tried_again_and_raised_in_the_end(call: Any, environment: Any) -> None:
    with ReplayServer(STREAM.body) as server:
        url = server.url
    with pytest.raises(httpx.ConnectError):
        call(url)
    assert len(environment) == 2


@every_way
def test_a_stream_cut_before_its_first_event_is_repeated(call: Any) -> None:
    with ReplayServer([CUT_BEFORE_EVENTS, CUT_BEFORE_EVENTS, STREAM.body]) as server:
        assert call(server.url)
        assert len(server.requests) == 3


@iterating
def test_a_stream_cut_after_events_were_delivered_is_never_repeated(call: Any) -> None:
    with ReplayServer([CUT_HALF_WAY, STREAM.body]) as server:
        with pytest.raises(errors.StreamInterrupted) as caught:
            call(server.url)
        assert len(server.requests) == 1
    assert caught.value.text
    assert caught.value.text in STREAM.text


@collecting
def test_a_cut_stream_is_repeated_when_collecting_and_leaves_no_trace(call: Any) -> None:
    with ReplayServer([CUT_HALF_WAY, Reply.error(500), STREAM.body]) as server:
        (collected,) = call(server.url)
        assert len(server.requests) == 3
    assert collected.text == STREAM.text
    assert collected.metrics.events == STREAM.events
    assert collected.metrics.repeats == 0


@collecting
def test_a_stream_that_is_always_cut_is_interrupted_in_the_end(call: Any) -> None:
    with ReplayServer(CUT_HALF_WAY) as server:
        with pytest.raises(errors.StreamInterrupted):
            call(server.url, max_retries=1)
        assert len(server.requests) == 2


@every_way
def test_what_the_response_says_is_final(call: Any) -> None:
    with ReplayServer(Reply(STREAM.body, fault=Fault.FAILED)) as server:
        with pytest.raises(errors.ResponseFailed):
            call(server.url)
        assert len(server.requests) == 1


@every_way
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_that_is_passed_is_used_and_left_open(call: Any, library: Any) -> None:
    with ReplayServer([Reply.error(400, message="no"), STREAM.body]) as server:
        if call in (sync_events, sync_collect):
            with library.Client(timeout=10) as client:
                with pytest.raises(library.HTTPStatusError, match="no"):
                    call(server.url, client=client)
                assert call(server.url, client=client)
                assert not client.is_closed
        else:

            async def run() -> None:
                async with library.AsyncClient(timeout=10) as client:
                    with pytest.raises(library.HTTPStatusError, match="no"):
                        await eugpt_fast.acollect("Hi", base_url=server.url, client=client)
                    assert await eugpt_fast.acollect("Hi", base_url=server.url, client=client)
                    assert not client.is_closed

            asyncio.run(run())
        assert server.connections == 1


def test_an_astream_can_be_awaited_and_iterated_without_a_block() -> None:
    async def run() -> None:
        stream = await eugpt_fast.astream("Hi", base_url=server.url)
        assert len(server.requests) == 1
        assert len([event async for event in stream]) == STREAM.events
        assert len([event async for event in eugpt_fast.astream("Hi", base_url=server.url)]) == STREAM.events

    with ReplayServer(STREAM.body) as server:
        asyncio.run(run())


@every_way
@pytest.mark.parametrize(
    "replies",
    [
        Reply.error(401, message=f"Incorrect API key provided: {KEY}"),
        CUT_HALF_WAY,
        Reply(STREAM.body, fault=Fault.RESET),
        Reply.html(200),
        Reply(STREAM.body, fault=Fault.ERROR_FLAT),
        Reply(f'data: {{"type":"error","message":"Incorrect key {KEY}","code":"{KEY}"}}\n\n'.encode()),
        Reply(f'{{"error":"Incorrect key {KEY}"}}'.encode(), headers={"content-type": "application/json"}),
    ],
)
def test_the_key_shows_in_no_error(call: Any, replies: Any) -> None:
    with ReplayServer(replies) as server, pytest.raises(Exception) as caught:  # noqa: PT011
        call(server.url, max_retries=0)
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert KEY not in repr(caught.value)


def test_the_key_shows_in_no_repr() -> None:
    with ReplayServer(STREAM.body) as server:
        stream = eugpt_fast.stream("Hi", base_url=server.url)
        assert KEY not in repr(stream)
        assert KEY not in repr(cast(HttpCall, stream._call)._request)
        stream.close()


@every_way
@pytest.mark.parametrize("key", [f"{KEY}\r\nx: y", f"{KEY}é"])
def test_a_key_that_no_header_can_hold_is_refused_without_showing_it(call: Any, key: Any) -> None:
    with pytest.raises(ValueError, match="header") as caught:
        call("http://127.0.0.1:9", api_key=key)
    assert KEY not in "".join(traceback.format_exception(caught.value))


def test_white_space_around_a_key_is_dropped() -> None:
    with ReplayServer(STREAM.body) as server:
        eugpt_fast.collect("Hi", base_url=server.url, api_key=f" {KEY}\n")
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("", None), ("3", 3), ("0.5", 0.5), ("-1", 0), ("soon", None), ("nan", None), ("inf", None)],
)
def test_retry_after_reads_what_is_a_time_and_nothing_else(value: Any, seconds: Any) -> None:
    assert retry_after(value) == seconds


def test_a_date_in_the_past_asks_for_no_wait() -> None:
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


def test_the_delay_doubles_up_to_a_cap() -> None:
    retries = Retries(20)
    delays = [retries.after_failure() for _ in range(20)]
    assert all(0.5 * min(8, 0.5 * 2**n) <= delay <= min(8, 0.5 * 2**n) for n, delay in enumerate(delays))
    assert retries.after_failure() is None


def test_a_negative_budget_is_refused() -> None:
    with pytest.raises(ValueError, match="max_retries"):
        eugpt_fast.stream("Hi", max_retries=-1)


@every_way
def test_a_refusal_whose_body_breaks_off_is_still_that_refusal(call: Any) -> None:
    reply = Reply(b'{"error":', status=401, headers={"content-type": "application/json"}, fault=Fault.BROKEN_CHUNK)
    with ReplayServer(reply) as server:
        with pytest.raises(httpx.HTTPStatusError) as caught:
            call(server.url)
        assert caught.value.response.status_code == 401
        assert len(server.requests) == 1


@every_way
def test_a_refusal_is_told_in_bounds(call: Any) -> None:
    with (
        ReplayServer(Reply.error(400, message="x" * 3_000_000)) as server,
        pytest.raises(httpx.HTTPStatusError) as caught,
    ):
        call(server.url)
    assert len(str(caught.value)) < 3000
    assert len(caught.value.response.content) <= 65536


def test_the_response_of_a_refusal_can_be_read() -> None:
    with ReplayServer(Reply.error(400, message="no")) as server, pytest.raises(httpx.HTTPStatusError) as caught:
        eugpt_fast.stream("Hi", base_url=server.url)
    assert caught.value.response.json()["error"]["message"] == "no"


@pytest.mark.parametrize("client", [httpx.AsyncClient(), object()])
def test_a_client_of_the_wrong_kind_is_refused(client: Any) -> None:
    with pytest.raises(TypeError, match="Client"):
        eugpt_fast.stream("Hi", client=client)


@pytest.mark.parametrize("client", [httpx.Client(), object()])
def test_an_async_client_of_the_wrong_kind_is_refused(client: Any) -> None:
    with pytest.raises(TypeError, match="AsyncClient"):
        eugpt_fast.astream("Hi", client=client)


@every_way
def test_a_base_url_that_is_none_is_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="base URL"):
        call("http://exa\nmple")


def test_a_closed_astream_sends_nothing() -> None:
    async def run() -> None:
        stream = eugpt_fast.astream("Hi", base_url=server.url)
        await stream.aclose()
        with pytest.raises(errors.StreamClosed):
            await stream
        assert server.requests == []

    with ReplayServer(STREAM.body) as server:
        asyncio.run(run())


def test_closing_an_astream_while_it_opens_frees_its_connection() -> None:
    async def run() -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            stream = eugpt_fast.astream("Hi", base_url=server.url, client=client)
            opening = asyncio.create_task(anext(stream))
            while not server.connections:
                await asyncio_sleep(0)
            await stream.aclose()
            with pytest.raises(errors.StreamClosed):
                await opening
            for _ in range(500):
                if server.open_connections == 0:
                    break
                await asyncio_sleep(0.01)
            assert server.open_connections == 0

    with ReplayServer(Reply(STREAM.body, fault=Fault.STALL, after_events=1)) as server:
        asyncio.run(run())
