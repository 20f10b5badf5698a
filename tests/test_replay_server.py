"""What the replay server sends, seen from the other end of real sockets."""

import asyncio
import doctest
import email.utils
import gc
import itertools
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import eugpt_fast.testing
import httpx
import pytest
import requests
from eugpt_fast.testing import (
    Chunking,
    Fault,
    Framing,
    ReplayServer,
    Reply,
    chunking,
    damage,
    lean_stream,
    openai_stream,
    unicode_stream,
)

pytest_plugins = ["eugpt_fast.testing.pytest_plugin"]

DATA = Path(__file__).parent / "data"
STREAM = lean_stream(10)
BLOCKS = [block + b"\n\n" for block in STREAM.body.split(b"\n\n")[:-1]]
PATIENCE = 10  # seconds before a wait counts as failed

ServerFactory = Callable[..., ReplayServer]


@contextmanager
def connected(server: ReplayServer) -> Iterator[socket.socket]:
    """A TCP client that has sent one request."""
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0), timeout=PATIENCE) as client:
        client.sendall(b"GET /v1/responses HTTP/1.1\r\nHost: localhost\r\n\r\n")
        yield client


class Received(NamedTuple):
    head: bytes
    body: bytes
    reset: bool


def received(server: ReplayServer) -> Received:
    """Everything the server sends until it ends the connection, and whether it did so by a reset."""
    parts, reset = [], False
    with connected(server) as client:
        try:
            while part := client.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            reset = True
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return Received(head, body, reset)


def http_chunks(server: ReplayServer) -> list[bytes]:
    """The chunks of one chunked response as they were framed, asked for with `connection: close`."""
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0), timeout=PATIENCE) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        with client.makefile("rb") as stream:
            assert stream.readline() == b"HTTP/1.1 200 OK\r\n"
            while stream.readline() != b"\r\n":
                pass
            chunks = []
            while size := int(stream.readline(), 16):
                chunks.append(stream.read(size))
                assert stream.readline() == b"\r\n"
            assert stream.read() == b"\r\n"
    return chunks


def body_of(reply: Reply) -> bytes:
    with ReplayServer(reply) as server:
        return httpx.get(
            server.url, verify=False
        ).content  # there is no TLS; loading certificates takes most of the time


def interrupted(reply: Reply) -> tuple[bytes, httpx.TransportError]:
    """What httpx reads of a reply before the error that ends it, and that error."""
    body = b""
    patience = 1 if reply.fault is Fault.STALL else PATIENCE
    with ReplayServer(reply) as server, httpx.stream("GET", server.url, timeout=patience) as response:
        try:
            for part in response.iter_bytes():
                body += part
        except httpx.TransportError as error:
            return body, error
    raise AssertionError("the reply ended without an error")


def payloads(body: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in body.splitlines() if line.startswith(b"data: {")]


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "this never came true"
        time.sleep(0.005)


# Chunking


@pytest.mark.parametrize(
    "cut",
    [chunking.per_event, chunking.whole, chunking.every(1), chunking.every(7), chunking.mid_utf8, chunking.mid_crlf],
)
@pytest.mark.parametrize("fault", [Fault.BOM, Fault.CRLF])
@pytest.mark.parametrize("framing", Framing)
def test_no_chunking_or_framing_changes_the_bytes(cut: Chunking, fault: Fault, framing: Framing) -> None:
    body = unicode_stream(3).body
    assert body_of(Reply(body, chunking=cut, fault=fault, framing=framing)) == damage(body, fault)


def test_by_default_every_event_is_a_chunk() -> None:
    with ReplayServer(STREAM.body) as server:
        assert http_chunks(server) == BLOCKS


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_events_are_told_apart_by_blank_lines_of_any_line_end(line_end: bytes) -> None:
    events = [b"data: 1\n\n", b": comment\ndata: 2\ndata: 3\n\n\n", b"data: cut"]
    events = [event.replace(b"\n", line_end) for event in events]
    with ReplayServer(b"".join(events)) as server:
        assert http_chunks(server) == events


def test_chunks_of_n_bytes_leave_only_the_last_one_shorter() -> None:
    with ReplayServer(Reply(b"0123456789", chunking=chunking.every(4))) as server:
        assert http_chunks(server) == [b"0123", b"4567", b"89"]


