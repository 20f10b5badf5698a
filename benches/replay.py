"""A replay process that costs its clients nothing: ``python -m benches.replay`` prints its port and serves.

Responses are made in advance, each event an HTTP chunk of its own. The path names the stream: a whole response leaves
in one ``sendall``, a paced one event by event. It ends when its standard input does, that is with its parent.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from . import ROOT
from .shapes import CHUNKINGS, PACED, PER_EVENT, Shape, lean_shape, openai_shape, paced_shape

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"


@contextmanager
def replay_process() -> Iterator[str]:
    """A running replay process: its ``http://host:port``."""
    command = [sys.executable, "-m", "benches.replay"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


_PAUSE = 0.0004
"""Seconds between two events of a paced response: enough for every client to have taken the one before."""


def _pieces(shape: Shape) -> list[bytes]:
    """The response, in the pieces in which it is sent."""
    chunks = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in CHUNKINGS[PER_EVENT](shape.streams[0])]
    pieces = [_HEAD, *chunks, b"0\r\n\r\n"]
    return pieces if shape.name == PACED else [b"".join(pieces)]


def _serve(connection: socket.socket, responses: dict[bytes, list[bytes]]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as requests:
        # "POST /openai/responses HTTP/1.1": the first segment names the stream.
        while request_line := requests.readline():
            length = 0
            while (line := requests.readline().lower()) not in (b"\r\n", b""):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            requests.read(length)
            for number, piece in enumerate(responses[request_line.split(b"/")[1]]):
                if number:
                    time.sleep(_PAUSE)
                connection.sendall(piece)


def _accept(listener: socket.socket, responses: dict[bytes, list[bytes]]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, responses), daemon=True).start()


def _main() -> None:
    responses = {shape.name.encode(): _pieces(shape) for shape in (openai_shape(), lean_shape(), paced_shape())}
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, responses), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)  # the threads wait in the kernel


if __name__ == "__main__":
    _main()
