"""``serve``: a recorded stream as a local server."""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from typing import Any

from .. import testing


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
        type=testing.Fault,
        choices=list(testing.Fault),
        metavar="FAULT",
        help="what goes wrong, half way: " + ", ".join(fault.value for fault in testing.Fault),
    )
    serve.set_defaults(run=_serve)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port < 2**16:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < 3600:
        raise argparse.ArgumentTypeError("the pace is a number of seconds, from 0 up")
    return seconds


def _serve(arguments: argparse.Namespace) -> int:
    reply = testing.Reply(arguments.file.read_bytes(), pace=arguments.pace, fault=arguments.fault)
    with testing.ReplayServer(reply, host=arguments.host, port=arguments.port) as server:
        print(f"Serving {arguments.file} at {server.url}/v1/responses until Ctrl-C.", flush=True)
        threading.Event().wait()
    return 0
