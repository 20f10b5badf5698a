"""Requests in a Spark table, answered where its partitions are.

    pip install pyspark pandas pyarrow        # and Java 17 or later
    python examples/batch_spark.py

Runs on this machine, against the package's own replay server. For real ones leave `base_url` and `api_key` out, set
`EUGPT_API_KEY` on every executor, and read and write tables in place of `createDataFrame` and `collect`.
"""

import json
import os
import sys
from collections import Counter
from typing import Any

from eugpt_fast.batch import Worker
from eugpt_fast.testing import Fault, ReplayServer, Reply, lean_stream
from pyspark.sql import DataFrame, SparkSession

WORKERS = 2


def answers(questions: DataFrame, **options: Any) -> DataFrame:
    """A row with its answer, or its error, for each row of `custom_id` and `body`."""
    worker = Worker(workers=WORKERS, **options)  # as many as partitions are worked on at the same time
    return questions.repartition(WORKERS).mapInPandas(worker.batches, Worker.SCHEMA)


def session() -> SparkSession:
    """Spark on this machine, with the Python that runs this."""
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(f"local[{WORKERS}]").config("spark.ui.enabled", "false")
    local = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return builder.config(map=local).getOrCreate()


def main() -> None:
    bodies = [json.dumps({"model": "any", "input": f"Tell me about {number}."}) for number in range(500)]
    rows = [(f"question-{number}", body) for number, body in enumerate(bodies)]
    rows.append(("torn", '{"input": "Tell'))
    stream = lean_stream(40).body
    cut = Reply(stream, fault=Fault.NO_TERMINAL)
    spark = session()
    # Every stream of the first hundred is cut, and repeated.
    with ReplayServer([cut] * 100 + [Reply(stream)]) as server:
        questions = spark.createDataFrame(rows, "custom_id string, body string")
        results = answers(questions, base_url=server.url, api_key="replay", concurrency=32).collect()
    spark.stop()
    print(f"{len(results)} rows, {len({row['custom_id'] for row in results})} different ones")
    print("verdicts:", dict(Counter(row["verdict"] for row in results)))
    print("attempts:", dict(sorted(Counter(row["attempts"] for row in results).items())))
    print("errors:", {row["custom_id"]: row["error_message"] for row in results if row["error_code"]})


if __name__ == "__main__":
    main()
