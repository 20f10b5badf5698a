"""The run, against a server with faults."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from eugpt_fast import batch, errors
from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream

BODY = openai_stream(12).body
GOOD = Reply(BODY)
JSON = {"content-type": "application/json"}
CHAT = b"".join(
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":%s}]}\n\n'
    % delta
    for delta in (b'{"role":"assistant","content":"Hel"}', b'{"content":"lo"}', b'{},"finish_reason":"stop"')
)
CHAT += b"data: [DONE]\n\n"


def refusal(status: int, **headers: str) -> Reply:
    said = b'{"error":{"code":"c%d","message":"no, %s"}}' % (status, b"secret-key")
    return Reply(said, status=status, headers={**JSON, "x-request-id": "req_1", **headers})


def requests(path: Path, count: int, url: str = "/v1/responses") -> Path:
    lines = (
        {"custom_id": f"r{n}", "method": "POST", "url": url, "body": {"model": "m", "input": "x"}} for n in range(count)
    )
    return written(path / "in.jsonl", map(json.dumps, lines))


def written(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def go(path: Path, input: Path | str, server: ReplayServer, **options: Any) -> batch.Summary:
    options = {"base_url": server.url, "api_key": "secret-key", **options}
    return batch.run(input, path / "out.jsonl", options=batch.Options(**options))


def results(path: Path, name: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / name).read_text().splitlines()]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eugpt_fast.batch.completion._FIRST_DELAY", 0.001)


def test_every_request_gets_one_result(tmp_path: Path) -> None:
    with ReplayServer(GOOD) as server:
        summary = go(tmp_path, requests(tmp_path, 50), server)
    assert (summary.done, summary.failed, summary.pending, summary.stopped) == (50, 0, 0, None)
    lines = results(tmp_path)
    assert sorted(line["custom_id"] for line in lines) == sorted(f"r{n}" for n in range(50))
    body = lines[0]["response"]["body"]
    assert body["status"] == "completed"
    assert body["output"]
    assert lines[0]["error"] is None


def test_chat_completions_are_put_together(tmp_path: Path) -> None:
    with ReplayServer(Reply(CHAT)) as server:
        go(tmp_path, requests(tmp_path, 1, "/v1/chat/completions"), server)
        assert [request.path for request in server.requests] == ["/v1/chat/completions"]
    [line] = results(tmp_path)
    body = line["response"]["body"]
    assert (body["object"], body["choices"][0]["message"]["content"]) == ("chat.completion", "Hello")


def test_an_answer_that_is_no_stream_is_taken_as_it_is(tmp_path: Path) -> None:
    with ReplayServer(Reply(b'{"object":"response","usage":{"total_tokens":7}}', headers=JSON)) as server:
        go(tmp_path, requests(tmp_path, 1), server)
    assert results(tmp_path)[0]["response"]["body"] == {"object": "response", "usage": {"total_tokens": 7}}


@pytest.mark.parametrize(
    "fault",
    [
        Reply(BODY, fault=Fault.RESET),
        Reply(BODY, fault=Fault.NO_TERMINAL),
        Reply(BODY, fault=Fault.CUT_IN_EVENT),
        Reply(BODY, fault=Fault.BROKEN_CHUNK),
        Reply(BODY, fault=Fault.ERROR_FLAT),
        Reply(b"data: {oops\n\n" + BODY),
        refusal(429, **{"retry-after": "0"}),
        refusal(500),
    ],
    ids=lambda reply: str(reply.fault or reply.status),
)
def test_what_may_pass_is_repeated(fault: Reply, tmp_path: Path) -> None:
    with ReplayServer([fault, fault, GOOD]) as server:
        summary = go(tmp_path, requests(tmp_path, 1), server)
        assert len(server.requests) == 3
    assert summary.done == 1
    assert summary.stats.retries.total() == 2


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_what_will_not_pass_is_not_repeated(status: int, tmp_path: Path) -> None:
    with ReplayServer(refusal(status)) as server:
        summary = go(tmp_path, requests(tmp_path, 2), server)
        assert len(server.requests) == 2
    assert (summary.done, summary.failed) == (0, 2)
    [first, _] = results(tmp_path, "out.errors.jsonl")
    assert first["error"]["code"] == f"c{status}"
    body = {"error": {"code": f"c{status}", "message": "no, [api key]"}}
    assert first["response"] == {"status_code": status, "request_id": "req_1", "body": body}
    assert "secret-key" not in (tmp_path / "out.errors.jsonl").read_text()


def test_attempts_end(tmp_path: Path) -> None:
    with ReplayServer(Reply(BODY, fault=Fault.NO_TERMINAL)) as server:
        summary = go(tmp_path, requests(tmp_path, 1), server, attempts=3)
        assert len(server.requests) == 3
    assert summary.failed == 1
    [line] = results(tmp_path, "out.errors.jsonl")
    assert line["eugpt_fast"]["attempts"] == 3
    assert line["eugpt_fast"]["verdict"] == "interrupted"
    assert line["eugpt_fast"]["partial_text"]


def test_a_deadline_ends_a_silent_stream(tmp_path: Path) -> None:
    with ReplayServer(Reply(BODY, fault=Fault.STALL)) as server:
        summary = go(tmp_path, requests(tmp_path, 1), server, deadline=0.3)
    assert summary.failed == 1
    [line] = results(tmp_path, "out.errors.jsonl")
    assert line["eugpt_fast"]["verdict"] == "expired"
    assert line["response"]["status_code"] == 200
    assert line["eugpt_fast"]["partial_text"], "what had come of it"
    assert 0 < line["eugpt_fast"]["time_to_first_text_s"] < 0.3 <= line["eugpt_fast"]["duration_s"]


def test_a_deadline_holds_for_all_attempts_together(tmp_path: Path) -> None:
    with ReplayServer(refusal(503, **{"retry-after": "0.1"})) as server:
        go(tmp_path, requests(tmp_path, 1), server, deadline=0.5, attempts=7)
    [line] = results(tmp_path, "out.errors.jsonl")
    assert line["eugpt_fast"]["verdict"] in ("refused", "expired")
    assert line["eugpt_fast"]["attempts"] <= 5


def test_a_rate_that_holds_requests_back_teaches_nothing_about_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eugpt_fast.batch.limits._FIRST", 2.0)
    with ReplayServer(Reply(BODY, pace=0.005)) as server:  # the second waits for its turn when the first has its answer
        summary = go(tmp_path, requests(tmp_path, 2), server, rpm=60)
    assert summary.stats.concurrency == 2


def test_a_deadline_does_not_count_waiting_for_a_turn(tmp_path: Path) -> None:
    with ReplayServer(GOOD) as server:
        summary = go(tmp_path, requests(tmp_path, 25), server, rpm=1200, deadline=0.2)  # 20 at once, the last in 0.25 s
    assert (summary.done, summary.failed) == (25, 0)


def test_a_key_that_is_refused_later_leaves_the_rest(tmp_path: Path) -> None:
    path = requests(tmp_path, 60)
    with ReplayServer([*[GOOD] * 20, refusal(401)]) as server:
        first = go(tmp_path, path, server, concurrency=1)
    assert (first.done, first.failed, first.pending) == (20, 9, 31)
    assert first.stopped == "the API refuses the key: no, [api key]"
    with ReplayServer(GOOD, port=int(server.url.rpartition(":")[2])) as server:
        assert go(tmp_path, path, server).done == 51


def test_a_key_that_is_refused_at_the_start_stops_all(tmp_path: Path) -> None:
    with ReplayServer(refusal(401)) as server, pytest.raises(batch.BadKey) as caught:
        go(tmp_path, requests(tmp_path, 100), server)
    assert "secret-key" not in str(caught.value)
    with ReplayServer(GOOD) as server:
        assert go(tmp_path, tmp_path / "in.jsonl", server).done == 100  # nothing was recorded: all are still to do
    assert results(tmp_path, "out.errors.jsonl") == []


def test_lines_that_are_no_requests_refuse_the_run_or_become_errors(tmp_path: Path) -> None:
    good = json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/responses", "body": {}})
    bad = good.replace('"a"', '"b"').replace("POST", "GET")
    path = written(tmp_path / "in.jsonl", [good, bad, "{", good])
    with ReplayServer(GOOD) as server:
        with pytest.raises(batch.InvalidInput) as caught:
            go(tmp_path, path, server)
        assert [line.number for line in caught.value.lines] == [2, 3, 4]
        assert server.requests == []
        summary = go(tmp_path, path, server, skip_invalid=True)
    assert (summary.done, summary.invalid) == (1, 3)
    assert len(results(tmp_path, "out.errors.jsonl")) == 3


def test_a_budget_of_tokens_ends_the_run_and_the_rest_is_left(tmp_path: Path) -> None:
    with ReplayServer(GOOD) as server:
        path = requests(tmp_path, 30)
        first = go(tmp_path, path, server, max_total_tokens=1, concurrency=1)
        assert first.pending
        assert first.stopped
        second = go(tmp_path, path, server)
    assert (second.done, second.pending) == (30, 0)
    assert len(results(tmp_path)) == 30


def test_what_is_in_flight_when_the_budget_is_used_up_is_paid_for_and_finishes(tmp_path: Path) -> None:
    replies = [GOOD, Reply(BODY, pace=0.02)]
    with ReplayServer(replies) as server:
        first = go(tmp_path, requests(tmp_path, 30), server, max_total_tokens=1, concurrency=2, grace=0)
    assert first.done == len(server.requests) < 30


def test_an_outage_ends_the_run_and_makes_no_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eugpt_fast.batch.stop._OUTAGE", 0.2)
    path = requests(tmp_path, 40)
    with ReplayServer(GOOD) as server:
        pass
    first = go(tmp_path, path, server)
    assert (first.done, first.failed, first.pending) == (0, 0, 40)
    assert "no answer" in str(first.stopped)
    with ReplayServer(GOOD, port=int(server.url.rpartition(":")[2])) as server:
        assert go(tmp_path, path, server).done == 40


def test_usage_of_chat_completions_is_asked_for_unless_the_request_says(tmp_path: Path) -> None:
    said = {"input": "x", "stream_options": {"include_usage": False}}
    lines = [
        {"custom_id": str(n), "method": "POST", "url": "/v1/chat/completions", "body": body}
        for n, body in enumerate([{"input": "x"}, said])
    ]
    path = written(tmp_path / "in.jsonl", map(json.dumps, lines))
    with ReplayServer(Reply(CHAT)) as server:
        go(tmp_path, path, server, concurrency=1)
        asked = [json.loads(request.body)["stream_options"] for request in server.requests]
    assert sorted(asked, key=str) == [{"include_usage": False}, {"include_usage": True}]


def test_many_at_once_and_no_more_than_may(tmp_path: Path) -> None:
    with ReplayServer(GOOD) as server:
        go(tmp_path, requests(tmp_path, 60), server, concurrency=3)
        assert server.connections <= 3


def test_no_key_and_bad_options_are_told_before_anything_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EUGPT_API_KEY", raising=False)
    with pytest.raises(errors.MissingApiKey):
        batch.run(tmp_path / "missing", tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="rpm"):
        batch.Options(rpm=0)


INTERRUPTED = """
import sys
from eugpt_fast import batch
options = batch.Options(base_url=sys.argv[3], api_key="k", concurrency=4, grace=30)
summary = batch.run(sys.argv[1], sys.argv[2], options=options)
print(summary.done, summary.pending, summary.stopped)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_ctrl_c_lets_finish_what_is_in_flight(tmp_path: Path) -> None:
    path = requests(tmp_path, 400)
    with ReplayServer(GOOD) as server:
        arguments = [str(path), str(tmp_path / "out.jsonl"), server.url]
        command = [sys.executable, "-c", INTERRUPTED, *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            while len(server.requests) < 20:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=60)
        done, pending, stopped = told.split()
        assert stopped == "interrupted"
        assert int(done) + int(pending) == 400
        assert len(results(tmp_path)) == int(done) == len(server.requests)  # what was sent was finished
        assert go(tmp_path, path, server).done == 400
        assert len(server.requests) == 400


