"""A replay process that costs its clients nothing: ``python -m benches.replay`` prints its port and serves.

Whole responses are made in advance and leave in one ``sendall``, each event an HTTP chunk of its own. The path names
the stream. It ends when its standard input does, that is with its parent.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from . import ROOT
from .shapes import CHUNKINGS, PER_EVENT, lean_shape, openai_shape

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


def _response(stream: bytes) -> bytes:
    chunks = (b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in CHUNKINGS[PER_EVENT](stream))
    return _HEAD + b"".join(chunks) + b"0\r\n\r\n"


def _serve(connection: socket.socket, responses: dict[bytes, bytes]) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as requests:
        # "POST /openai/responses HTTP/1.1": the first segment names the stream.
        while request_line := requests.readline():
            length = 0
            while (line := requests.readline().lower()) not in (b"\r\n", b""):
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            requests.read(length)
            connection.sendall(responses[request_line.split(b"/")[1]])


def _accept(listener: socket.socket, responses: dict[bytes, bytes]) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=_serve, args=(connection, responses), daemon=True).start()


def _main() -> None:
    responses = {shape.name.encode(): _response(shape.streams[0]) for shape in (openai_shape(), lean_shape())}
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_accept, args=(listener, responses), daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()
    os._exit(0)  # the threads wait in the kernel


if __name__ == "__main__":
    _main()
