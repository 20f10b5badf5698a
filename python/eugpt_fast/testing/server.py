"""A local HTTP/1.1 server that replays streams, with their faults."""

import asyncio
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

from .faults import Fault
from .reply import Framing, Reply, ReplySource
from .request import Request, read_request
from .wire import writes

Replies: TypeAlias = ReplySource | Sequence[ReplySource]

_BACKLOG = 1024  # hundreds of clients may connect at once
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN
_BEFORE_RESET = 0.05  # seconds in which the client may read: a reset can overtake the bytes before it
_STALLS = (Fault.STALL, Fault.STALL_COMMENTS)


class ReplayServer:
    """Answers every request, whatever its method and path, with the replies it was given.

    It runs in a thread and an event loop of its own, so blocking and async clients are served alike, and it is a
    context manager of both kinds. `start` and `close` block for a few milliseconds.

    Args:
        replies: one reply or several: the nth request gets the nth, and the last one is repeated. `bytes` and
            `Path` stand for a `Reply` with that SSE body, or with that file's.
        host: IPv4 address to listen on.
        port: TCP port, or 0 for a free one.

    Attributes:
        url: `http://host:port`, once started.
        requests: the requests received so far, in order.
        connections: how many TCP connections were accepted.

    Raises:
        ValueError: no reply was given.
        OSError: the file cannot be read or, when started, the address is in use.
    """

    def __init__(self, replies: Replies, *, host: str = "127.0.0.1", port: int = 0) -> None:
        sources = [replies] if isinstance(replies, Reply | bytes | Path) else replies
        if not sources:
            raise ValueError("a replay server needs at least one reply")
        self.requests: list[Request] = []
        self.connections: int = 0
        self.url: str = ""
        self._replies = [Reply.of(source) for source in sources]
        self._address = host, port
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def open_connections(self) -> int:
        """How many TCP connections neither side has closed."""
        return len(self._open)

    def start(self) -> "ReplayServer":
        """Listen. Clients may connect as soon as this returns. Raises RuntimeError if the server runs already."""
        if self._loop is not None:
            raise RuntimeError("the replay server runs already")
        listener = socket.create_server(self._address, backlog=_BACKLOG)
        self.url = "http://{}:{}".format(*listener.getsockname())
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        main = self._serve(listener)
        # A daemon, so that a server that nobody closed does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(main,), daemon=True)
        self._thread.start()
        return self

    def close(self) -> None:
        """End every connection and the thread. Closing again does nothing."""
        if self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()
        self._loop = None

    def __enter__(self) -> "ReplayServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> "ReplayServer":
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def _serve(self, listener: socket.socket) -> None:
        server = await asyncio.start_server(self._accept, sock=listener, backlog=_BACKLOG)
        await self._stop.wait()
        # asyncio leaks the sockets it is still accepting when the server closes, so it closes once no task is left.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for writer in self._open.values():
                writer.transport.abort()
            await asyncio.wait(others)
        server.close()
        await server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._open[task] = writer
        task.add_done_callback(self._open.pop)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side ends it."""
        writer.transport.set_write_buffer_limits(high=0)  # drain() then means: the kernel has it all
        next_byte = asyncio.ensure_future(_read_byte(reader))
        try:
            with suppress(OSError, EOFError):  # the client left
                while byte := await next_byte:
                    request = await read_request(byte, reader)
                    reply = self._replies[min(len(self.requests), len(self._replies) - 1)]
                    self.requests.append(request)
                    # While we answer, the next byte can only be the next request or, empty, the client's end.
                    next_byte = asyncio.ensure_future(_read_byte(reader))
                    await _answer(reply, writer, next_byte)
                    if not _keeps_alive(request, reply):
                        break
        finally:
            writer.transport.abort()
            await next_byte
            with suppress(OSError):
                await writer.wait_closed()


async def _read_byte(reader: asyncio.StreamReader) -> bytes:
    with suppress(OSError):
        return await reader.read(1)
    return b""


async def _answer(reply: Reply, writer: asyncio.StreamWriter, next_byte: "asyncio.Future[bytes]") -> None:
    """Write the reply and act out its transport fault. Returns early when `next_byte` tells that the client left."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    for chunk in writes(reply):
        delay = start + chunk.at - loop.time()
        if delay > 0:
            await asyncio.wait({next_byte}, timeout=delay)  # the client's end ends the wait
        else:
            await asyncio.sleep(0)
        if next_byte.done() and not next_byte.result():
            return
        writer.write(chunk.data)
        await writer.drain()
    if reply.fault in _STALLS:
        await next_byte
    elif reply.fault is Fault.RESET:
        await asyncio.wait({next_byte}, timeout=_BEFORE_RESET)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)


def _keeps_alive(request: Request, reply: Reply) -> bool:
    broken = reply.fault is not None and reply.fault.in_transport
    wanted = request.headers.get("connection", "").lower() != "close"
    return wanted and not broken and reply.framing is not Framing.CLOSE
