"""The interpreter ends cleanly whatever is still open."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from .programs import run
from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, Connection, WireServer, chunk

SYNC, ASYNC = [OWN[0], NATIVE[0]], [OWN[1], NATIVE[1]]


def open_ended(connection: Connection) -> None:
    connection.request()
    connection.send(CHUNKED + chunk(b"hello"))
    connection.until_closed()


FROM_MAIN = """
client = make_client()
answer = client.send(client.build_request("GET", url), stream=True)
source = answer.iter_raw()
print(next(source))
"""

FROM_MAIN_IN_A_READ = """
def read():
    client = make_client(timeout=60)
    with client.stream("GET", url) as answer:
        for part in answer.iter_raw():
            print(part, flush=True)
            printed.set()

printed = threading.Event()
threading.Thread(target=read, daemon=True).start()
printed.wait(20)
time.sleep(0.2)  # the thread goes on to the next read
"""

WITH_AN_EXCEPTION = """
client = make_client()
answer = client.send(client.build_request("GET", url), stream=True)
print(next(answer.iter_raw()), flush=True)
sys.exit(3)
"""


@pytest.mark.parametrize("stack", stacks(*SYNC))
@pytest.mark.parametrize(
    ("program", "status"),
    [(FROM_MAIN, 0), (FROM_MAIN_IN_A_READ, 0), (WITH_AN_EXCEPTION, 3)],
    ids=["open stream", "daemon thread in a read", "sys.exit"],
)
def test_with_a_stream_open(stack: Stack, program: str, status: int) -> None:
    if not stack.native:  # its sockets are what the development mode warns about
        program = "import warnings; warnings.simplefilter('ignore')\n" + program
    with WireServer(open_ended) as server:
        assert run(stack, server.url, program, status) == "b'hello'"
        server.wait_until_left()


@pytest.mark.parametrize("stack", stacks(*NATIVE[:1]))
def test_with_many_daemon_threads_in_reads(stack: Stack) -> None:
    program = """
    client = make_client(timeout=60)
    begun = threading.Barrier(21)

    def read():
        with client.stream("GET", url) as answer:
            source = answer.iter_raw()
            next(source)
            begun.wait()
            next(source)

    for _ in range(20):
        threading.Thread(target=read, daemon=True).start()
    begun.wait()
    print("end")
    """
    with WireServer(open_ended) as server:
        assert run(stack, server.url, program) == "end"
        server.wait_until_left()


OPEN_TASKS = """
async def read(client):
    async with client.stream("GET", url) as answer:
        async for part in answer.aiter_raw():
            begun.release()

async def main():
    client = make_client(timeout=60)
    tasks = [asyncio.create_task(read(client)) for _ in range(10)]
    while begun._value < 10:
        await asyncio.sleep(0.01)
    print(sum(not task.done() for task in tasks))
    if "close" in globals():
        await client.aclose()

begun = threading.Semaphore(0)
"""
has_uvloop = pytest.mark.skipif(not importlib.util.find_spec("uvloop"), reason="no uvloop")


@pytest.mark.parametrize("stack", stacks(*NATIVE[1:2]))
@pytest.mark.parametrize(
    "loop",
    [
        pytest.param("asyncio.run(main())", id="asyncio"),
        pytest.param("import uvloop; uvloop.run(main())", id="uvloop", marks=has_uvloop),
    ],
)
def test_with_tasks_in_reads(stack: Stack, loop: str) -> None:
    with WireServer(open_ended) as server:
        assert run(stack, server.url, OPEN_TASKS + loop) == "10"
        server.wait_until_left()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_an_interrupt_wakes_a_read(stack: Stack) -> None:
    program = """
    import signal
    with make_client(timeout=60) as client, client.stream("GET", url) as answer:
        source = answer.iter_raw()
        next(source)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            next(source)
        except KeyboardInterrupt:
            print("interrupted")
    """
    with WireServer(open_ended) as server:
        assert run(stack, server.url, program) == "interrupted"


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("stack", stacks(*SYNC))
def test_an_interrupt_wakes_who_waits_for_the_head(stack: Stack) -> None:
    program = """
    import signal
    with make_client(timeout=60) as client:
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            client.get(url)
        except KeyboardInterrupt:
            print("interrupted")
    """
    with WireServer(Connection.until_closed) as server:
        assert run(stack, server.url, program) == "interrupted"


@pytest.mark.parametrize("stack", stacks(*ASYNC))
def test_trio(stack: Stack) -> None:
    program = """
    import trio, warnings
    warnings.simplefilter("ignore")

    async def main():
        client = make_client()
        async with client.stream("GET", url) as answer:
            print(await anext(answer.aiter_raw()))

    try:
        trio.run(main)
    except RuntimeError as error:
        print("RuntimeError", error)
    """
    with WireServer(open_ended) as server:
        said = run(stack, server.url, program)
    if stack.native:
        assert said.startswith("RuntimeError")
        assert "asyncio" in said
    else:
        assert said == "b'hello'"
