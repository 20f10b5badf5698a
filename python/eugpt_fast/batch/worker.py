"""Requests as rows of a table, for engines that spread a table over machines."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, ClassVar, TypeVar, cast

from .in_memory import completing
from .lines import InvalidLine, Line
from .options import Options
from .outcome import Outcome
from .rows import SCHEMA, invalid, like, line_of, result, rows_of

__all__ = ["Worker"]

Batch = TypeVar("Batch")

_DIVIDED = ("concurrency", "max_concurrency", "rpm", "tpm", "max_total_tokens")


class Worker:
    """Completes batches of requests: rows in, rows out, in the same order.

    A row has ``custom_id``, ``body`` (JSON, or an object) and may have ``url`` (default ``/v1/responses``) and
    ``method``, as a line of the batch format. A row comes out for each, with the columns of :attr:`SCHEMA`: a request
    that failed, or a row that is none, is a row with an ``error_code``. Nothing but a bad key raises.

    It can be pickled: the client, its connections and the state of the limits belong to the process that calls it.
    Limits hold over all of the batches of a worker, and each of ``workers`` has its part of them.

    Args:
        workers: over how many workers the limits are divided.
        **options: those of :class:`~eugpt_fast.batch.Options`. ``concurrency``, ``max_concurrency``, ``rpm``, ``tpm``
            and ``max_total_tokens`` are those of all workers together.

    Raises:
        ValueError: a limit that cannot be divided, or is not positive.

    Examples:
        >>> dataset.map_batches(Worker, fn_constructor_kwargs={"workers": 4}, batch_size=512)  # doctest: +SKIP
        >>> frame.mapInPandas(Worker(workers=4).batches, Worker.SCHEMA)  # doctest: +SKIP
    """

    SCHEMA: ClassVar[str] = SCHEMA
    """The columns that come out and their types, as Spark writes them. ``body`` is JSON, and null unless there is a
    whole answer; ``text`` is its text, or what had come of it; ``duration_s`` is that of the last attempt."""

    def __init__(self, *, workers: int = 1, **options: Any) -> None:
        self._options = _divided(Options(**options), workers)
        self._home: _Home | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_home": None}

    def __call__(self, batch: Batch) -> Batch:
        """Completes one batch: a dict of columns, a ``pandas.DataFrame``, or a list of dicts; returns the same kind.

        Raises:
            BadKey, MissingApiKey: there is no key, or the API refuses it.
        """
        if self._home is None:
            self._home = _Home(self._options)
        rows = rows_of(batch)
        lines = [line_of(number, row) for number, row in enumerate(rows, 1)]
        done = iter(self._home.complete([line for line in lines if isinstance(line, Line)]))
        results = [
            invalid(line, row) if isinstance(line, InvalidLine) else result(*next(done))
            for line, row in zip(lines, rows, strict=True)
        ]
        return cast(Batch, like(batch, results))

    def batches(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """As calling it with each batch in turn, and closing it then: for ``mapInPandas``."""
        try:
            for batch in batches:
                yield self(batch)
        finally:
            self.close()

    def close(self) -> None:
        """Closes the connections. Calling the worker again opens new ones, with fresh limits."""
        home, self._home = self._home, None
        if home is not None:
            home.close()


class _Home:
    """An event loop in a thread of its own, for the caller may have one too; and the client that lives there."""

    def __init__(self, options: Options) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon, so that a worker that nobody closed does not keep the interpreter from ending.
        self._thread = threading.Thread(target=self._loop.run_forever, name="eugpt-fast worker", daemon=True)
        self._thread.start()
        self._stack = contextlib.AsyncExitStack()
        self._complete: Any = None
        self._options = options

    def complete(self, lines: list[Line]) -> list[tuple[Line, Outcome]]:
        work = asyncio.run_coroutine_threadsafe(self._run(lines), self._loop)
        try:
            return work.result()
        except BaseException:
            work.cancel()
            raise

    async def _run(self, lines: list[Line]) -> list[tuple[Line, Outcome]]:
        if self._complete is None:
            self._complete = await self._stack.enter_async_context(completing(self._options))
        done: list[tuple[Line, Outcome]] = await self._complete(lines)
        return done

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def _divided(options: Options, workers: int) -> Options:
    if workers < 1:
        raise ValueError("workers must be positive")
    parts: dict[str, Any] = {}
    for name in _DIVIDED:
        limit = getattr(options, name)
        if limit is None:
            continue
        whole = name not in ("rpm", "tpm")
        parts[name] = limit // workers if whole else limit / workers
        if not parts[name]:
            raise ValueError(f"{name} is {limit}: too little for {workers} workers")
    return replace(options, **parts)
