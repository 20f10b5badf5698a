"""Proxies: one whose tunnels a test can watch or refuse, and a real one."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from .wire import PATIENCE, Connection, Script, response


def tunnelling(connection: Connection) -> None:
    """Opens what the client asks for with CONNECT, and passes bytes both ways."""
    _, target, _ = connection.request().line.split()
    host, _, port = target.decode().rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as upstream:
        connection.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        pass_on(connection.sock, upstream)


def refusing(status: bytes) -> Script:
    """Answers every CONNECT with this status."""

    def script(connection: Connection) -> None:
        connection.request()
        connection.send(response(b"no", status=status))
        connection.until_closed()

    return script


def socks5(connection: Connection) -> None:
    """A SOCKS 5 proxy that wants ``user`` and ``secret``, and opens names and addresses of IPv4."""
    receive = connection._exactly
    methods = receive(receive(2)[1])
    assert 2 in methods, "no user and password offered"
    connection.send(b"\x05\x02")
    user = receive(receive(2)[1])
    password = receive(receive(1)[0])
    connection.send(b"\x01" + (b"\x00" if (user, password) == (b"user", b"secret") else b"\x01"))
    kind = receive(4)[3]
    host = socket.inet_ntoa(receive(4)) if kind == 1 else receive(receive(1)[0]).decode()
    with socket.create_connection((host, int.from_bytes(receive(2), "big")), timeout=PATIENCE) as upstream:
        connection.send(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x00")
        pass_on(connection.sock, upstream)


def pass_on(client: socket.socket, upstream: socket.socket) -> None:
    """Until both sides have ended."""
    back = threading.Thread(target=_pump, args=(upstream, client))
    back.start()
    _pump(client, upstream)
    back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def real_proxy(folder: Path) -> Iterator[str]:
    """The address of ``proxy.py``, which runs in a process of its own."""
    port_file = folder / "port"
    command = [sys.executable, "-W", "ignore", "-m", "proxy", "--hostname", "127.0.0.1", "--port", "0"]
    command += ["--port-file", str(port_file), "--num-workers", "1", "--num-acceptors", "1", "--log-level", "ERROR"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE
        while not (port_file.exists() and port_file.read_text().strip()):
            assert process.poll() is None, "the proxy did not start"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port_file.read_text().split()[0]}"
    finally:
        process.terminate()
        process.wait(PATIENCE)