def test_a_chunk_of_no_bytes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        chunking.every(0)


def test_the_whole_body_can_be_one_chunk() -> None:
    with ReplayServer(Reply(STREAM.body, chunking=chunking.whole)) as server:
        assert http_chunks(server) == [STREAM.body]


def test_every_multibyte_character_is_cut() -> None:
    with ReplayServer(Reply("a\u00e9\U0001f642b".encode(), chunking=chunking.mid_utf8)) as server:
        assert http_chunks(server) == [b"a\xc3", b"\xa9\xf0", b"\x9f", b"\x99", b"\x82b"]


def test_every_crlf_is_cut_in_two() -> None:
    with ReplayServer(Reply(b"data: 1\n\n", chunking=chunking.mid_crlf, fault=Fault.CRLF)) as server:
        assert http_chunks(server) == [b"data: 1\r", b"\n\r", b"\n"]


@pytest.mark.parametrize("suffix", [".sse", ".json"])
def test_a_recording_is_replayed_in_its_chunks_and_times(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "recording.json").write_text(json.dumps({"chunks": [[0.0, 3], [0.1, 4], [0.2, 2]]}))
    reply = Reply(b"0123456789", chunking=chunking.recorded((tmp_path / "recording").with_suffix(suffix)))
    with ReplayServer(reply) as server:
        start = time.monotonic()
        assert http_chunks(server) == [b"012", b"3456", b"789"]
        assert 0.2 <= time.monotonic() - start < PATIENCE


def test_a_recording_of_more_bytes_than_the_body_ends_with_the_body(tmp_path: Path) -> None:
    (tmp_path / "recording.json").write_text(json.dumps({"chunks": [[0.0, 3], [0.0, 400], [0.0, 2]]}))
    with ReplayServer(Reply(b"01234", chunking=chunking.recorded(tmp_path / "recording.json"))) as server:
        assert http_chunks(server) == [b"012", b"34"]


def test_a_stream_of_the_test_data_is_replayed_as_recorded() -> None:
    path = DATA / "text_60.sse"
    reply = Reply(path.read_bytes(), chunking=chunking.recorded(path))
    with ReplayServer(reply) as server:
        chunks = http_chunks(server)
    assert b"".join(chunks) == path.read_bytes()
    assert len(chunks) == len(json.loads(path.with_suffix(".json").read_text())["chunks"])


def test_pace_is_the_time_from_one_chunk_to_the_next_and_chunks_do_not_wait_for_each_other() -> None:
    with ReplayServer(Reply(b"data: 1\n\ndata: 2\n\n", pace=0.3, framing=Framing.CLOSE)) as server:
        start = time.monotonic()
        with connected(server) as client:
            first = client.recv(65536)
            while b"1" not in first.partition(b"\r\n\r\n")[2]:
                first += client.recv(65536)
            assert b"data: 2" not in first
            assert b"data: 2" in client.recv(65536)
            assert 0.3 <= time.monotonic() - start < PATIENCE


# Content faults


def test_a_clean_end_without_terminal_event_leaves_whole_events() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.NO_TERMINAL, after_events=3)) == b"".join(BLOCKS[:3])


def test_a_fault_comes_after_half_of_the_events_by_default() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.NO_TERMINAL)) == b"".join(BLOCKS[:6])


def test_a_cut_inside_an_event_leaves_the_start_of_one_and_a_clean_end() -> None:
    body = body_of(Reply(STREAM.body, fault=Fault.CUT_IN_EVENT, after_events=3))
    partial = body.removeprefix(b"".join(BLOCKS[:3]))
    assert 0 < len(partial) < len(BLOCKS[3])
    assert BLOCKS[3].startswith(partial)


@pytest.mark.parametrize(
    ("fault", "event_type"),
    [
        (Fault.ERROR_FLAT, "error"),
        (Fault.ERROR_NESTED, "error"),
        (Fault.FAILED, "response.failed"),
        (Fault.INCOMPLETE, "response.incomplete"),
    ],
)
def test_a_terminal_event_other_than_completed_takes_the_next_sequence_number(fault: Fault, event_type: str) -> None:
    body = body_of(Reply(STREAM.body, fault=fault, after_events=4))
    assert body.startswith(b"".join(BLOCKS[:4]))
    events = payloads(body)
    assert [event["sequence_number"] for event in events] == [0, 1, 2, 3, 4]
    assert events[-1]["type"] == event_type


