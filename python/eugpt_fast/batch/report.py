"""A run in pictures: one file that needs nothing else, to be looked at in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from . import figures
from .plots import HEIGHT, STYLE, WIDTH, Layer, Plot, histogram, over_time, text
from .series import Point
from .table import table

__all__ = ["as_html", "as_svg"]

_POINTS = 150  # that can be told apart in a plot of this width

_PAGE = """\
:root{{color-scheme:light dark}}
body{{margin:0;padding:1rem;background:#fff;color:#0f172a;font:15px system-ui,sans-serif}}
main{{display:grid;gap:1rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,26rem),1fr));max-width:72rem;\
margin:auto}}
h1{{font-size:1.25rem;grid-column:1/-1;margin:0;overflow-wrap:anywhere}}
svg{{width:100%;height:auto}}
pre{{margin:0;overflow-x:auto;font:clamp(9px,2.4vw,12px)/1.5 ui-monospace,monospace;align-self:center}}
@media(prefers-color-scheme:dark){{body{{background:#0f172a;color:#cbd5e1}}}}
{style}"""


def as_html(metrics: dict[str, Any], title: str) -> str:
    """A page for wide and narrow screens, light and dark ones, from what :meth:`Stats.as_json` tells."""
    plots = "\n".join(
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(name)}">'
        f"{''.join(elements)}</svg>"
        for name, elements in _plots(metrics)
    )
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_PAGE.format(style=STYLE)}</style>\n"
        f"<main>\n<h1>{escape(title)}</h1>\n{plots}\n<pre>{escape(table(metrics))}</pre>\n</main>\n</html>\n"
    )


def as_svg(metrics: dict[str, Any], title: str) -> str:
    """The same as one picture."""
    cells = [elements for _, elements in _plots(metrics)]
    account = enumerate(table(metrics).splitlines())
    cells.append([text(20, 40 + 15 * row, line, "mono") for row, line in account])
    top, width = 40, 2 * WIDTH
    height = top + HEIGHT * ((len(cells) + 1) // 2) + 10
    placed = "\n".join(
        f'<g transform="translate({at % 2 * WIDTH},{top + at // 2 * HEIGHT})">{"".join(elements)}</g>'
        for at, elements in enumerate(cells)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n"
        f'<rect class="paper" width="100%" height="100%"/>\n{text(20, 28, title, "title")}\n{placed}\n</svg>\n'
    )


def _plots(metrics: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """Name and elements of each plot."""
    points = _coarser([Point(**point) for point in metrics["series"]])

    def throughput(name: str, value: Callable[[Point], float]) -> tuple[str, list[str]]:
        return name, over_time(Plot(name), points, [Layer(name, lambda point: value(point) / point.seconds, "a", True)])

    yield throughput("Requests per second", lambda point: point.done + point.failed)
    yield throughput("Output tokens per second", lambda point: point.output_tokens)
    for name, key in (("Time to first text", "time_to_first_text_s"), ("Duration of a request", "duration_s")):
        times = metrics[key]
        marks = {f"{p} {figures.time(times[p])}": times[p] for p in ("p50", "p90", "p99")}
        yield name, histogram(Plot(f"{name}, % of requests"), times["buckets"], marks)
    yield "Concurrency, and errors per second", _concurrency_against_errors(points)


def _concurrency_against_errors(points: list[Point]) -> list[str]:
    """Two plots above each other over the same seconds."""
    limits = [
        Layer("in flight", lambda point: point.in_flight, "a", True),
        Layer("limit", lambda point: point.concurrency, "b"),
    ]
    errors = [
        Layer("retried", lambda point: point.retries / point.seconds, "b", True),
        Layer("failed", lambda point: point.failed / point.seconds, "c", True),
    ]
    upper, lower = Plot("Concurrency", bottom=HEIGHT * 0.52), Plot("Errors per second", top=HEIGHT * 0.68)
    return [*over_time(upper, points, limits, axis=False), *over_time(lower, points, errors)]


def _coarser(points: list[Point]) -> list[Point]:
    """Few enough to be told apart, and none so short that a single request makes a peak."""
    if len(points) > 1 and points[-1].seconds < points[-2].seconds / 2:
        points = [*points[:-2], points[-2].joined(points[-1])]
    while len(points) > _POINTS:
        odd = points[-1:] if len(points) % 2 else []
        points = [earlier.joined(later) for earlier, later in zip(points[::2], points[1::2], strict=False)] + odd
    return points
