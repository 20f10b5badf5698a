"""Asks a server from a local Ray and prints the rows that come out, as JSON: `python on_ray.py URL KEY < rows`.

With a third argument, the path of a file that is not there, one actor dies when its first requests are done.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import batch_ray
import ray
from eugpt_fast.batch import Worker


class Mortal(Worker):
    def __init__(self, *, died: str, **options: Any) -> None:
        super().__init__(**options)
        self._died = Path(died)

    def __call__(self, batch: Any) -> Any:
        done = super().__call__(batch)
        try:
            self._died.touch(exist_ok=False)
        except FileExistsError:
            return done
        os._exit(1)


def main() -> None:
    url, key, *died = sys.argv[1:]
    rows = json.load(sys.stdin)
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    dataset = ray.data.from_items(rows, override_num_blocks=4)
    options: dict[str, Any] = {"base_url": url, "api_key": key, "attempts": 2, "concurrency": 8}
    if died:
        batch_ray.Worker = Mortal
        options["died"] = died[0]
    print(json.dumps(batch_ray.answers(dataset, **options).take_all()))
    ray.shutdown()


if __name__ == "__main__":
    main()
