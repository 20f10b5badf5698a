"""Peak memory: ``python -m benches.footprint CONTENDER SCENE`` prints the KiB that reading took, in a fresh process.

A process per figure, because peaks never come down; resident memory, because tracemalloc does not see Rust. The stream
is made piece by piece, so that it takes no room itself. Linux only: nothing else lets a process reset its peak.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from eugpt_fast.testing import openai_stream

from .parsers import BY_NAME, CONTENDERS

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


def measure() -> list[dict[str, str | float]]:
    """Peak extra MiB of every contender that reads streams."""
    if not _CLEAR.exists():
        return []
    return [
        {"contender": contender.name, "scene": scene, "peak_mib": _in_a_fresh_process(contender.name, scene)}
        for scene in SCENES
        for contender in CONTENDERS
        if not contender.is_floor
    ]


def _in_a_fresh_process(contender: str, scene: str) -> float:
    command = [sys.executable, "-m", "benches.footprint", contender, scene]
    root = Path(__file__).parent.parent
    return int(subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout) / 1024


def _memory(kind: str) -> int:
    """``VmRSS`` (now) or ``VmHWM`` (peak) of this process, in KiB."""
    match = re.search(rf"^{kind}:\s+(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert match is not None
    return int(match[1])


def _main(contender: str, scene: str) -> None:
    read = BY_NAME[contender].read
    read([b'data: {"type":"response.completed"}\n\n'])  # what is allocated once is not the stream's
    chunks = SCENES[scene][1]()
    first = next(chunks)  # and what making the stream takes is not the contender's

    def stream() -> Iterator[bytes]:
        yield first
        yield from chunks

    _CLEAR.write_text("5")
    before = _memory("VmRSS")
    kept = read(stream())
    print(_memory("VmHWM") - before)
    del kept


if __name__ == "__main__":
    _main(*sys.argv[1:])
