"""The display on a terminal. The one place that needs rich."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from . import figures
from .snapshot import Snapshot

__all__ = ["live", "picture"]


@contextmanager
def live(stream: TextIO) -> Generator[Callable[[Snapshot], None], None, None]:
    """A display on ``stream`` that is drawn anew at each call, without a thread of its own."""
    console = Console(file=stream)
    with Live(console=console, auto_refresh=False, transient=True) as screen:
        yield lambda now: screen.update(picture(now), refresh=True)


def picture(now: Snapshot) -> RenderableType:
    """The run as it stands: how far it is, then what it does, then how well."""
    if now.checking is not None:
        return Text(str(now.checking))
    return Group(_bar(now), Columns(_cells(now), padding=(0, 3), equal=True), _remarks(now))


def _bar(now: Snapshot) -> RenderableType:
    ended = now.done + now.failed
    share = f"{100 * ended // now.total} %" if now.total else ""  # 100 % at the end, not before
    left = f"{figures.span(now.eta_s)} left" if now.eta_s else ""
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.add_column(no_wrap=True)
    bar.add_column(ratio=1)
    bar.add_column(no_wrap=True)
    line = ProgressBar(now.total, ended, complete_style="green", finished_style="green")
    bar.add_row(share, line, Text(left, style="bold"))
    return bar


def _cells(now: Snapshot) -> list[Text]:
    failed = "bold red" if now.failed else "bold"
    pending = "-" if now.pending is None else figures.count(now.pending)
    return [
        _cell("done", figures.count(now.done), "bold green"),
        _cell("failed", figures.count(now.failed), failed),
        _cell("in flight", figures.count(now.in_flight), "bold"),
        _cell("limit", figures.count(now.concurrency), "bold"),
        _cell("to do", pending, "bold"),
        _cell("requests/s", figures.rate(now.requests_per_s), "bold"),
        _cell("events/s", figures.rate(now.events_per_s), "bold"),
        _cell("tokens/s", figures.rate(now.tokens_per_s), "bold"),
        _cell("retries", figures.count(sum(now.retries.values())), "bold yellow" if now.retries else "bold"),
        _cell("elapsed", figures.span(now.elapsed_s), "bold"),
    ]


def _cell(name: str, value: str, style: str) -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, style), no_wrap=True)


def _remarks(now: Snapshot) -> RenderableType:
    remarks = Table.grid(padding=(0, 2))
    for name, times in (("first text", now.time_to_first_text), ("duration", now.duration)):
        if times["count"]:
            remarks.add_row(Text(name, "dim"), "   ".join(f"{p} {figures.time(times[p])}" for p in ("p50", "p99")))
    if now.retries:
        remarks.add_row(Text("retries", "dim"), Text(figures.causes(now.retries)))
    if now.errors:
        remarks.add_row(Text("failures", "dim"), Text(figures.causes(now.errors), "red"))
    return Group(remarks, *(Text(str(remark), "bold yellow") for remark in (now.wait, now.note) if remark))
