"""Many short requests from a file into a file: ``python -m benches.runners``.

The batch worker beside what people write for that: the whole answer of each request, with aiohttp or httpx, under a
semaphore, appended to a file, as in the vendor's cookbook; and the SDK's streams under a semaphore. The load generator
answers at once. The others do not do the same work: none of them resumes, or knows a cut stream from a whole one.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import openai
from eugpt_fast.batch import Options, run
from eugpt_fast.compat.openai import accelerate
from eugpt_fast.testing import openai_stream

from .clients import LIMITS
from .generator import Served, generating
from .killed import write_requests
from .measure import Effort, interleaved

_STREAM = openai_stream(50)
_RESPONSE = json.loads(_STREAM.body.rstrip().rpartition(b"data: ")[2])["response"]
_CONCURRENCY = 64
_OURS = "eugpt-fast batch"

_Ask = Callable[[dict[str, Any]], Awaitable[str]]


def measure(requests: int, rounds: int) -> list[dict[str, Any]]:
    """A row per contender."""
    served = {"stream": Served("burst", _STREAM.body), "whole": Served("whole", json.dumps(_RESPONSE).encode())}
    with tempfile.TemporaryDirectory() as name, generating(served) as generator:
        source, target = Path(name, "requests.jsonl"), Path(name, "results.jsonl")
        write_requests(source, requests)
        contenders: dict[str, Callable[[], None]] = {
            _OURS: lambda: _batch(source, target, f"{generator.url}/stream"),
            "aiohttp, whole answers": lambda: asyncio.run(_by_aiohttp(source, target, f"{generator.url}/whole")),
            "httpx, whole answers": lambda: asyncio.run(_by_httpx(source, target, f"{generator.url}/whole")),
            "AsyncOpenAI, streams": lambda: asyncio.run(_by_sdk(source, target, f"{generator.url}/stream")),
            "AsyncOpenAI, streams, accelerated": lambda: asyncio.run(
                _by_sdk(source, target, f"{generator.url}/stream", accelerate)
            ),
        }
        walls: dict[str, list[float]] = {name: [] for name in contenders}

        def job(name: str) -> None:
            for path in Path(source.parent).glob("results*"):
                path.unlink()
            generator.report()
            contenders[name]()
            walls[name].append(generator.report()["seconds"])
            _check(target, requests)

        times = interleaved({name: partial(job, name) for name in contenders}, Effort(rounds, 60.0, rounds, 0.0))
    return [
        {
            "contender": name,
            "cpu_us_per_request": taken.best / requests / 1000,
            "median_cpu_us_per_request": taken.median / requests / 1000,
            "requests_per_second": requests / min(walls[name]),
            "times_the_cpu_of_ours": taken.ratio_to(times[_OURS]),
        }
        for name, taken in times.items()
    ]


def _check(target: Path, requests: int) -> None:
    lines = [json.loads(line) for line in target.open()]
    if len(lines) != requests or any(line["response"]["body"]["id"] != _RESPONSE["id"] for line in lines):
        raise AssertionError(f"not {requests} results, or other responses than the server's")


def _batch(source: Path, target: Path, url: str) -> None:
    run(source, target, options=Options(base_url=url, api_key="none", concurrency=_CONCURRENCY))


async def _each(source: Path, target: Path, ask: _Ask) -> None:
    """Every request under one semaphore; what comes is appended."""
    turns = asyncio.Semaphore(_CONCURRENCY)

    async def one(line: dict[str, Any]) -> None:
        async with turns:
            response = await ask(line["body"])
        with target.open("a") as file:
            file.write(f'{{"custom_id":"{line["custom_id"]}","response":{{"body":{response}}}}}\n')

    with source.open() as file:
        await asyncio.gather(*(one(json.loads(line)) for line in file))


async def _by_aiohttp(source: Path, target: Path, url: str) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask(body: dict[str, Any]) -> str:
            async with session.post(f"{url}/v1/responses", json=body) as response:
                return json.dumps(await response.json())

        await _each(source, target, ask)


async def _by_httpx(source: Path, target: Path, url: str) -> None:
    async with httpx.AsyncClient(limits=httpx.Limits(**LIMITS)) as client:

        async def ask(body: dict[str, Any]) -> str:
            response = await client.post(f"{url}/v1/responses", json=body)
            return json.dumps(response.json())

        await _each(source, target, ask)


async def _by_sdk(source: Path, target: Path, url: str, wrap: Callable[[Any], Any] = lambda client: client) -> None:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0) as client:
        responses = wrap(client).responses

        async def ask(body: dict[str, Any]) -> str:
            final = None
            async for event in await responses.create(**body, stream=True):
                if event.type == "response.completed":
                    final = event.response
            if final is None:
                raise AssertionError("the stream was cut")
            return str(final.model_dump_json())

        await _each(source, target, ask)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.runners", description="Ways to run a batch, as JSON.")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for row in measure(options.requests, options.rounds):
        print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