def test_what_is_told_every_second(tmp_path: Path) -> None:
    told: list[tuple[Any, ...]] = []

    def watch(stats: batch.Stats) -> None:
        now = stats.snapshot()
        told.append((now.checking and now.checking.what, now.done, now.wait and now.wait.why, now.note))

    replies = [*[GOOD] * 8, refusal(429, **{"retry-after": "2"}), GOOD]
    path = requests(tmp_path, 10)
    with ReplayServer(replies) as server:
        options = batch.Options(concurrency=1, api_key="k", base_url=server.url)
        batch.run(path, tmp_path / "out.jsonl", options=options, on_progress=watch)
        batch.run(path, tmp_path / "out.jsonl", options=options, on_progress=watch)
    assert told[:2] == [("reading the input", 0, None, None), ("looking for custom_ids that come twice", 0, None, None)]
    assert (None, 8, "the server asks for it (status 429: c429)", None) in told
    assert [at for at in told if at[0]][2:] == [("comparing the input with that of the run before", 0, None, None)]
    assert told[-1] == (None, 10, None, None)


def test_events_count_while_they_come(tmp_path: Path) -> None:
    seen: list[float] = []
    with ReplayServer(Reply(openai_stream(200).body, pace=0.01)) as server:
        options = batch.Options(base_url=server.url, api_key="k")
        path = requests(tmp_path, 1)
        batch.run(path, tmp_path / "o", options=options, on_progress=lambda s: seen.append(s.snapshot().events_per_s))
    assert any(seen[:-1]), "the only request has not ended before"


