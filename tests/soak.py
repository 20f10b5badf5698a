"""Ten million events each through `feed`, `collect` and the native transport, in flat memory: `python tests/soak.py`.

Prints the resident memory as it goes. It is an error if it grows by more than 4 MiB once a tenth of the events has
passed, or if an event is lost.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import eugpt_fast
import httpx
from eugpt_fast import EventStream, Parser
from eugpt_fast.testing import ReplayServer, Reply, chunking, openai_stream

STREAM = openai_stream(2000)  # 2,008 events
CHUNKS = [chunk.data for chunk in chunking.every(16 * 1024)(STREAM.body)]
MIB = 2**20
ALLOWED = 4 * MIB


def resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def soak(name: str, events: int, read: Callable[[], int]) -> bool:
    """Reads streams until so many events have passed. Whether memory was flat and no event was lost."""
    streams = -(-events // STREAM.events)
    sizes, begun = [], time.perf_counter()
    for number in range(1, streams + 1):
        if read() != STREAM.events:
            print(f"{name}: stream {number} has not all its events")
            return False
        if number % (streams // 10 or 1) == 0:
            sizes.append(resident())
            print(f"{name}: {number * STREAM.events:>12,} events, {sizes[-1] / MIB:6.1f} MiB resident", flush=True)
    grown = max(sizes[1:], default=sizes[0]) - sizes[0]
    seconds = time.perf_counter() - begun
    print(f"{name}: {grown / MIB:+.1f} MiB since a tenth, {seconds:.0f} s")
    return grown < ALLOWED


def feed() -> int:
    parser = Parser()
    count = sum(len(parser.feed(chunk)) for chunk in CHUNKS)
    parser.finish()
    return count


def collect() -> int:
    return EventStream(CHUNKS).collect().metrics.events


def over(client: httpx.Client, url: str) -> int:
    with client.stream("POST", url) as response:
        return sum(1 for _ in EventStream(response))


def serve(ready: Connection) -> None:
    """In a process of its own, so that its memory is not ours."""
    with ReplayServer(Reply(STREAM.body, chunking=chunking.every(16 * 1024))) as server:
        ready.send(server.url)
        ready.recv()


def main() -> int:
    options = argparse.ArgumentParser(description="Memory over ten million events.")
    options.add_argument("--events", type=int, default=10_000_000)
    events = options.parse_args().events
    print(eugpt_fast.build_info())
    flat = [soak("feed", events, feed), soak("collect", events, collect)]
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    server.start()
    url = ours.recv()
    with httpx.Client(transport=eugpt_fast.Transport()) as client:
        flat.append(soak("native transport", events, lambda: over(client, url)))
    ours.send(None)
    server.join()
    return 0 if all(flat) else 1


if __name__ == "__main__":
    sys.exit(main())