def test_comments_take_no_part_in_the_sequence_numbers() -> None:
    events = payloads(damage(damage(STREAM.body, Fault.COMMENTS), Fault.ERROR_FLAT, after_events=5))
    assert [event["sequence_number"] for event in events] == [0, 1, 2]


def test_a_flat_error_has_its_code_beside_the_type() -> None:
    error = payloads(damage(STREAM.body, Fault.ERROR_FLAT))[-1]
    assert (error["code"], error["param"]) == ("server_error", None)
    assert error["message"]


def test_a_nested_error_has_its_code_under_error() -> None:
    error = payloads(damage(STREAM.body, Fault.ERROR_NESTED))[-1]
    assert "code" not in error
    assert error["error"]["code"] == "server_error"


def test_a_failed_response_keeps_its_id_and_says_why() -> None:
    events = payloads(damage(STREAM.body, Fault.FAILED))
    response = events[-1]["response"]
    assert response["id"] == events[0]["response"]["id"]
    assert (response["status"], response["error"]["code"]) == ("failed", "server_error")


def test_an_incomplete_response_says_why() -> None:
    response = payloads(damage(STREAM.body, Fault.INCOMPLETE))[-1]["response"]
    assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_comments_stand_before_every_event() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.COMMENTS)) == b"".join(b": keep-alive\n\n" + it for it in BLOCKS)


def test_keepalive_events_stand_between_events_and_count_in_the_sequence() -> None:
    events = payloads(body_of(Reply(STREAM.body, fault=Fault.KEEPALIVE_EVENTS)))
    assert [event["sequence_number"] for event in events] == list(range(2 * len(BLOCKS) - 1))
    assert {event["type"] for event in events[1::2]} == {"keepalive"}
    assert [event["type"] for event in events[::2]] == [event["type"] for event in payloads(STREAM.body)]


def test_done_stands_at_the_end() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.DONE)) == STREAM.body + b"data: [DONE]\n\n"


def test_the_byte_order_mark_stands_at_the_start() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.BOM)) == b"\xef\xbb\xbf" + STREAM.body


def test_all_line_ends_become_crlf() -> None:
    assert body_of(Reply(STREAM.body, fault=Fault.CRLF)) == STREAM.body.replace(b"\n", b"\r\n")


CONTENT_FAULTS = [fault for fault in Fault if not fault.in_transport]


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(CONTENT_FAULTS, 2)))
def test_content_faults_compose_in_any_order(first: Fault, second: Fault) -> None:
    lines = damage(damage(STREAM.body, first), second).splitlines()
    data = next(line for line in lines if line.startswith(b"data: "))
    assert json.loads(data[6:])["type"] == "response.created"


@pytest.mark.parametrize("fault", CONTENT_FAULTS)
@pytest.mark.parametrize("body", [b"", b"data: 1", b"data: {}\n\n", b"no stream"])
def test_content_faults_bear_a_body_that_is_no_responses_stream(fault: Fault, body: bytes) -> None:
    assert isinstance(damage(body, fault), bytes)


def test_a_transport_fault_cannot_be_put_into_a_body() -> None:
    with pytest.raises(ValueError, match="RESET"):
        damage(STREAM.body, Fault.RESET)


# Transport faults


def test_a_reset_comes_after_the_events_before_it(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, fault=Fault.RESET, after_events=3, framing=Framing.LENGTH))
    response = received(server)
    assert response.reset
    assert response.body == b"".join(BLOCKS[:3])
    assert b"content-length: %d" % len(STREAM.body) in response.head


def test_a_reset_is_a_read_error_in_httpx() -> None:
    body, error = interrupted(Reply(STREAM.body, fault=Fault.RESET, after_events=3))
    assert isinstance(error, httpx.ReadError)
    assert body == b"".join(BLOCKS[:3])


