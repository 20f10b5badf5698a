"""Servers that speak HTTP/2: a real one, and one whose frames a test decides."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import h2.config
import h2.connection
import h2.events
import hypercorn.asyncio
import hypercorn.config
from h2.connection import ConnectionState

from .tls import authority
from .wire import Connection, Script

Act: TypeAlias = Callable[[h2.connection.H2Connection, h2.events.RequestReceived], None]


def scripted(act: Act) -> Script:
    """For a ``WireServer``: calls ``act`` with each request, and sends what it has the connection say."""

    def script(connection: Connection) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
        state.initiate_connection()
        connection.send(state.data_to_send())
        while data := connection.sock.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    act(state, event)
            connection.send(state.data_to_send())
            if state.state_machine.state is ConnectionState.CLOSED:  # we have said goodbye
                connection.until_closed()

    return script


@contextlib.contextmanager
def hypercorn_server(app: Any, folder: Path, tls: bool) -> Iterator[str]:
    """The address where hypercorn serves an ASGI application, with a certificate for ``localhost`` or in plain text."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    port = listener.getsockname()[1]
    config = hypercorn.config.Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.graceful_timeout = 0
    if tls:
        config.certfile, config.keyfile = str(folder / "cert.pem"), str(folder / "key.pem")
        mine = authority().issue_cert("localhost")
        mine.cert_chain_pems[0].write_to_path(config.certfile)
        mine.private_key_pem.write_to_path(config.keyfile)
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    loop.set_exception_handler(lambda _loop, _context: None)
    serving = hypercorn.asyncio.serve(app, config, shutdown_trigger=stop.wait, mode="asgi")

    def run() -> None:
        with contextlib.suppress(ssl.SSLError):  # what a client still sends while hypercorn closes
            loop.run_until_complete(serving)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
