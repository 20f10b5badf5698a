"""Asks a server from a local Spark and prints the rows that come out, as JSON: `python on_spark.py URL KEY < rows`."""

import json
import sys

from batch_spark import answers, session


def main() -> None:
    url, key = sys.argv[1:]
    rows = [(row["custom_id"], row["body"]) for row in json.load(sys.stdin)]
    spark = session()
    table = spark.createDataFrame(rows, "custom_id string, body string")
    results = answers(table, base_url=url, api_key=key, attempts=2, concurrency=8).collect()
    print(json.dumps([row.asDict() for row in results]))
    spark.stop()


if __name__ == "__main__":
    main()
