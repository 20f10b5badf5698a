"""``bench``: the parser against its pure-Python twin, on your own stream."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import _pure, testing
from .._backend import Parser, build_info

_BLOCK = 64 * 1024
_ROUNDS = 7


def add_commands(commands: Any) -> None:
    bench = commands.add_parser(
        "bench",
        help="time the parser against its pure-Python twin",
        description="Parses a stream with the parser in use and with its pure-Python twin, checks that both give the "
        "same events, and prints the best of several rounds.",
    )
    bench.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", help="the stream's bytes (default: a generated one)"
    )
    bench.set_defaults(run=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    body = arguments.file.read_bytes() if arguments.file else testing.openai_stream().body
    chunkings = {
        "one event a chunk": [event + b"\n\n" for event in body.split(b"\n\n")],
        "64 KiB chunks": [body[at : at + _BLOCK] for at in range(0, len(body), _BLOCK)],
    }
    print(", ".join(f"{name} {value}" for name, value in build_info().items()))
    for name, chunks in chunkings.items():
        events = _parse(Parser, chunks)
        if events != _parse(_pure.Parser, chunks):
            raise ValueError("the two parsers disagree: please report this stream as a bug")
        if not events:
            raise ValueError("there is no event in this stream")
        ours, twin = (_best(parser, chunks) / len(events) for parser in (Parser, _pure.Parser))
        print(f"{name:<18} {len(events)} events  {ours:6.2f} µs/event  twin {twin:6.2f} µs/event  {twin / ours:.1f}x")
    return 0


def _parse(parser: Callable[[], Any], chunks: list[bytes]) -> list[Any]:
    feed = parser().feed
    return [event for chunk in chunks for event in feed(chunk)]


def _best(parser: Callable[[], Any], chunks: list[bytes]) -> float:
    """The shortest of several rounds, in µs of CPU time."""
    times: list[int] = []
    for _ in range(_ROUNDS):
        gc.collect()
        begun = time.process_time_ns()
        _parse(parser, chunks)
        times.append(time.process_time_ns() - begun)
    return min(times) / 1000
