"""The process whose instructions are counted: ``python -m benches.counted FILE``, under valgrind.

FILE holds jobs, pickled: the name of a reader, and for each of its streams the pieces. A job runs once to warm up,
then once and then five times between marks: the difference is four times the job and nothing else. What it found is
kept until after the mark, as in the other benchmarks.
"""

import gc
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import eugpt_fast
import orjson
from eugpt_fast._backend import ResponseParser

FEW, MANY = 1, 5


def _feed(pieces: list[bytes]) -> Any:
    feed = eugpt_fast.Parser().feed
    return [feed(piece) for piece in pieces]


def _skim(pieces: list[bytes]) -> Any:
    skim = ResponseParser().skim
    return [skim(piece) for piece in pieces]


def _loads(payloads: list[bytes]) -> Any:
    loads = orjson.loads
    return [loads(payload) for payload in payloads]


READERS: dict[str, Callable[[list[bytes]], Any]] = {"feed": _feed, "skim": _skim, "orjson": _loads}


def _run(reader: str, streams: list[list[bytes]], repeats: int) -> Any:
    read = READERS[reader]
    return [read(pieces) for _ in range(repeats) for pieces in streams]


def _mark() -> None:
    os.getpriority(os.PRIO_PROCESS, 0)  # callgrind.MARK


def _main() -> None:
    jobs = pickle.loads(Path(sys.argv[1]).read_bytes())
    gc.disable()
    for reader, streams in jobs:
        _run(reader, streams, FEW)
        for repeats in (FEW, MANY):
            _mark()
            kept = _run(reader, streams, repeats)
            _mark()
            del kept


if __name__ == "__main__":
    _main()
