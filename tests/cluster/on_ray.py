"""Asks a server from a local Ray and prints the rows that come out, as JSON: `python on_ray.py URL KEY < rows`."""

import json
import sys

import ray
from batch_ray import answers


def main() -> None:
    url, key = sys.argv[1:]
    rows = json.load(sys.stdin)
    ray.init(num_cpus=3, include_dashboard=False, log_to_driver=False)
    dataset = ray.data.from_items(rows, override_num_blocks=4)
    options = {"base_url": url, "api_key": key, "attempts": 2, "concurrency": 8}
    print(json.dumps(answers(dataset, **options).take_all()))
    ray.shutdown()


if __name__ == "__main__":
    main()
