"""A server whose every byte a test decides, and which notes every byte that the client sent."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

PATIENCE = 20  # seconds until a test that waits in vain fails
_LINGER_ZERO = struct.pack("ii", 1, 0)  # closing then sends RST instead of FIN


@dataclass(frozen=True)
class Sent:
    """One request, as it came over the wire."""

    head: bytes
    body: bytes
    peer: Any

    @property
    def line(self) -> bytes:
        return self.head.split(b"\r\n")[0]

    @property
    def fields(self) -> list[tuple[bytes, bytes]]:
        """Names and values as they were written, in order."""
        lines = self.head.split(b"\r\n")[1:-2]
        return [(name, value) for name, _, value in (line.partition(b": ") for line in lines)]

    def values(self, name: bytes) -> list[bytes]:
        return [value for found, value in self.fields if found.lower() == name]


class Connection:
    """What a script can do with an accepted connection."""

    def __init__(self, sock: socket.socket, server: WireServer) -> None:
        self.sock = sock
        self.unread = b""
        self._server = server

    def request(self) -> Sent:
        """The next request with its body. Raises EOFError when the client has left."""
        head = self.head()
        if b"\r\ntransfer-encoding: chunked\r\n" in head.lower():
            body = self.until(b"0\r\n\r\n")  # no body of these tests has this in it
        else:
            lines = head.lower().split(b"\r\n")
            lengths = [line.split(b":")[1] for line in lines if line.startswith(b"content-length:")]
            body = self._exactly(int(lengths[0]) if lengths else 0)
        sent = Sent(head, body, self.sock.getpeername())
        self._server.requests.append(sent)
        return sent

    def head(self) -> bytes:
        return self.until(b"\r\n\r\n")

    def until(self, mark: bytes) -> bytes:
        """What comes up to this mark, and the mark."""
        while mark not in self.unread:
            self._receive()
        return self._exactly(self.unread.index(mark) + len(mark))

    def send(self, *pieces: bytes) -> None:
        """Each piece is a segment of its own as far as the kernel of one machine goes."""
        for piece in pieces:
            self.sock.sendall(piece)

    def pause(self) -> None:
        """Lets the client read what was sent, so that the next bytes come to it by themselves."""
        time.sleep(0.001)

    def reset(self) -> None:
        """Ends the connection with RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self.sock.close()

    def until_closed(self) -> None:
        """Waits until the client has ended the connection."""
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            while self.sock.recv(65536):
                pass

    def _receive(self) -> None:
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.unread += data

    def _exactly(self, size: int) -> bytes:
        while len(self.unread) < size:
            self._receive()
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken


Script: TypeAlias = Callable[[Connection], None]


class WireServer:
    """Runs a script per connection, each in a thread: the nth connection has the nth script, the last one is repeated.

    When a script returns, the connection is closed. That the client left early is no error of the script; any other one
    is raised when the server is closed.
    """

    def __init__(
        self,
        *scripts: Script | bytes,
        tls: ssl.SSLContext | None = None,
        address: Any = ("127.0.0.1", 0),
        family: socket.AddressFamily = socket.AF_INET,
    ) -> None:
        self.requests: list[Sent] = []
        self.connections = 0
        self._scripts = [answering(script) if isinstance(script, bytes) else script for script in scripts]
        self._tls = tls
        self._errors: list[Exception] = []
        self._changed = threading.Condition()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(address)
        self._listener.listen(128)
        self.address = self._listener.getsockname()
        self._acceptor = threading.Thread(target=self._accept)

    @property
    def port(self) -> int:
        return int(self.address[1])

    @property
    def url(self) -> str:
        host = "[::1]" if self._listener.family == socket.AF_INET6 else "127.0.0.1"
        return f"https://localhost:{self.port}" if self._tls else f"http://{host}:{self.port}"

    @property
    def open(self) -> int:
        """How many connections neither side has closed."""
        return len(self._open)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Returns once the condition holds, which is looked at whenever a connection comes or goes."""
        with self._changed:
            assert self._changed.wait_for(condition, PATIENCE), "it did not come true"

    def wait_until_left(self) -> None:
        """Returns once no connection is open."""
        self.wait_for(lambda: not self._open)

    def __enter__(self) -> WireServer:
        self._acceptor.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        with self._changed:
            threads = list(self._open)
            for sock in self._open.values():
                _shut(sock)
        for thread in threads:
            thread.join()
        if self._errors and exception[0] is None:
            raise self._errors[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(PATIENCE)
            with self._changed:
                script = self._scripts[min(self.connections, len(self._scripts) - 1)]
                thread = threading.Thread(target=self._run, args=(sock, script))
                self.connections += 1
                self._open[thread] = sock
                self._changed.notify_all()
            thread.start()

    def _run(self, sock: socket.socket, script: Script) -> None:
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            script(Connection(sock, self))
        except (EOFError, ConnectionError, ssl.SSLError):
            pass
        except Exception as error:
            self._errors.append(error)
        finally:
            _shut(sock)
            sock.close()
            with self._changed:
                del self._open[threading.current_thread()]
                self._changed.notify_all()


def answering(*answers: bytes) -> Script:
    """The nth request of a connection gets the nth answer, the last one is repeated."""

    def script(connection: Connection) -> None:
        for number in range(1_000_000):
            connection.request()
            connection.send(answers[min(number, len(answers) - 1)])

    return script


class HeldBack:
    """A script that answers every request but keeps the last byte until it is released."""

    def __init__(self, answer: bytes) -> None:
        self.release = threading.Event()
        self._answer = answer

    def __call__(self, connection: Connection) -> None:
        while True:
            connection.request()
            connection.send(self._answer[:-1])
            assert self.release.wait(PATIENCE)
            connection.send(self._answer[-1:])


def once(*pieces: bytes) -> Script:
    """Answers one request with these pieces and ends the connection."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(*pieces)

    return script


def response(body: bytes = b"", *fields: bytes, status: bytes = b"200 OK") -> bytes:
    """A response with a content length."""
    lines = [b"HTTP/1.1 " + status, *fields, b"Content-Length: %d" % len(body)]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body; the last one for no data."""
    return b"%x\r\n%b\r\n" % (len(data), data)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