@pytest.mark.parametrize("framing", [Framing.CHUNKED, Framing.LENGTH])
@pytest.mark.parametrize("gzip", [False, True])
def test_a_chunk_broken_off_is_a_protocol_error_in_httpx(framing: Framing, gzip: bool) -> None:
    reply = Reply(STREAM.body, fault=Fault.BROKEN_CHUNK, after_events=3, framing=framing, gzip=gzip)
    body, error = interrupted(reply)
    assert isinstance(error, httpx.RemoteProtocolError)
    assert body.startswith(b"".join(BLOCKS[:3]))
    assert len(body) < len(b"".join(BLOCKS[:4]))


def test_a_chunk_broken_off_ends_short_of_the_size_it_announced(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, fault=Fault.BROKEN_CHUNK, after_events=0))
    response = received(server)
    size, _, data = response.body.partition(b"\r\n")
    assert not response.reset
    assert 0 < len(data) < int(size, 16)


@pytest.mark.parametrize(
    ("fault", "framing"), [(Fault.BROKEN_CHUNK, Framing.CLOSE), (Fault.STALL_COMMENTS, Framing.LENGTH)]
)
def test_a_fault_that_the_framing_cannot_show_is_refused(fault: Fault, framing: Framing) -> None:
    with pytest.raises(ValueError, match=r"close-delimited|content length"):
        Reply(b"", fault=fault, framing=framing)


def test_a_stall_is_silence_on_an_open_connection() -> None:
    body, error = interrupted(Reply(STREAM.body, fault=Fault.STALL, after_events=3))
    assert isinstance(error, httpx.ReadTimeout)
    assert body == b"".join(BLOCKS[:3])


def test_a_stall_with_comments_sends_comments_and_nothing_else(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, fault=Fault.STALL_COMMENTS, after_events=3))
    body = b""
    with httpx.stream("GET", server.url) as response:
        for part in response.iter_raw():
            body += part
            if body.count(b": keep-alive") == 3:
                break
    assert body == b"".join(BLOCKS[:3]) + 3 * b": keep-alive\n\n"
    eventually(lambda: server.open_connections == 0)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault.in_transport])
def test_a_connection_with_a_transport_fault_is_not_used_again(fault: Fault) -> None:
    patience = 1 if fault is Fault.STALL else PATIENCE
    with ReplayServer([Reply(STREAM.body, fault=fault), STREAM.body]) as server, httpx.Client() as client:
        with client.stream("GET", server.url, timeout=patience) as response:
            if fault is Fault.STALL_COMMENTS:
                next(response.iter_raw())
            else:
                with pytest.raises(httpx.TransportError):
                    response.read()
        assert client.get(server.url).content == STREAM.body
        assert server.connections == 2


# Statuses


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds(replay_server: ServerFactory, status: int) -> None:
    server = replay_server([Reply.error(status, retry_after=0.1), STREAM.body])
    refusal = httpx.post(server.url)
    assert (refusal.status_code, refusal.headers["retry-after"]) == (status, "0.1")
    assert httpx.post(server.url).content == STREAM.body


def test_retry_after_as_a_date_is_in_gmt(replay_server: ServerFactory) -> None:
    moment = datetime(2026, 11, 22, 16, 8, 13, tzinfo=timezone(timedelta(hours=1)))
    server = replay_server(Reply.error(503, retry_after=moment))
    header = httpx.get(server.url).headers["retry-after"]
    assert header == "Sun, 22 Nov 2026 15:08:13 GMT"
    assert email.utils.parsedate_to_datetime(header) == moment


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (400, "invalid_request_error", "invalid_request"),
        (429, "rate_limit_error", "rate_limit_exceeded"),
        (500, "server_error", "server_error"),
    ],
)
def test_an_api_error_is_json_with_message_type_and_code(status: int, kind: str, code: str) -> None:
    with ReplayServer(Reply.error(status)) as server:
        response = httpx.get(server.url)
    error = response.json()["error"]
    assert response.headers["content-type"] == "application/json"
    assert (error["type"], error["code"]) == (kind, code)
    assert error["message"] == response.reason_phrase


def test_an_api_error_says_what_it_is_told_to(replay_server: ServerFactory) -> None:
    server = replay_server(Reply.error(404, message="No such model.", code="model_not_found"))
    error = httpx.get(server.url).json()["error"]
    assert (error["message"], error["code"]) == ("No such model.", "model_not_found")


