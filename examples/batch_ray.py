"""Requests in a Ray dataset, answered by two actors.

    pip install 'ray[data]'
    python examples/batch_ray.py

Runs on this machine, against the package's own replay server. For real ones leave `base_url` and `api_key` out, set
`EUGPT_API_KEY` on every node, and read and write files in place of `from_items` and `take_all`.
"""

import json
from collections import Counter
from typing import Any

import ray
from eugpt_fast.batch import Worker
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream

WORKERS = 2


def answers(questions: "ray.data.Dataset", **options: Any) -> "ray.data.Dataset":
    """A row with its answer, or its error, for each row of `custom_id` and `body`."""
    return questions.map_batches(
        Worker,
        fn_constructor_kwargs={"workers": WORKERS, **options},
        compute=ray.data.ActorPoolStrategy(size=WORKERS),
        batch_size=128,  # a batch ends with its slowest request: several times the concurrency of a worker
    )


def main() -> None:
    bodies = [json.dumps({"model": "any", "input": f"Tell me about {number}."}) for number in range(500)]
    rows = [{"custom_id": f"question-{number}", "body": body} for number, body in enumerate(bodies)]
    rows.append({"custom_id": "torn", "body": '{"input": "Tell'})
    stream = lean_stream(40).body
    cut = Reply(stream, fault=Fault.NO_TERMINAL)
    ray.init(num_cpus=WORKERS + 1, include_dashboard=False, log_to_driver=False)
    # Every stream of the first hundred is cut, and repeated.
    with ReplayServer([cut] * 100 + [Reply(stream)]) as server:
        questions = ray.data.from_items(rows, override_num_blocks=4)
        results = answers(questions, base_url=server.url, api_key="replay", concurrency=32).take_all()
    ray.shutdown()
    print(f"{len(results)} rows, {len({row['custom_id'] for row in results})} different ones")
    print("verdicts:", dict(Counter(row["verdict"] for row in results)))
    print("attempts:", dict(sorted(Counter(row["attempts"] for row in results).items())))
    print("errors:", {row["custom_id"]: row["error_message"] for row in results if row["error_code"]})


if __name__ == "__main__":
    main()
