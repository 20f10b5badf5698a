"""The batch worker from Python, without and with asyncio: ``python examples/batch_library.py``.

Runs on this machine, against the package's own replay server. For real requests leave `base_url` and `api_key` out and
set `EUGPT_API_KEY`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from eugpt_fast import batch
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream


def from_file_to_file(folder: Path, options: batch.Options) -> None:
    """The same as the command: durable, and resumed by calling it again."""
    summary = batch.run(folder / "requests.jsonl", folder / "results.jsonl", options=options)
    print(f"{summary.done} done, {summary.failed} failed, {summary.pending} left")

    again = batch.run(folder / "requests.jsonl", folder / "results.jsonl", options=options)
    print(f"again: {again.done} done, of these {again.stats.done} in this run")


async def in_async_code(folder: Path, options: batch.Options) -> None:
    """As :func:`batch.run`, beside other tasks. Cancelling it stops at once; what had finished is recorded."""

    def watch(stats: batch.Stats) -> None:  # every second, in the event loop
        now = stats.snapshot()
        if now.checking is None:
            print(f"  {now.done} done, {now.in_flight} in flight, {now.events_per_s:.0f} events/s", file=sys.stderr)

    try:
        summary = await batch.arun(
            folder / "requests.jsonl", folder / "async.jsonl", options=options, on_progress=watch
        )
    except batch.BadKey as error:
        sys.exit(str(error))
    metrics = summary.stats.as_json()  # what --metrics writes
    print(f"async: {summary.done} done, retries {metrics['retries']}, {metrics['tokens']['output']} tokens out")


async def in_memory(options: batch.Options) -> None:
    """A few requests and their outcomes, in order, without any file."""
    lines = [batch.Line(n, f"q{n}", "/v1/responses", {"model": "any", "input": f"Question {n}"}) for n in range(1, 4)]
    for line, outcome in await batch.complete_all(lines, options):
        answer = outcome.body["status"] if outcome.ok and outcome.body else outcome.error
        print(f"{line.custom_id}: {outcome.verdict}, {answer}, {len(outcome.text)} characters")


def main() -> None:
    stream = lean_stream(40).body
    cut = Reply(stream, fault=Fault.NO_TERMINAL)
    with tempfile.TemporaryDirectory() as name, ReplayServer([cut] * 5 + [Reply(stream)]) as server:
        folder = Path(name)
        body = {"model": "any", "input": "Tell me a haiku."}
        with (folder / "requests.jsonl").open("w") as file:
            for number in range(100):
                line = {"custom_id": f"haiku-{number}", "method": "POST", "url": "/v1/responses", "body": body}
                file.write(json.dumps(line) + "\n")
        options = batch.Options(base_url=server.url, api_key="replay", max_concurrency=32)
        from_file_to_file(folder, options)
        asyncio.run(in_async_code(folder, options))
        asyncio.run(in_memory(options))


if __name__ == "__main__":
    main()
