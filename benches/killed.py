"""Whether a batch loses anything: ``python -m benches.killed``. Every kind of fault, and SIGKILL again and again.

The replay server answers short requests; of its replies one in a hundred has each fault that it knows, and each status
that a busy API answers with. The process of the batch is killed five times at random moments.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream

from . import ROOT

_PATIENCE = 1.0  # seconds without content after which a stream counts as cut: two of the faults are silence
_CONCURRENCY = 128
_RUN = f"""
import sys
from eugpt_fast.batch import Options, run
options = Options(base_url=sys.argv[3], api_key="none", concurrency={_CONCURRENCY}, content_timeout={_PATIENCE})
run(sys.argv[1], sys.argv[2], options=options)
"""


def measure(requests: int, kills: int, seed: int) -> dict[str, Any]:
    """What came of them, by the files alone."""
    chance = random.Random(seed)
    replies = _replies(2 * requests, chance)
    with tempfile.TemporaryDirectory() as name, ReplayServer(replies) as server:
        folder = Path(name)
        write_requests(folder / "requests.jsonl", requests)
        results = folder / "results.jsonl"
        files = [results, folder / "results.errors.jsonl"]
        command = [sys.executable, "-c", _RUN, str(folder / "requests.jsonl"), str(results), server.url]
        begun = time.monotonic()
        killed_at = []
        for mark in sorted(chance.sample(range(requests // 20, requests * 9 // 10), kills)):
            with subprocess.Popen(command, cwd=ROOT) as process:
                while sum(map(_lines, files)) < mark and process.poll() is None:
                    time.sleep(0.05)
                process.send_signal(signal.SIGKILL)
            killed_at.append(sum(map(_lines, files)))
        subprocess.run(command, cwd=ROOT, check=True)
        seconds = time.monotonic() - begun
        ids = [Counter(json.loads(line)["custom_id"] for line in path.open()) for path in files]
        attempts = len(server.requests)
    found = ids[0] + ids[1]
    served = Counter(_kind(reply) for reply in replies[:attempts])
    return {
        "requests": requests,
        "attempts": attempts,
        "faults": {kind: count for kind, count in sorted(served.items()) if kind != "none"},
        "results written when killed": killed_at,
        "results": ids[0].total(),
        "errors": ids[1].total(),
        "lost": requests - len(found),
        "repeated": found.total() - len(found),
        "seconds": seconds,
    }


def _replies(count: int, chance: random.Random) -> list[Reply]:
    body = openai_stream(5).body
    good = Reply(body)
    bad = [Reply(body, fault=fault) for fault in Fault]
    bad += [Reply.error(429, retry_after=0), Reply.error(500), Reply.html(502), Reply.error(503)]
    places = (chance.randrange(100) for _ in range(count))
    return [bad[place] if place < len(bad) else good for place in places]


def _kind(reply: Reply) -> str:
    if reply.fault is not None:
        return reply.fault.value
    return "none" if reply.status == 200 else str(reply.status)


def write_requests(path: Path, count: int) -> None:
    """So many requests in the batch format."""
    with path.open("w") as file:
        for number in range(count):
            body = {"model": "any", "input": f"Tell me haiku {number}."}
            line = {"custom_id": f"haiku-{number}", "method": "POST", "url": "/v1/responses", "body": body}
            file.write(json.dumps(line) + "\n")


def _lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(2**20), b""))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benches.killed", description="A batch with faults, killed.")
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    found = measure(options.requests, options.kills, options.seed)
    print(json.dumps(found, indent=1))
    return 1 if found["lost"] or found["repeated"] else 0


if __name__ == "__main__":
    sys.exit(main())
