"""What an open stream that is silent holds in memory: ``python -m benches.idle CONTENDER URL`` prints bytes per stream.

Each figure is a fresh process: a used heap has room to hide in.
"""

import asyncio
import gc
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eugpt_fast
import httpx
from eugpt_fast import AsyncEventStream
from eugpt_fast.testing import openai_stream

from . import ROOT
from .clients import HAS_NATIVE, NATIVE, OURS
from .generator import Served, generating

STREAMS = 2000
_FIRST = 100  # what is allocated once is not a stream's
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)


def measure() -> Iterator[dict[str, Any]]:
    """A row per contender."""
    with generating({"idle": Served("idle", openai_stream(1).body)}) as generator:
        for name in (*([OURS + NATIVE] if HAS_NATIVE else []), OURS):
            command = [sys.executable, "-m", "benches.idle", name, f"{generator.url}/idle"]
            found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
            yield {"contender": name, "streams": STREAMS, "bytes_per_stream": float(found.stdout)}


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


async def _bytes_per_stream(name: str, url: str) -> float:
    transport = eugpt_fast.AsyncTransport(limits=_LIMITS) if name.endswith(NATIVE) else None
    client = httpx.AsyncClient(transport=transport, limits=_LIMITS, timeout=60)
    kept: list[Any] = []

    async def hold(count: int) -> None:
        for _ in range(count):
            request = client.build_request("POST", url, json={})
            events = AsyncEventStream(await client.send(request, stream=True))
            await anext(events)
            kept.append(events)

    await hold(_FIRST)
    before = _resident()
    await hold(STREAMS)
    return (_resident() - before) / STREAMS


def _main() -> None:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(asyncio.run(_bytes_per_stream(*sys.argv[1:])), flush=True)
    os._exit(0)  # closing thousands of streams one by one is not what is measured


if __name__ == "__main__":
    _main()
