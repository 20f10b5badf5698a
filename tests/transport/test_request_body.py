"""Bodies of requests, whole and streamed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Iterator

import h11
import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import Connection, WireServer, chunk, response

OK = response(b"hello")


def test_bytes_go_out_with_their_length(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url, content=b"the body")
    assert server.requests[0].body == b"the body"
    assert server.requests[0].values(b"content-length") == [b"8"]


def test_an_empty_body_has_length_zero(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url)
    assert server.requests[0].body == b""
    assert server.requests[0].values(b"content-length") == [b"0"]


def test_a_get_has_neither_length_nor_body(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.get(server.url)
    assert not server.requests[0].values(b"content-length")
    assert not server.requests[0].values(b"transfer-encoding")


def test_a_large_body_arrives_whole(stack: Stack) -> None:
    body = bytes(range(256)) * 20_000
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url, content=body)
    assert server.requests[0].body == body


def test_a_generator_is_sent_in_chunks(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url, content=iter([b"one", b"", b"three" * 1000]))
    assert server.requests[0].values(b"transfer-encoding") == [b"chunked"]
    assert server.requests[0].body == chunk(b"one") + chunk(b"three" * 1000) + chunk(b"")


def test_a_generator_with_a_length_is_sent_as_it_is(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url, content=iter([b"one", b"two"]), headers={"Content-Length": "6"})
    assert server.requests[0].body == b"onetwo"
    assert not server.requests[0].values(b"transfer-encoding")


@pytest.mark.parametrize("parts", [[b"one"], [b"one", b"two", b"three"]], ids=["too few", "too many"])
def test_a_generator_that_does_not_keep_its_length_is_an_error_of_ours(stack: Stack, parts: list[bytes]) -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client:
        with pytest.raises(stack.library.LocalProtocolError if stack.native else h11.LocalProtocolError):
            client.post(server.url, content=iter(parts), headers={"Content-Length": "6"})
        server.wait_until_left()


def test_what_a_generator_raises_reaches_the_caller_and_ends_the_connection(stack: Stack) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    def script(connection: Connection) -> None:
        connection.head()
        connection.until_closed()

    with WireServer(script, OK) as server, stack.client() as client:
        with pytest.raises(ZeroDivisionError):
            client.post(server.url, content=parts())
        server.wait_until_left()
        assert client.get(server.url).content == b"hello"


def test_a_part_is_sent_before_the_next_one_is_asked_for(stack: Stack) -> None:
    arrived = threading.Event()

    def script(connection: Connection) -> None:
        connection.head()
        connection.until(chunk(b"first"))
        arrived.set()
        connection.until(chunk(b""))
        connection.send(OK)

    def parts() -> Iterator[bytes]:
        yield b"first"
        assert arrived.wait(10)
        yield b"second"

    with WireServer(script) as server, stack.client() as client:
        assert client.post(server.url, content=parts()).content == b"hello"


def test_multipart_arrives_as_it_is_built(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        sent = client.post(server.url, data={"a": "b"}, files={"file": ("name.txt", b"content" * 10_000)}).request
    boundary = sent.headers["content-type"].partition("boundary=")[2].encode()
    (received,) = server.requests
    assert received.values(b"content-length") == [b"%d" % len(received.body)]
    assert received.body.startswith(b"--" + boundary)
    assert received.body.endswith(b"--" + boundary + b"--\r\n")
    assert b"content" * 10_000 in received.body


def test_json_and_forms_arrive_with_their_types(stack: Stack) -> None:
    with WireServer(OK) as server, stack.client() as client:
        client.post(server.url, json={"a": [1, "é"]})
        client.post(server.url, data={"a": "b c"})
    assert json.loads(server.requests[0].body) == {"a": [1, "é"]}
    assert server.requests[0].values(b"content-type") == [b"application/json"]
    assert server.requests[1].body == b"a=b+c"


def test_an_answer_that_comes_before_the_body_was_sent_is_read(stack: Stack) -> None:
    """A server that refuses an upload answers and hangs up; what it said is worth more than the write error."""

    def script(connection: Connection) -> None:
        connection.head()
        connection.send(response(b"too large", b"Connection: close", status=b"413 Payload Too Large"))
        connection.sock.shutdown(1)
        connection.until_closed()

    with WireServer(script) as server, stack.client() as client:
        answer = client.post(server.url, content=b"x" * 5_000_000)
    assert (answer.status_code, answer.content) == (413, b"too large")


ASYNC = [stack for stack in OWN + NATIVE if stack.is_async]


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_an_async_generator_runs_in_the_task_that_sends(stack: Stack) -> None:
    async def parts(loop: asyncio.AbstractEventLoop) -> AsyncIterator[bytes]:
        assert asyncio.get_running_loop() is loop
        yield b"one"
        await asyncio.sleep(0.01)
        yield b"two"

    async def main() -> None:
        async with stack.library.AsyncClient(transport=stack.transport()) as client:
            await client.post(server.url, content=parts(asyncio.get_running_loop()))

    with WireServer(OK) as server:
        asyncio.run(main())
    assert server.requests[0].body == chunk(b"one") + chunk(b"two") + chunk(b"")


def test_behind_an_early_answer_no_more_of_the_body_is_asked_for(native_stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.head()
        connection.send(response(status=b"413 Content Too Large"))
        connection.reset()

    def parts() -> Iterator[bytes]:
        for number in range(1000):
            asked.append(number)
            yield bytes(2**16)

    asked: list[int] = []
    with WireServer(script) as server, native_stack.client() as client, contextlib.suppress(Exception):
        client.post(server.url, content=parts())
    assert len(asked) < 1000