@pytest.mark.parametrize("status", [200, 502])
def test_an_html_page_says_that_it_is_one(replay_server: ServerFactory, status: int) -> None:
    response = httpx.get(replay_server(Reply.html(status)).url)
    assert response.status_code == status
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.text.startswith("<html>")


# Gzip, framing, headers


@pytest.mark.parametrize("framing", Framing)
def test_gzip_is_decoded_by_clients_and_smaller_on_the_wire(framing: Framing) -> None:
    body = openai_stream(50).body
    with ReplayServer(Reply(body, gzip=True, framing=framing)) as server:
        with httpx.stream("GET", server.url) as response:
            raw = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert httpx.get(server.url).content == body
    assert len(raw) < len(body) / 2
    assert zlib.decompress(raw, wbits=31) == body


def test_gzip_holds_back_no_event(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, gzip=True, fault=Fault.STALL, after_events=3))
    body = b""
    with httpx.stream("GET", server.url) as response:
        for part in response.iter_bytes():
            body += part
            if len(body) >= len(b"".join(BLOCKS[:3])):
                break
    assert body == b"".join(BLOCKS[:3])


@pytest.mark.parametrize(
    ("framing", "field"),
    [
        (Framing.CHUNKED, ("transfer-encoding", "chunked")),
        (Framing.LENGTH, ("content-length", str(len(STREAM.body)))),
        (Framing.CLOSE, ("connection", "close")),
    ],
)
def test_the_framing_is_in_the_head(framing: Framing, field: tuple[str, str]) -> None:
    with ReplayServer(Reply(STREAM.body, framing=framing)) as server:
        headers = httpx.get(server.url).headers
    assert field in headers.items()
    assert headers["content-type"] == "text/event-stream; charset=utf-8"


def test_headers_are_added_and_may_replace_the_content_type(replay_server: ServerFactory) -> None:
    reply = Reply(b"{}", headers={"X-Request-Id": "req_1", "Content-Type": "application/json"})
    headers = httpx.get(replay_server(reply).url).headers
    assert headers["x-request-id"] == "req_1"
    assert headers.get_list("content-type") == ["application/json"]


# Requests and connections


def test_the_nth_request_gets_the_nth_reply_and_the_last_is_repeated(replay_server: ServerFactory) -> None:
    server = replay_server([Reply.error(500), b"data: 1\n\n", DATA / "text_60.sse"])
    contents = [httpx.get(server.url).content for _ in range(4)]
    recording = (DATA / "text_60.sse").read_bytes()
    assert contents[1:] == [b"data: 1\n\n", recording, recording]


def test_a_server_without_a_reply_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one reply"):
        ReplayServer([])


def test_requests_are_recorded_with_method_path_headers_and_body(replay_server: ServerFactory) -> None:
    server = replay_server(STREAM.body)
    httpx.post(server.url + "/v1/responses?x=1", json={"input": "Straße"}, headers={"Authorization": "Bearer key"})
    httpx.put(server.url, content=iter([b"in ", b"chunks"]))
    first, second = server.requests
    assert (first.method, first.path, first.headers["authorization"]) == ("POST", "/v1/responses?x=1", "Bearer key")
    assert json.loads(first.body) == {"input": "Straße"}
    assert (second.method, second.path, second.body) == ("PUT", "/", b"in chunks")


@pytest.mark.parametrize("framing", [Framing.CHUNKED, Framing.LENGTH])
def test_a_framed_response_leaves_the_connection_for_the_next_request(framing: Framing) -> None:
    with ReplayServer(Reply(STREAM.body, framing=framing)) as server, httpx.Client() as client:
        for _ in range(3):
            assert client.get(server.url).content == STREAM.body
        assert (server.connections, server.open_connections) == (1, 1)


def test_a_close_delimited_response_ends_the_connection(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, framing=Framing.CLOSE))
    with httpx.Client() as client:
        for _ in range(3):
            assert client.get(server.url).content == STREAM.body
    assert server.connections == 3
    eventually(lambda: server.open_connections == 0)


def test_requests_reads_a_stream_too(replay_server: ServerFactory) -> None:
    server = replay_server(STREAM.body)
    with requests.Session() as session:
        for _ in range(2):
            assert session.get(server.url).content == STREAM.body
    assert server.connections == 1


