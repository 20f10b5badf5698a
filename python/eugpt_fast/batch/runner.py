"""The run: requests start, are repeated where that helps, and are recorded."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .._client.request import build
from .checking import Tell
from .client import client
from .commit import GROUP
from .completion import Completion
from .errors import InvalidInput
from .interrupt import interruptible
from .ledger import Ledger
from .lines import Line
from .options import Options
from .snapshot import Checking
from .stats import Stats
from .tasks import Tasks

__all__ = ["Summary", "arun", "run"]

_SHOWN = 3  # lines that are no requests

OnProgress = Callable[[Stats], None]


@dataclass
class Summary:
    """How a run ended."""

    done: int
    failed: int
    pending: int
    """Requests that a later run will make: this one was stopped, or its tokens were used up."""
    invalid: int
    stopped: str | None
    """Why, if requests are pending."""
    stats: Stats = field(repr=False)


async def arun(
    input: str | Path,
    output: str | Path,
    *,
    errors: str | Path | None = None,
    options: Options | None = None,
    on_progress: OnProgress | None = None,
    restart: bool = False,
) -> Summary:
    """Makes all requests of a file in the batch format, and writes their results; run again, it goes on.

    Cancelling it stops at once; what had finished is recorded. While the input is read, which is done in a thread, that
    takes until the next line.

    Args:
        input: path of the requests, or "-" for standard input.
        output: path of the results.
        errors: path of the failures; default: beside ``output``, named ``….errors.jsonl``.
        on_progress: called every second, in the event loop.
        restart: whether to forget what an earlier run has done.

    Raises:
        InvalidInput: lines that are no requests, unless ``options.skip_invalid``.
        BadKey: the first answer is a 401.
        AlreadyRunning, InputChanged, OptionsChanged, OutputChanged: what is there belongs to another run.
        OSError: a file cannot be read or written; what was recorded is safe.
        MissingApiKey, ValueError: there is no key, or no address.
    """
    options = options or Options()
    loop, unwanted = asyncio.get_running_loop(), threading.Event()

    def pass_on(stats: Stats) -> None:
        if unwanted.is_set():
            raise asyncio.CancelledError
        if on_progress is not None:
            loop.call_soon_threadsafe(on_progress, stats)

    opening = loop.run_in_executor(None, partial(_opened, input, output, errors, options, pass_on, restart=restart))
    try:
        ledger, stats = await asyncio.shield(opening)
    except asyncio.CancelledError:
        unwanted.set()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            (await opening)[0].close()
        raise
    return await _work(ledger, stats, options, on_progress)


def run(
    input: str | Path,
    output: str | Path,
    *,
    errors: str | Path | None = None,
    options: Options | None = None,
    on_progress: OnProgress | None = None,
    restart: bool = False,
) -> Summary:
    """As :func:`arun`, for code that is not async.

    Raises:
        KeyboardInterrupt: by Ctrl-C while the input is read.
        asyncio.CancelledError: by the second Ctrl-C; after the first one, requests in flight have
            ``options.grace`` seconds to finish in.
    """
    options = options or Options()
    # In this thread, for there Ctrl-C ends it also while it waits for standard input.
    ledger, stats = _opened(input, output, errors, options, on_progress, restart=restart)
    return asyncio.run(_work(ledger, stats, options, on_progress))


def _opened(
    input: str | Path,
    output: str | Path,
    errors: str | Path | None,
    options: Options,
    on_progress: OnProgress | None,
    *,
    restart: bool,
) -> tuple[Ledger, Stats]:
    """Takes hold of the output, and looks through the input."""
    build({}, options.api_key, options.base_url)  # before anything is touched
    output = Path(output)
    errors = Path(errors) if errors is not None else output.with_name(f"{output.stem}.errors.jsonl")
    stats = Stats()

    def told(checking: Checking) -> None:
        stats.checking = checking
        if on_progress is not None:
            on_progress(stats)

    with contextlib.ExitStack() as opened:
        path = None if str(input) == "-" else Path(input)
        ledger = Ledger.open(path, output, errors, options.fingerprint(), restart=restart)
        opened.callback(ledger.close)
        counts = ledger.validate(sys.stdin.buffer if path is None else None, Tell(told))
        if counts.invalid and not options.skip_invalid:
            raise InvalidInput(ledger.invalid(_SHOWN), counts.invalid)
        ledger.record_invalid()
        opened.pop_all()
    stats = Stats(counts.pending + counts.done + counts.failed, done=counts.done, failed=counts.failed)
    stats.invalid = counts.invalid
    return ledger, stats


async def _work(ledger: Ledger, stats: Stats, options: Options, on_progress: OnProgress | None) -> Summary:
    with contextlib.closing(ledger):
        async with client() as http:
            completion = Completion(http, options, stats)
            with interruptible(completion.stop):
                async with _ticking(completion, stats, options, on_progress):
                    await _complete_all(completion, stats, ledger, options.grace)
        counts = ledger.counts()
        return Summary(counts.done, counts.failed, counts.pending, counts.invalid, completion.stop.why, stats)


def _most(completion: Completion) -> int:
    """How many requests are held in memory: those in flight, those that wait to be repeated, and those that are being
    recorded, which hold no place."""
    return 2 * int(completion.concurrency.limit) + 2 * GROUP


async def _complete_all(completion: Completion, stats: Stats, ledger: Ledger, grace: float) -> None:
    """Starts requests as there is room; ends when all are recorded, or the run was stopped."""

    async def complete(line: Line) -> None:
        outcome = await completion.complete(line)
        if outcome is not None:
            stats.finished(outcome)
            await ledger.record(line, outcome)

    tasks, stop = Tasks(), completion.stop
    stop.changed = tasks.look
    try:
        for line in ledger.pending():
            await tasks.until(lambda: stop.why is not None or len(tasks) < _most(completion))
            if stop.why is not None:
                break
            tasks.start(complete(line))
        await tasks.until(lambda: not tasks or stop.hurried)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(tasks.until(lambda: not tasks), grace)
    finally:
        await tasks.end()
        await ledger.flush()


@contextlib.asynccontextmanager
async def _ticking(
    completion: Completion, stats: Stats, options: Options, on_progress: OnProgress | None
) -> AsyncGenerator[None, None]:
    def tick() -> None:
        completion.sample()
        stats.note, stats.stopped = _note(completion, options), completion.stop.why
        if on_progress is not None:
            on_progress(stats)

    async def every_second() -> None:
        while True:
            tick()
            await asyncio.sleep(1.0)

    ticking = asyncio.create_task(every_second())
    try:
        yield
    finally:
        ticking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await ticking
        tick()


def _note(completion: Completion, options: Options) -> str | None:
    """That the run is about to end."""
    stop = completion.stop
    if stop.why is None:
        return None
    if stop.hurried:
        return f"{stop.why}: {options.grace:g} s for what is in flight; Ctrl-C again stops at once"
    return f"{stop.why}: nothing more starts, what is in flight finishes"
