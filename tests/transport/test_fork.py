"""A process that forks after the transport was used: the child works or is told, and never hangs."""

from __future__ import annotations

import os

import pytest

from .programs import run
from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, Connection, WireServer, chunk, response

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

SYNC = [OWN[0], *NATIVE[::2]]
OK = response(b"hello")

FORKS = """
import warnings; warnings.simplefilter("ignore", DeprecationWarning)  # of forking with threads

def in_child(act):
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            print("child", act(), flush=True)
        except Exception as error:
            print("child", type(error).__name__, bool(str(error)), flush=True)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
"""


@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_the_child_makes_a_client_of_its_own(stack: Stack) -> None:
    program = (
        FORKS
        + """
def ask():
    with make_client() as client:
        return client.get(url).text

print(ask())
in_child(ask)
print(ask())
"""
    )
    with WireServer(OK) as server:
        assert run(stack, server.url, program).split("\n") == ["hello", "child hello", "hello"]


@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_the_child_uses_the_client_of_its_parent(stack: Stack) -> None:
    program = (
        FORKS
        + """
with make_client(timeout=5) as client:
    print(client.get(url).text)
    in_child(lambda: client.get(url).text)
    print(client.get(url).text)
"""
    )
    with WireServer(OK) as server:
        first, child, last = run(stack, server.url, program).split("\n")
    assert (first, last) == ("hello", "hello")
    assert child in ("child hello", "child RuntimeError True")


@pytest.mark.parametrize("stack", stacks(*NATIVE[::2]))
def test_a_stream_that_was_open_is_told_in_the_child_and_goes_on_in_the_parent(stack: Stack) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.send(CHUNKED + chunk(b"one"))
        connection.request()
        connection.send(chunk(b"two") + chunk(b""))

    program = (
        FORKS
        + """
import socket
client = make_client(timeout=5)
with client.stream("GET", url) as answer:
    source = answer.iter_raw()
    print(next(source))
    in_child(lambda: next(source))
    print("parent")
"""
    )
    with WireServer(script) as server:
        first, child, last = run(stack, server.url, program).split("\n")
    assert (first, last) == ("b'one'", "parent")
    assert child.endswith("Error True")


@pytest.mark.parametrize("stack", stacks(*NATIVE[1::2]))
def test_loops_before_and_behind_a_fork(stack: Stack) -> None:
    program = (
        FORKS
        + """
async def ask():
    async with make_client(timeout=5) as client:
        return (await client.get(url)).text

print(asyncio.run(ask()))
in_child(lambda: asyncio.run(ask()))
print(asyncio.run(ask()))
"""
    )
    with WireServer(OK) as server:
        assert run(stack, server.url, program).split("\n") == ["hello", "child hello", "hello"]


@pytest.mark.parametrize("stack", stacks(*NATIVE[:1]))
def test_a_pool_of_processes(stack: Stack) -> None:
    program = """
    import warnings; warnings.simplefilter("ignore", DeprecationWarning)
    import multiprocessing

    def ask(number):
        with make_client() as client:
            return client.get(url).text

    print(ask(0))
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(ask, range(9)) == ["hello"] * 9)
    """
    with WireServer(OK) as server:
        assert run(stack, server.url, program).split("\n") == ["hello", "True"]


@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_a_child_that_drops_the_client_leaves_it_to_its_parent(stack: Stack) -> None:
    program = (
        FORKS
        + """
def drop():
    global client
    del client

client = make_client(timeout=5)
print(client.get(url).text)
in_child(drop)
print(client.get(url).text)
client.close()
"""
    )
    with WireServer(OK) as server:
        assert run(stack, server.url, program).split("\n") == ["hello", "child None", "hello"]
        assert server.connections == 1