def test_async_code_may_give_up_while_the_input_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eugpt_fast.batch.checking._INTERVAL", 0.0)
    path, options = requests(tmp_path, 20_000), batch.Options(base_url="http://127.0.0.1:9", api_key="k")
    heard = []

    async def main() -> None:
        begun = asyncio.Event()

        def watch(stats: batch.Stats) -> None:
            heard.append(stats.checking)
            begun.set()

        running = asyncio.create_task(batch.arun(path, tmp_path / "out.jsonl", options=options, on_progress=watch))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert heard[-1] is not None
    assert (heard[-1].lines or 0) < 20_000, "it did not read to the end"
    with ReplayServer(GOOD) as server:  # and let go of the output
        assert go(tmp_path, requests(tmp_path, 3), server).done == 3


def test_in_memory_outcomes_come_in_the_order_of_their_lines() -> None:
    lines = [batch.Line(n, f"r{n}", "/v1/responses", {"input": "x"}) for n in range(20)]
    with ReplayServer([refusal(404), GOOD]) as server:
        done = asyncio.run(batch.complete_all(lines, batch.Options(base_url=server.url, api_key="k")))
    assert [line.number for line, _ in done] == list(range(20))
    assert sorted(outcome.ok for _, outcome in done) == [False] + [True] * 19
