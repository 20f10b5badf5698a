"""``serve``: a recorded stream as a local server."""

from __future__ import annotations

import argparse
import contextlib
import threading
from pathlib import Path
from typing import Any

from .. import testing

_FAULTS = ", ".join(fault.value for fault in testing.Fault)


def add_commands(commands: Any) -> None:
    serve = commands.add_parser(
        "serve",
        help="serve a recorded stream over HTTP, with faults if you like",
        description="Answers every request with the stream in FILE until Ctrl-C. Point a client at the printed address "
        "to see what it makes of it.",
    )
    serve.add_argument("file", metavar="FILE", type=Path, help="the stream's bytes, as they are to be sent")
    serve.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=_port, default=0, help="port to listen on (default: a free one)")
    serve.add_argument("--pace", type=_seconds, default=0.0, metavar="SECONDS", help="time from one event to the next")
    serve.add_argument(
        "--fault",
        type=_fault,
        metavar="FAULT",
        help=f"what goes wrong, half way: {_FAULTS}",
    )
    serve.set_defaults(run=_serve)


def _port(text: str) -> int:
    with contextlib.suppress(ValueError):
        port = int(text)
        if 0 <= port < 2**16:
            return port
    raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        seconds = float(text)
        if 0 <= seconds < 3600:
            return seconds
    raise argparse.ArgumentTypeError("the pace is a number of seconds, from 0 up")


def _fault(text: str) -> testing.Fault:
    with contextlib.suppress(ValueError):
        return testing.Fault(text)
    raise argparse.ArgumentTypeError(f"there is no such fault; there are {_FAULTS}")


def _serve(arguments: argparse.Namespace) -> int:
    reply = testing.Reply(arguments.file.read_bytes(), pace=arguments.pace, fault=arguments.fault)
    with testing.ReplayServer(reply, host=arguments.host, port=arguments.port) as server:
        print(f"Serving {arguments.file} at {server.url}/v1/responses until Ctrl-C.", flush=True)
        threading.Event().wait()
    return 0
