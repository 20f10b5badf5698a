"""Who leaves early frees the connection at once: the server sees its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, Connection, HeldBack, WireServer, chunk, response

OK = response(b"hello")
ASYNC = [stack for stack in OWN + NATIVE if stack.is_async]


def open_ended(connection: Connection) -> None:
    connection.request()
    connection.send(CHUNKED + chunk(b"hello"))
    connection.until_closed()


def silent(connection: Connection) -> None:
    connection.request()
    connection.until_closed()


def leave_by_close(answer: Any) -> None:
    next(answer.iter_raw())
    answer.close()


def leave_by_break(answer: Any) -> None:
    for _ in answer.iter_raw():
        break


def leave_by_exception(answer: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        for _ in answer.iter_raw():
            raise ZeroDivisionError


def leave_unread(answer: Any) -> None:
    pass


@pytest.mark.parametrize("leave", [leave_by_close, leave_by_break, leave_by_exception, leave_unread])
def test_leaving_frees_the_connection(stack: Stack, leave: Callable[[Any], None]) -> None:
    with WireServer(open_ended, OK) as server, stack.client() as client:
        with client.stream("GET", server.url) as answer:
            leave(answer)
        server.wait_until_left()
        assert client.get(server.url).content == b"hello"


@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_closing_the_client_frees_connections_that_are_in_use(stack: Stack) -> None:
    with WireServer(open_ended) as server, stack.library.Client(transport=stack.transport(), timeout=1) as client:
        answer = client.send(client.build_request("GET", server.url), stream=True)
        source = answer.iter_raw()
        assert next(source) == b"hello"
        client.close()
        with pytest.raises(stack.library.TransportError) as caught:
            next(source)
        assert not isinstance(caught.value, stack.library.TimeoutException)
        server.wait_until_left()


@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_forgetting_a_response_frees_the_connection(stack: Stack) -> None:
    with WireServer(open_ended) as server, stack.library.Client(transport=stack.transport()) as client:
        answer = client.send(client.build_request("GET", server.url), stream=True)
        del answer
        gc.collect()
        server.wait_until_left()


@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_closing_from_another_thread_wakes_a_blocked_read(stack: Stack) -> None:
    with WireServer(open_ended) as server, stack.library.Client(transport=stack.transport(), timeout=60) as client:
        with client.stream("GET", server.url) as answer:
            source = answer.iter_raw()
            assert next(source) == b"hello"
            reader = threading.Thread(target=read_on, args=(stack, source), daemon=True)
            reader.start()
            reader.join(0.1)
            answer.close()
            reader.join(10)
            assert not reader.is_alive()
        server.wait_until_left()


def read_on(stack: Stack, source: Iterator[bytes]) -> None:
    with contextlib.suppress(stack.library.TransportError, stack.library.StreamError):
        assert list(source) == []


async def waiting_for_the_head(client: Any, url: str) -> None:
    await client.get(url)


async def waiting_for_the_body(client: Any, url: str) -> None:
    async with client.stream("GET", url) as answer:
        async for _ in answer.aiter_raw():
            pass


async def sending_the_body(client: Any, url: str) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"one"
        await asyncio.sleep(60)

    await client.post(url, content=parts())


async def sending_more_than_the_server_takes(client: Any, url: str) -> None:
    await client.post(url, content=b"x" * 50_000_000)


async def shaking_hands(client: Any, url: str) -> None:
    await client.get(url.replace("http:", "https:"))


def no_request(connection: Connection) -> None:
    connection.until(b"\0")  # of a TLS hello; or of nothing, with which the client leaves
    connection.until_closed()


def head_only(connection: Connection) -> None:
    connection.head()
    connection.until_closed()


def taking_nothing(connection: Connection) -> None:
    connection.head()
    time.sleep(0.3)
    taken = 0
    while data := connection.sock.recv(65536):
        taken += len(data)
    assert taken < 40_000_000


CANCELLED = [
    (waiting_for_the_head, silent),
    (waiting_for_the_body, open_ended),
    (sending_the_body, head_only),
    (sending_more_than_the_server_takes, taking_nothing),
    (shaking_hands, no_request),
]
LEFT_OPEN_BY_HTTPX = [sending_more_than_the_server_takes, shaking_hands]  # or sent to its end


@pytest.mark.parametrize("stack", stacks(*ASYNC))
@pytest.mark.parametrize(("act", "script"), CANCELLED, ids=lambda one: one.__name__)
def test_cancelling_a_task_frees_the_connection(stack: Stack, act: Any, script: Any) -> None:
    if act in LEFT_OPEN_BY_HTTPX and not stack.native:
        pytest.skip("httpx leaves the connection open")
    begun = threading.Event()

    def noted(connection: Connection) -> None:
        begun.set()
        script(connection)

    async def main() -> None:
        async with stack.library.AsyncClient(transport=stack.transport(), timeout=60) as client:
            task = asyncio.create_task(act(client, server.url))
            await asyncio.to_thread(begun.wait)
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(server.wait_until_left)
            assert (await client.get(server.url)).content == b"hello"

    with WireServer(noted, OK) as server:
        asyncio.run(main())


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_cancelling_who_waits_for_a_connection_leaves_the_others_alone(stack: Stack) -> None:
    async def main() -> None:
        transport = stack.transport(limits=stack.library.Limits(max_connections=1))
        async with stack.library.AsyncClient(transport=transport, timeout=10) as client:
            async with client.stream("GET", server.url) as answer:
                waiting = asyncio.create_task(client.get(server.url))
                await asyncio.sleep(0.05)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                held.release.set()
                assert await answer.aread() == b"hello"
            assert (await client.get(server.url)).content == b"hello"
        assert server.connections == 1

    held = HeldBack(OK)
    with WireServer(held) as server:
        asyncio.run(main())


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_a_deadline_of_the_caller_ends_a_read(stack: Stack) -> None:
    async def main() -> None:
        async with stack.library.AsyncClient(transport=stack.transport(), timeout=60) as client:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.get(server.url), 0.1)
            await asyncio.to_thread(server.wait_until_left)

    with WireServer(silent) as server:
        asyncio.run(main())
