"""The run: requests start, are repeated where that helps, and are recorded."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from .._backend import HAS_TRANSPORT
from .._client.request import build
from .._client.retries import backoff
from ..errors import EugptFastError
from .attempt import Sender, asked_to_wait
from .ledger import Ledger
from .limits import Bucket, Concurrency, Pause, estimated_tokens
from .lines import InvalidLine, Line
from .options import Options
from .outcome import Outcome
from .stats import Stats

__all__ = ["BadKey", "InvalidInput", "Summary", "arun", "complete_all", "completing", "run"]

_FIRST_DELAY, _MAX_DELAY = 0.5, 30.0  # seconds between two attempts; doubled each time
_STOPPING = "stopping"
_OUTAGE, _FEWEST_UNANSWERED = 30.0, 10
"""Seconds without any answer, and attempts, after which the run stops: its requests would all become failures."""
_Completing = Callable[[Iterable[Line]], Awaitable[list[tuple[Line, Outcome]]]]


class BadKey(EugptFastError):
    """The API knows no such key: nothing was done."""


class InvalidInput(EugptFastError):
    """There are lines that are no requests. ``lines`` holds the first of them."""

    def __init__(self, lines: list[InvalidLine], count: int) -> None:
        first = "; ".join(f"line {line.number}: {line.reason}" for line in lines[:3])
        super().__init__(f"{count} invalid lines: {first} (skip_invalid, or --skip-invalid, runs the others)")
        self.lines = lines


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


@dataclass
class _Run:
    """What all requests of a run share."""

    sender: Sender
    options: Options
    stats: Stats
    concurrency: Concurrency
    requests: Bucket
    tokens: Bucket
    pause: Pause
    used_tokens: int = 0
    answered: bool = False
    unanswered: int = 0
    """Attempts since the last answer, and when that was."""
    answered_at: float = field(default_factory=time.monotonic)
    stopped: str | None = None
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, client: httpx.AsyncClient, options: Options, stats: Stats) -> _Run:
        return cls(
            sender=Sender(client, options),
            options=options,
            stats=stats,
            concurrency=Concurrency(options.concurrency, options.max_concurrency),
            requests=Bucket(options.rpm),
            tokens=Bucket(options.tpm),
            pause=Pause(),
        )

    def stop(self, why: str) -> None:
        """No more requests start."""
        if self.stopped is None:
            self.stopped = why
            self.stopping.set()

    def go_on(self) -> None:
        """More requests come: an outage before them may be over, a budget that is used up stays so."""
        self.unanswered, self.answered_at = 0, time.monotonic()
        if not self._is_spent:
            self.stopped = None
            self.stopping.clear()

    @property
    def _is_spent(self) -> bool:
        return self.options.max_total_tokens is not None and self.used_tokens >= self.options.max_total_tokens

    async def complete(self, line: Line) -> Outcome | None:
        """The request, until it succeeds or repeating cannot help. None if the run was stopped before."""
        expires = None if self.options.deadline is None else time.monotonic() + self.options.deadline
        attempts = 0
        while True:
            outcome = await self._attempt(line, expires)
            if outcome is None:
                return None
            attempts += 1
            outcome.attempts = attempts
            if outcome.verdict == "unreachable" and self.stopped is not None:
                return None  # the network, and not this request, has failed
            in_outage = outcome.verdict == "unreachable" and self.unanswered >= _FEWEST_UNANSWERED
            if outcome.ok or not outcome.retryable or (attempts >= self.options.attempts and not in_outage):
                return outcome
            asked = min(asked_to_wait(outcome), Pause.LONGEST)
            delay = max(backoff(attempts, _FIRST_DELAY, _MAX_DELAY), asked)
            if expires is not None and time.monotonic() + delay >= expires:
                return outcome
            self.stats.retried(outcome.error[0] if outcome.error else outcome.verdict)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self.stopping.wait(), delay)

    async def _attempt(self, line: Line, expires: float | None) -> Outcome | None:
        await self.concurrency.acquire()  # only now: a request that waits to be repeated holds no place
        overloaded = False
        try:
            await self.pause.over()
            estimate = 0.0
            if self.options.tpm is not None:  # else nobody asks, and the body is encoded once, to be sent
                estimate = estimated_tokens(line.body, len(orjson.dumps(line.body)))
            await self.requests.take(1.0)
            await self.tokens.take(estimate)
            if self.stopped is not None:
                return None
            self.stats.started()
            outcome = await self._within(expires, line)
            overloaded = outcome.retryable and outcome.verdict in ("refused", "unreachable")
            self.tokens.correct(outcome.tokens - estimate if outcome.usage else 0.0)
            self.pause.heed(outcome)
            self._count(outcome)
            return outcome
        finally:
            self.concurrency.release(overloaded=overloaded)

    async def _within(self, expires: float | None, line: Line) -> Outcome:
        left = None if expires is None else max(0.0, expires - time.monotonic())
        try:
            return await asyncio.wait_for(self.sender.send(line), left)
        except asyncio.TimeoutError:
            return Outcome("expired", error=("expired", f"not done within {self.options.deadline:g} seconds"))

    def _count(self, outcome: Outcome) -> None:
        if outcome.status_code == 401 and not self.answered:
            raise BadKey(f"the API refuses the key: {outcome.error[1] if outcome.error else '401'}")
        if outcome.verdict == "unreachable":
            self.unanswered += 1
            if self.unanswered >= _FEWEST_UNANSWERED and time.monotonic() - self.answered_at > _OUTAGE:
                self.stop(f"no answer for {_OUTAGE:g} seconds ({outcome.error[1] if outcome.error else 'unreachable'})")
            return
        self.answered, self.unanswered, self.answered_at = True, 0, time.monotonic()
        self.used_tokens += outcome.tokens
        if self._is_spent:
            self.stop("the budget of tokens is used up")


def _client() -> httpx.AsyncClient:
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=30.0)
    timeout = httpx.Timeout(
        connect=10, read=None, write=30, pool=None
    )  # content_timeout and deadline watch over reading
    if HAS_TRANSPORT:
        from .._transport import AsyncTransport  # noqa: PLC0415 - not in every build

        return httpx.AsyncClient(transport=AsyncTransport(limits=limits), timeout=timeout)
    return httpx.AsyncClient(limits=limits, timeout=timeout)


@contextlib.asynccontextmanager
async def completing(options: Options) -> AsyncIterator[_Completing]:
    """What completes requests, over one client and under one set of limits, however often it is called.

    Raises:
        MissingApiKey, ValueError: there is no key, or no address.
    """
    build({}, options.api_key, options.base_url)
    async with _client() as client:
        run = _Run.of(client, options, Stats())

        async def complete(line: Line) -> tuple[Line, Outcome]:
            outcome = await run.complete(line)
            stopped = Outcome("expired", error=(_STOPPING, run.stopped or ""))
            return line, outcome or stopped

        async def complete_these(lines: Iterable[Line]) -> list[tuple[Line, Outcome]]:
            run.go_on()
            return list(await _gather(complete(line) for line in lines))

        yield complete_these


async def complete_all(lines: Iterable[Line], options: Options) -> list[tuple[Line, Outcome]]:
    """The outcomes of these requests, in their order, all in memory.

    Raises:
        BadKey: the first answer is a 401.
        MissingApiKey, ValueError: there is no key, or no address.
    """
    async with completing(options) as complete:
        return await complete(lines)


async def _gather(work: Iterable[Awaitable[Any]]) -> list[Any]:
    tasks = [asyncio.ensure_future(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def arun(
    input: str | Path,
    output: str | Path,
    *,
    errors: str | Path | None = None,
    options: Options | None = None,
    on_progress: Callable[[Stats], None] | None = None,
    restart: bool = False,
) -> Summary:
    """Makes all requests of a file in the batch format, and writes their results; run again, it goes on.

    Args:
        input: path of the requests, or "-" for standard input.
        output: path of the results.
        errors: path of the failures; default: beside ``output``, named ``….errors.jsonl``.
        on_progress: called every second.
        restart: whether to forget what an earlier run has done.

    Raises:
        InvalidInput: lines that are no requests, unless ``options.skip_invalid``.
        BadKey: the first answer is a 401.
        OSError: a file cannot be read or written; what was recorded is safe.
        MissingApiKey, ValueError: there is no key, or no address.
    """
    options = options or Options()
    build({}, options.api_key, options.base_url)  # before anything is touched
    output = Path(output)
    errors = Path(errors) if errors is not None else output.with_name(f"{output.stem}.errors.jsonl")
    with contextlib.closing(
        Ledger.open(None if str(input) == "-" else Path(input), output, errors, options.fingerprint(), restart=restart)
    ) as ledger:
        counts = ledger.validate(sys.stdin.buffer if str(input) == "-" else None)
        if counts.invalid and not options.skip_invalid:
            raise InvalidInput(ledger.invalid(3), counts.invalid)
        ledger.record_invalid()
        stats = Stats(total=counts.pending + counts.done + counts.failed, done=counts.done, failed=counts.failed)
        async with _client() as client:
            run = _Run.of(client, options, stats)
            with _signals(run):
                async with _ticking(run, on_progress):
                    await _run(run, ledger)
        counts = ledger.counts()
        return Summary(counts.done, counts.failed, counts.pending, counts.invalid, run.stopped, stats)


def run(*args: Any, **options: Any) -> Summary:
    """As :func:`arun`, for code that is not async."""
    return asyncio.run(arun(*args, **options))


async def _run(run: _Run, ledger: Ledger) -> None:
    """Starts requests as there is room; ends when all are recorded, or the run was stopped."""
    tasks: set[asyncio.Task[None]] = set()
    lines = ledger.pending()
    try:
        while run.stopped is None and (line := next(lines, None)) is not None:
            tasks.add(asyncio.create_task(_complete(run, ledger, line)))
            # Requests that wait to be repeated hold no place, but memory.
            most = 2 * int(run.concurrency.limit) + 2
            while run.stopped is None and len(tasks) >= most:
                tasks = await _some(tasks, run)
        while tasks and run.stopped is None:
            tasks = await _some(tasks, run)
        if tasks:
            finished, tasks = await asyncio.wait(tasks, timeout=run.options.grace)
            _raise(finished)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ledger.flush()


async def _some(tasks: set[asyncio.Task[None]], run: _Run) -> set[asyncio.Task[None]]:
    """Waits until one is done, or the run is stopped. Returns the others."""
    stopping = asyncio.ensure_future(run.stopping.wait())
    try:
        finished, _ = await asyncio.wait({*tasks, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
    _raise(finished - {stopping})
    return tasks - finished


def _raise(finished: Iterable[asyncio.Future[Any]]) -> None:
    for each in finished:
        each.result()


async def _complete(run: _Run, ledger: Ledger, line: Line) -> None:
    outcome = await run.complete(line)
    if outcome is not None:
        run.stats.finished(outcome)
        await ledger.record(line, outcome)


@contextlib.contextmanager
def _signals(run: _Run) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) lets requests in flight finish; the second stops them."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def interrupted() -> None:
        if run.stopped is None:
            run.stats.note = f"{run.options.grace:g} s for what is in flight; Ctrl-C again stops at once"
            run.stop("interrupted")
        else:
            task.cancel()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):  # Windows, or not the main thread
            loop.add_signal_handler(number, interrupted)
            handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


@contextlib.asynccontextmanager
async def _ticking(run: _Run, on_progress: Callable[[Stats], None] | None) -> AsyncIterator[None]:
    def tick() -> None:
        run.stats.sample(int(run.concurrency.limit), run.concurrency.running)
        if on_progress is not None:
            on_progress(run.stats)

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
