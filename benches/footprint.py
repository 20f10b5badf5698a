"""Peak memory: ``python -m benches.footprint`` prints, as JSON, what reading took of each contender.

Every figure comes from a fresh fork of a fresh process: peaks never come down, and a used heap has room to hide in.
Resident memory, because tracemalloc does not see Rust. The stream is made piece by piece, so that it takes no room
itself. Linux only: nothing else lets a process reset its peak.
"""

import itertools
import json
import multiprocessing
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from eugpt_fast.testing import openai_stream

from . import ROOT
from .parsers import CONTENDERS, Contender

_PIECE = 64 * 1024
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def _big_event() -> Iterator[bytes]:
    yield b'data: {"type":"response.output_text.delta","delta":"'
    filler = b"The quick brown fox jumps over the lazy dog. " * 2000
    for _ in range(8 * 2**20 // _PIECE):
        yield filler[:_PIECE]
    yield b'"}\n\n'


def _many_events() -> Iterator[bytes]:
    body = openai_stream().body
    for _ in range(10):
        for at in range(0, len(body), _PIECE):
            yield body[at : at + _PIECE]


SCENES: dict[str, tuple[str, Callable[[], Iterator[bytes]]]] = {
    "big": ("one 8 MB event", _big_event),
    "many": ("20,080 OpenAI-shaped events, all kept", _many_events),
}


def measure() -> list[dict[str, Any]]:
    """Peak extra MiB of every contender that reads streams; nothing where it cannot be measured."""
    if not _CLEAR.exists():
        return []
    command = [sys.executable, "-m", "benches.footprint"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    rows: list[dict[str, Any]] = json.loads(found)
    return rows


def _in_a_fork(contender: Contender, scene: str) -> float:
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(_peak(contender, scene)))
    child.start()
    sender.close()  # so that a child that dies ends the wait
    peak: int = receiver.recv()
    child.join()
    return peak / 1024


def _memory(kind: str) -> int:
    """``VmRSS`` (now) or ``VmHWM`` (peak) of this process, in KiB."""
    match = re.search(rf"^{kind}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1])


def _peak(contender: Contender, scene: str) -> int:
    """The KiB by which reading the scene raises the peak of this process."""
    contender.read([b'data: {"type":"response.completed"}\n\n'])  # what is allocated once is not the stream's
    chunks = SCENES[scene][1]()
    first = next(chunks)  # nor is what making the stream takes

    _CLEAR.write_text("5")
    before = _memory("VmRSS")
    kept = contender.read(itertools.chain([first], chunks))
    peak = _memory("VmHWM")
    del kept
    return peak - before


def _main() -> None:
    readers = [contender for contender in CONTENDERS if not contender.is_floor]
    rows = [
        {"contender": contender.name, "scene": scene, "peak_mib": _in_a_fork(contender, scene)}
        for scene in SCENES
        for contender in readers
    ]
    print(json.dumps(rows))


if __name__ == "__main__":
    _main()
