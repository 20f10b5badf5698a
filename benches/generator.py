"""The load generator (``load/``, Rust) as a process of its own, on a core of its own.

``cargo build --release --example load`` builds it; ``make bench`` does.
"""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import ROOT

_PROGRAM = ROOT / "target/release/examples/load"
_OBFUSCATION = re.compile(rb'("obfuscation":")[^"]*(?=")')
_END_OF_EVENT = re.compile(rb"\}(?=\n\n)")
_PLACE_OF_TIME = b"0" * 19


@dataclass(frozen=True)
class Served:
    """A stream and how it leaves: ``burst``, ``each``, ``paced@N`` (N a second), ``idle``, ``whole`` (as JSON)."""

    mode: str
    body: bytes


class Generator:
    """A running generator."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self._process = process
        self.url = url

    def report(self) -> dict[str, Any]:
        """What it says of itself since the last report; ``load/main.rs`` lists the figures."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found


def stamped(body: bytes) -> bytes:
    """The body with room for the time of its write in every event, as ``obfuscation``."""
    events = []
    for event in _END_OF_EVENT.sub(b',"obfuscation":""}', body).split(b"\n\n"):
        # One that has an obfuscation keeps its own place: a JSON key comes once.
        once = event.removesuffix(b',"obfuscation":""}') + b"}" if event.count(b'"obfuscation":') == 2 else event
        events.append(_OBFUSCATION.sub(rb"\g<1>" + _PLACE_OF_TIME, once))
    return b"\n\n".join(events)


@contextmanager
def generating(streams: Mapping[str, Served]) -> Iterator[Generator]:
    """A generator that serves the streams, each under a path that begins with its name.

    Inside, this process and the threads it starts have the first of its cores, and the generator has the last. Where
    there is only one, they share it.
    """
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        arguments = []
        for name, served in streams.items():
            file = Path(folder, name)
            file.write_bytes(served.body)
            arguments.append(f"{name}={served.mode}:{file}")
        with subprocess.Popen(
            [_PROGRAM, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                port = int(process.stdout.readline())
                os.sched_setaffinity(process.pid, {cores[-1]})
                os.sched_setaffinity(0, {cores[0]})
                yield Generator(process, f"http://127.0.0.1:{port}")
            finally:
                os.sched_setaffinity(0, cores)
                process.stdin.close()
