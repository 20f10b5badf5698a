"""One client, many threads or tasks; and one loop after another."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import Connection, WireServer, response

ASYNC = [stack for stack in OWN + NATIVE if stack.is_async]
SYNC = [stack for stack in OWN + NATIVE if not stack.is_async]


def echo(connection: Connection) -> None:
    """Answers each request with its own target."""
    while True:
        connection.send(response(connection.request().line.split()[1] * 500))


@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_threads_that_share_a_client_get_each_their_own_answer(stack: Stack) -> None:
    def ask(number: int) -> bool:
        found: bool = client.get(f"{server.url}/{number}").content == b"/%d" % number * 500
        return found

    with (
        WireServer(echo) as server,
        stack.library.Client(transport=stack.transport(), timeout=20) as client,
        ThreadPoolExecutor(16) as threads,
    ):
        assert all(threads.map(ask, range(320)))
    assert server.connections <= 16


# Without httpx's own transport, whose threads close connections that others have just been given.
@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_threads_that_share_few_connections_all_get_their_turn(stack: Stack) -> None:
    def ask(number: int) -> bool:
        found: bool = client.get(f"{server.url}/{number}").content == b"/%d" % number * 500
        return found

    transport = stack.transport(limits=stack.library.Limits(max_connections=2))
    with WireServer(echo) as server, stack.library.Client(transport=transport, timeout=20) as client:
        with ThreadPoolExecutor(16) as threads:
            assert all(threads.map(ask, range(160)))
        assert server.open <= 2


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_tasks_that_share_a_client_get_each_their_own_answer(stack: Stack) -> None:
    async def main() -> None:
        transport = stack.transport(limits=stack.library.Limits(max_connections=20))
        async with stack.library.AsyncClient(transport=transport, timeout=20) as client:

            async def ask(number: int) -> bool:
                found: bool = (await client.get(f"{server.url}/{number}")).content == b"/%d" % number * 500
                return found

            assert all(await asyncio.gather(*map(ask, range(200))))
        assert server.connections <= 20

    with WireServer(echo) as server:
        asyncio.run(main())


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_one_loop_after_another_each_with_a_transport(stack: Stack) -> None:
    async def main() -> None:
        async with stack.library.AsyncClient(transport=stack.transport(), timeout=20) as client:
            for _ in range(2):
                assert (await client.get(server.url + "/x")).content == b"/x" * 500

    with WireServer(echo) as server:
        for _ in range(5):
            asyncio.run(main())
    assert server.connections == 5


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_loops_in_several_threads_at_once(stack: Stack) -> None:
    async def main() -> bool:
        async with stack.library.AsyncClient(transport=stack.transport(), timeout=20) as client:
            answers = await asyncio.gather(*(client.get(f"{server.url}/{number}") for number in range(20)))
        return [answer.content for answer in answers] == [b"/%d" % number * 500 for number in range(20)]

    with WireServer(echo) as server, ThreadPoolExecutor(4) as threads:
        assert all(threads.map(asyncio.run, [main() for _ in range(4)]))


@pytest.mark.parametrize("stack", stacks(*NATIVE[1::2]))
def test_a_loop_that_was_closed_is_forgotten(stack: Stack) -> None:
    async def main() -> weakref.ref[asyncio.AbstractEventLoop]:
        async with stack.library.AsyncClient(transport=stack.transport()) as client:
            await client.get(server.url)
        return weakref.ref(asyncio.get_running_loop())

    with WireServer(echo) as server:
        first = asyncio.run(main())
        asyncio.run(main())
    gc.collect()
    assert first() is None


@pytest.mark.parametrize("stack", stacks(NATIVE[1]))
def test_connections_that_died_are_all_passed_over(stack: Stack) -> None:
    count = 150  # more than tokio reads in one go

    def script(connection: Connection) -> None:
        connection.request()
        together.wait()
        connection.send(response(b"hello"))

    async def main() -> str:
        limits = stack.library.Limits(max_connections=count, max_keepalive_connections=count)
        async with stack.library.AsyncClient(transport=stack.transport(limits=limits), timeout=20) as client:
            await asyncio.gather(*(client.get(server.url) for _ in range(count)))
            await asyncio.to_thread(server.wait_until_left)
            found: str = (await client.get(server.url)).text
            return found

    together = threading.Barrier(count)
    with WireServer(*[script] * count, response(b"hello")) as server:
        assert asyncio.run(main()) == "hello"
