"""Stands in for the run until it is there: one request after the other."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson

from .._client.request import build
from .._reader import AsyncEventStream
from ..errors import EugptFastError, StreamError
from .options import Options
from .outcome import Outcome
from .stats import Stats


class InvalidInput(EugptFastError):
    """There are lines that are no requests."""


@dataclass
class Summary:
    done: int
    failed: int
    pending: int
    invalid: int
    stopped: str | None
    stats: Stats = field(repr=False)


async def arun(
    input: str | Path,
    output: str | Path,
    *,
    errors: str | Path | None = None,
    options: Options | None = None,
    on_progress: Callable[[Stats], None] | None = None,
    restart: bool = False,
) -> Summary:
    options = options or Options()
    build({}, options.api_key, options.base_url)
    output = Path(output)
    errors = Path(errors) if errors is not None else output.with_name(f"{output.stem}.errors.jsonl")
    data = sys.stdin.buffer.read() if str(input) == "-" else Path(input).read_bytes()
    try:
        lines = [orjson.loads(line) for line in data.splitlines()]
    except ValueError as error:
        raise InvalidInput(f"1 invalid lines: line 1: {error}") from error
    stats = Stats(len(lines))
    async with httpx.AsyncClient() as client:
        with open(output, "wb") as good, open(errors, "wb") as bad:
            for line in lines:
                stats.started()
                begun = time.monotonic()
                request = build(line["body"], options.api_key, options.base_url)
                asked = client.build_request("POST", request.url, headers=request.headers, content=request.content)
                stream = AsyncEventStream(await client.send(asked, stream=True))
                try:
                    outcome = Outcome(str((await stream.collect()).verdict))
                except StreamError as error:
                    outcome = Outcome(str(error.verdict), error=(str(error.verdict), str(error)))
                outcome.duration = time.monotonic() - begun
                outcome.events = stream.metrics.events
                outcome.time_to_first_text = stream.metrics.time_to_first_text
                stats.finished(outcome)
                (good if outcome.ok else bad).write(orjson.dumps({"custom_id": line["custom_id"]}) + b"\n")
    stats.sample(1, 0)
    if on_progress:
        on_progress(stats)
    return Summary(stats.done, stats.failed, 0, 0, None, stats)


def run(*args: Any, **options: Any) -> Summary:
    return asyncio.run(arun(*args, **options))
