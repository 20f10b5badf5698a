"""The account of a run in plain text, for its end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from textwrap import wrap
from typing import Any

from . import figures

__all__ = ["table"]

_NAME, _VALUE = 20, 48  # widths of the columns
_PERCENTILES = ("p50", "p90", "p99", "max")


def table(metrics: dict[str, Any]) -> str:
    """What :meth:`Stats.as_json` tells, in aligned lines."""
    rows = (f"{name:<{_NAME}}{value}" for name, value in _rows(metrics))
    folded = (wrap(row, _NAME + _VALUE, subsequent_indent=" " * _NAME, break_on_hyphens=False) for row in rows)
    return "\n".join([*chain.from_iterable(folded), "", *_times(metrics)])


def _rows(metrics: dict[str, Any]) -> Iterator[tuple[str, str]]:
    requests, tokens = metrics["requests"], metrics["tokens"]
    before = [
        f"{figures.count(requests[f'{what}_before'])} {what}"
        for what in ("done", "failed")
        if requests[f"{what}_before"]
    ]
    yield "done", figures.count(requests["done"])
    yield "failed", _with(requests["failed"], figures.causes(metrics["errors"]))
    if requests["unfinished"]:
        yield "not finished", figures.count(requests["unfinished"])
    if requests["invalid"]:
        yield "invalid lines", figures.count(requests["invalid"])
    if before:
        yield "of these before", ", ".join(before)
    yield "retries", _with(sum(metrics["retries"].values()), figures.causes(metrics["retries"]))
    yield "tokens in", _with(tokens["input"], f"{figures.count(tokens['cached'])} cached" if tokens["cached"] else "")
    reasoning = f"{figures.count(tokens['reasoning'])} reasoning" if tokens["reasoning"] else ""
    yield "tokens out", _with(tokens["output"], reasoning)
    yield "elapsed", figures.span(metrics["elapsed_s"])
    speeds = [
        f"{figures.rate(metrics['requests_per_s'])} requests/s",
        f"{figures.rate(metrics['events_per_s'])} events/s",
        f"{figures.rate(metrics['output_tokens_per_s'])} tokens/s",
    ]
    yield "speed", ", ".join(speeds)


def _with(number: int, remark: str) -> str:
    return f"{figures.count(number)} ({remark})" if remark else figures.count(number)


def _times(metrics: dict[str, Any]) -> Iterator[str]:
    yield f"{'':<{_NAME}}" + "".join(f"{name:>10}" for name in _PERCENTILES)
    for name, key in (("time to first text", "time_to_first_text_s"), ("duration", "duration_s")):
        yield f"{name:<{_NAME}}" + "".join(f"{figures.time(metrics[key][p]):>10}" for p in _PERCENTILES)