def test_a_client_that_closes_early_is_noticed_while_the_server_writes(replay_server: ServerFactory) -> None:
    server = replay_server(openai_stream(20_000).body)
    with httpx.stream("GET", server.url) as response:
        parts = response.iter_raw()  # held, because httpx closes the response with its iterator
        next(parts)
        assert server.open_connections == 1
    eventually(lambda: server.open_connections == 0)


def test_a_client_that_closes_early_is_noticed_while_the_server_waits(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, pace=3600))
    with httpx.stream("GET", server.url) as response:
        parts = response.iter_raw()  # held, because httpx closes the response with its iterator
        next(parts)
        assert server.open_connections == 1
    eventually(lambda: server.open_connections == 0)


@pytest.mark.parametrize(
    "nonsense", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"GET / H"]
)
def test_a_client_that_talks_nonsense_loses_its_connection_only(replay_server: ServerFactory, nonsense: bytes) -> None:
    server = replay_server(STREAM.body)
    address = httpx.URL(server.url)
    with socket.create_connection((address.host, address.port or 0), timeout=PATIENCE) as client:
        client.sendall(nonsense)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""
    assert httpx.get(server.url).content == STREAM.body
    assert len(server.requests) == 1


def test_many_clients_are_served_at_once(replay_server: ServerFactory) -> None:
    server = replay_server(Reply(STREAM.body, fault=Fault.STALL))

    async def hold(client: httpx.AsyncClient, everyone: asyncio.Event) -> None:
        async with client.stream("GET", server.url) as response:
            await response.aiter_raw().__anext__()
            if server.open_connections == 50:
                everyone.set()
            await everyone.wait()

    async def main() -> None:
        everyone = asyncio.Event()
        async with httpx.AsyncClient(limits=httpx.Limits(max_connections=None)) as client:
            await asyncio.wait_for(asyncio.gather(*(hold(client, everyone) for _ in range(50))), PATIENCE)

    asyncio.run(main())
    eventually(lambda: server.open_connections == 0)


# Start and end


def test_the_server_is_an_async_context_manager_too() -> None:
    async def main() -> bytes:
        async with ReplayServer(STREAM.body) as server, httpx.AsyncClient() as client:
            return (await client.get(server.url)).content

    assert asyncio.run(main()) == STREAM.body


@pytest.mark.parametrize("fault", [None, Fault.STALL, Fault.STALL_COMMENTS])
def test_closing_ends_open_streams_at_once_and_leaves_nothing_behind(fault: Fault | None) -> None:
    threads = threading.active_count()
    server = ReplayServer(Reply(STREAM.body, pace=0 if fault else 3600, fault=fault)).start()
    with connected(server) as client:
        client.recv(1)
        start = time.monotonic()
        server.close()
        assert time.monotonic() - start < PATIENCE
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(client.getpeername())
    assert server.open_connections == 0
    assert threading.active_count() == threads
    gc.collect()  # an unclosed socket would warn here


def test_closing_at_once_or_twice_is_allowed() -> None:
    server = ReplayServer(STREAM.body).start()
    server.close()
    server.close()
    ReplayServer(STREAM.body).close()


def test_closing_while_clients_connect_leaves_no_connection_half_accepted() -> None:
    for _ in range(20):
        server = ReplayServer(STREAM.body).start()
        address = httpx.URL(server.url)
        clients = [socket.create_connection((address.host, address.port or 0)) for _ in range(5)]
        server.close()
        assert server.open_connections == 0
        for client in clients:
            client.close()
    gc.collect()


def test_starting_twice_is_an_error(replay_server: ServerFactory) -> None:
    with pytest.raises(RuntimeError, match="runs already"):
        replay_server(STREAM.body).start()


def test_a_port_in_use_is_an_error_of_start(replay_server: ServerFactory) -> None:
    port = httpx.URL(replay_server(STREAM.body).url).port
    assert port is not None
    with pytest.raises(OSError, match="in use"):
        ReplayServer(STREAM.body, port=port).start()


def test_the_examples_in_the_documentation_run() -> None:
    results = doctest.testmod(eugpt_fast.testing)
    assert results.attempted > 0
    assert results.failed == 0
