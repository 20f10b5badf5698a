"""A run without a network, for tests that kill it: ``python -m tests.batch.recorder``.

Each request has its outcome at once. Once a result is durable its ``custom_id`` goes to standard output. With WHERE
the process kills itself there, the NTH time it comes by.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eugpt_fast.batch import appended, source
from eugpt_fast.batch.index import Index
from eugpt_fast.batch.lines import Line

from .jobs import open_ledger, outcome_of

PLACES = (
    "before write",
    "inside write",
    "after write",
    "after sync",
    "after commit",
    "after mark",
    "reading",
    "validated",
)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hook(owner: Any, name: str, nth: int, before: Callable[..., Any] | None, after: Callable[..., Any] | None) -> None:
    """Calls ``before`` or ``after`` the nth call of a function."""
    real, calls = getattr(owner, name), 0

    def hooked(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == nth and before:
            before(*args)
        result = real(*args)
        if calls == nth and after:
            after(*args)
        return result

    setattr(owner, name, hooked)


def lay_trap(where: str, nth: int) -> None:
    write = os.write

    def half(fd: int, data: bytes) -> None:
        write(fd, data[: len(data) // 2])
        die()

    def gone(*_: Any) -> None:
        die()

    owner, name, before, after = {
        "before write": (os, "write", gone, None),
        "inside write": (os, "write", half, None),
        "after write": (appended, "sync", gone, None),
        "after sync": (Index, "commit", gone, None),
        "after commit": (Index, "commit", None, gone),
        "after mark": (Index, "mark", None, gone),
        "reading": (source, "parse", gone, None),
        "validated": (Index, "counts", gone, None),
    }[where]
    hook(owner, name, nth, before, after)


async def run(input: Path, directory: Path, size: int) -> None:
    with contextlib.closing(open_ledger(directory, input)) as ledger:
        ledger.validate()
        room = asyncio.Semaphore(300)  # more than a group

        async def complete(line: Line) -> None:
            try:
                await ledger.record(line, outcome_of(line, size))
            finally:
                room.release()
            sys.stdout.write(line.custom_id + "\n")
            sys.stdout.flush()

        tasks = []
        for line in ledger.pending():
            await room.acquire()
            tasks.append(asyncio.create_task(complete(line)))
        await asyncio.gather(*tasks)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("input", type=Path)
    parser.add_argument("directory", type=Path)
    parser.add_argument("where", nargs="?", choices=PLACES)
    parser.add_argument("nth", nargs="?", type=int, default=1)
    parser.add_argument("--size", type=int, default=10, help="of an answer, in characters")
    parser.add_argument("--max-file", type=int, help="bytes that a file may have")
    arguments = parser.parse_args()
    if arguments.max_file:
        resource.setrlimit(resource.RLIMIT_FSIZE, (arguments.max_file, arguments.max_file))
    if arguments.where:
        lay_trap(arguments.where, arguments.nth)
    try:
        asyncio.run(run(arguments.input, arguments.directory, arguments.size))
    except OSError as error:
        sys.exit(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
