"""A batch that is killed in its middle, and goes on: ``python examples/batch_demo.py [REQUESTS]``.

A local server replays a recorded stream; every few answers are cut, refused or failed. The command ``eugpt-fast batch``
runs against it, dies by SIGKILL, and is started again with the same arguments.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from eugpt_fast.testing import Fault, ReplayServer, Reply, openai_stream


def main(count: int) -> int:
    with tempfile.TemporaryDirectory() as folder, ReplayServer(_replies(count)) as server:
        requests, results = Path(folder, "requests.jsonl"), Path(folder, "results.jsonl")
        with requests.open("w") as file:
            for number in range(count):
                body = {"model": "any", "input": f"Tell me haiku {number}."}
                line = {"custom_id": f"haiku-{number}", "method": "POST", "url": "/v1/responses", "body": body}
                file.write(json.dumps(line) + "\n")
        command = [sys.executable, "-m", "eugpt_fast", "batch", str(requests), "--output", str(results)]
        environment = {**os.environ, "EUGPT_BASE_URL": server.url, "EUGPT_API_KEY": "demo-key-of-no-use"}

        print(f"$ eugpt-fast batch requests.jsonl --output results.jsonl   # {count} requests")
        with subprocess.Popen([*command, "--quiet"], env=environment) as first:
            while _lines(results) < count // 2 and first.poll() is None:
                time.sleep(0.02)
            first.send_signal(signal.SIGKILL)
        print(f"killed: {_lines(results)} results are written, {len(server.requests)} requests were made\n")

        print("$ eugpt-fast batch requests.jsonl --output results.jsonl   # the same again")
        subprocess.run(command, env=environment, check=False)

        ids: Counter[str] = Counter()
        for path in (results, results.with_name("results.errors.jsonl")):
            with path.open() as file:
                ids.update(json.loads(line)["custom_id"] for line in file)
        lost = count - len(ids)
        repeated = sum(times - 1 for times in ids.values())
        print(f"\n{count} requests, {len(server.requests)} attempts: {lost} lost, {repeated} repeated in the results")
        return 1 if lost or repeated else 0


def _replies(count: int) -> list[Reply]:
    """One reply an attempt, about one in ten with a fault."""
    body = openai_stream(20).body
    refusal = b'{"error": {"code": "rate_limit_exceeded", "message": "Slow down."}}'
    faults = [
        Reply(body, fault=Fault.RESET),
        Reply(body, fault=Fault.NO_TERMINAL),
        Reply(body, fault=Fault.CUT_IN_EVENT),
        Reply(body, fault=Fault.ERROR_FLAT),
        Reply(refusal, status=429, headers={"content-type": "application/json", "retry-after": "0"}),
    ]
    good = Reply(body)
    return [faults[number // 10 % len(faults)] if number % 10 == 9 else good for number in range(2 * count)] + [good]


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000))
