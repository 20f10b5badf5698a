"""Plots as SVG: lines over time, bars over time, and a histogram on a logarithmic axis."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from . import figures
from .series import Point

__all__ = ["HEIGHT", "STYLE", "WIDTH", "Plot", "histogram", "over_time", "text"]

WIDTH, HEIGHT = 520, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 14, 40, 30  # margins, in the units of the viewBox

STYLE = """\
text{fill:#475569;font:12px system-ui,sans-serif}
.title{fill:#0f172a;font-weight:600;font-size:14px}
.mono{font-family:ui-monospace,monospace}
.halo{paint-order:stroke;stroke:#fff;stroke-width:4px}
.paper{fill:#fff}
.grid{stroke:#e2e8f0}
.mark{stroke:#64748b;stroke-dasharray:4 3}
.line{fill:none;stroke-width:1.5}
.a{stroke:#2563eb}
.b{stroke:#d97706}
.a-fill{fill:#3b82f6}
.b-fill{fill:#f59e0b}
.c-fill{fill:#dc2626}
@media(prefers-color-scheme:dark){
text{fill:#94a3b8}
.title{fill:#f1f5f9}
.halo{stroke:#0f172a}
.paper{fill:#0f172a}
.grid{stroke:#334155}
.mark{stroke:#94a3b8}
.a{stroke:#60a5fa}
.b{stroke:#fbbf24}
.a-fill{fill:#3b82f6}
.b-fill{fill:#d97706}
.c-fill{fill:#ef4444}
}
"""
"""Colours for light and dark backgrounds. Plain classes: not every viewer of SVG knows custom properties."""

Value = Callable[[Point], float]


@dataclass
class Layer:
    """One quantity of a plot: its name, its value per point, its colour (a, b, c), and whether it is drawn as bars."""

    name: str
    value: Value
    colour: str
    bars: bool = False


class Plot:
    """Elements in a frame of ``WIDTH`` by ``HEIGHT``; ``top`` and ``bottom`` bound the plot's own area."""

    def __init__(self, title: str, top: float = _TOP, bottom: float = HEIGHT - _BOTTOM) -> None:
        self.top, self.bottom = top, bottom
        self.elements = [text(_LEFT, top - 20, title, "title")] if title else []

    def y(self, share: float) -> float:
        """Where ``share`` of the height is, from 0 at the bottom to 1."""
        return self.bottom - (self.bottom - self.top) * share

    @staticmethod
    def x(share: float) -> float:
        """Where ``share`` of the width is, from 0 on the left to 1."""
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * share

    def scale(self, highest: float) -> float:
        """Draws the vertical axis from 0 to a round number at or above ``highest``, and returns that."""
        step = _round_step(highest / 3)
        steps = max(1, math.ceil(highest / step - 1e-9))
        for number in range(steps + 1):
            y = self.y(number / steps)
            self.elements.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            self.elements.append(text(_LEFT - 6, y + 4, f"{number * step:,.10g}", anchor="end"))
        return step * steps

    def tick(self, share: float, label: str) -> None:
        """A label below the horizontal axis."""
        anchor = "end" if share > 0.96 else "middle"
        self.elements.append(text(self.x(share), self.bottom + 16, label, anchor=anchor))

    def legend(self, layers: Sequence[Layer]) -> None:
        """The names of the layers, with their colours, at the upper right."""
        right = float(WIDTH - _RIGHT)
        for layer in reversed(layers):
            self.elements.append(text(right, self.top - 20, layer.name, anchor="end"))
            right -= 5.8 * len(layer.name) + 16  # about the width of the letters, and the swatch
            swatch = f'width="10" height="10" x="{right:.1f}" y="{self.top - 29:.1f}"'
            self.elements.append(f'<rect class="{layer.colour}-fill" {swatch}/>')
            right -= 14

    def empty(self) -> None:
        """Says that there is nothing to be seen."""
        middle = (self.top + self.bottom) / 2
        self.elements.append(text(self.x(0.5), middle, "nothing was measured", anchor="middle"))


def text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text."""
    attributes = f' class="{kind}"' if kind else ""
    attributes += "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{attributes} xml:space="preserve">{escape(words)}</text>'


def over_time(plot: Plot, points: Sequence[Point], layers: Sequence[Layer], *, axis: bool = True) -> list[str]:
    """Each layer over the seconds of the run. Bars stand on each other."""
    points = [point for point in points if point.seconds > 0]
    if len(layers) > 1:
        plot.legend(layers)
    if not points:
        plot.empty()
        return plot.elements
    bars = [layer for layer in layers if layer.bars]
    stacked = max((sum(layer.value(point) for layer in bars) for point in points), default=0.0)
    highest = max([stacked, *(layer.value(point) for layer in layers if not layer.bars for point in points)])
    highest, end = plot.scale(highest or 1.0), points[-1].at
    base = [0.0] * len(points)
    for layer in layers:
        values = [layer.value(point) for point in points]
        if layer.bars:
            tops = [below + value for below, value in zip(base, values, strict=True)]
            plot.elements.append(f'<path class="{layer.colour}-fill" d="{_area(plot, points, base, tops, highest)}"/>')
            base = tops
        else:
            edge = _steps(plot, points, values, highest)
            plot.elements.append(f'<path class="line {layer.colour}" d="M{edge}"/>')
    if axis:
        step = next((step for step in _TIME_STEPS if end / step <= 6), _TIME_STEPS[-1] * math.ceil(end / 3600 / 24 / 6))
        for number in range(int(end / step) + 1):
            plot.tick(number * step / end, figures.span(number * step))
    return plot.elements


_TIME_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)


def _steps(plot: Plot, points: Sequence[Point], values: Sequence[float], highest: float) -> str:
    """From left to right, level during the seconds of each point."""
    end = points[-1].at
    corners: list[str] = []
    for point, value in zip(points, values, strict=True):
        y = plot.y(value / highest)
        corners += [f"{plot.x((point.at - point.seconds) / end):.1f},{y:.1f}", f"{plot.x(point.at / end):.1f},{y:.1f}"]
    return " ".join(corners)


def _area(plot: Plot, points: Sequence[Point], low: Sequence[float], high: Sequence[float], highest: float) -> str:
    upper = _steps(plot, points, high, highest)
    lower = _steps(plot, points, low, highest).split(" ")
    return f"M{upper} {' '.join(reversed(lower))}Z"


def histogram(plot: Plot, buckets: Sequence[tuple[float, float, int]], marks: dict[str, float | None]) -> list[str]:
    """Shares of all times by length, on a logarithmic axis, with lines at the ``marks``."""
    if not buckets:
        plot.empty()
        return plot.elements
    first, last = _ends(math.log2(buckets[0][0]), math.log2(buckets[-1][1]))
    wide = last - first
    bins = round(wide * (8 if wide <= 8 else 4))  # whole buckets in each, so that none of them is favoured
    held = [0.0] * bins
    total = sum(number for _, _, number in buckets)
    for low, high, number in buckets:
        at = (math.log2(low * high) / 2 - first) / wide
        held[int(at * bins)] += 100 * number / total
    highest = plot.scale(1.2 * max(held))  # room for the marks
    for at, share in enumerate(held):
        if share:
            x, y = plot.x(at / bins), plot.y(share / highest)
            size = f'width="{plot.x(1 / bins) - plot.x(0) - 0.6:.1f}" height="{plot.bottom - y:.1f}"'
            plot.elements.append(f'<rect class="a-fill" x="{x:.1f}" y="{y:.1f}" {size}/>')
    for seconds in _log_ticks(first, last):
        plot.tick((math.log2(seconds) - first) / wide, figures.time(seconds).replace(".00", "").replace(".0", ""))
    places = {name: (math.log2(max(at, 2.0**first)) - first) / wide for name, at in marks.items() if at is not None}
    _mark(plot, {name: min(place, 1.0) for name, place in places.items()})
    return plot.elements


def _ends(low: float, high: float) -> tuple[float, float]:
    """Quarters of an octave around both, and two octaves apart at least, so that there is something on the axis."""
    missing = max(2 - (high - low), 0) / 2
    return math.floor((low - missing) * 4) / 4, math.ceil((high + missing) * 4) / 4


def _mark(plot: Plot, marks: dict[str, float]) -> None:
    """Lines across the plot, and their names above all of them."""
    for share in marks.values():
        x = f"{plot.x(share):.1f}"
        plot.elements.append(f'<line class="mark" x1="{x}" x2="{x}" y1="{plot.top}" y2="{plot.bottom}"/>')
    for row, (name, share) in enumerate(marks.items()):
        aside, anchor = (-4, "end") if share > 0.8 else (4, "start")
        plot.elements.append(text(plot.x(share) + aside, plot.top + 12 + 14 * row, name, "halo", anchor))


def _log_ticks(first: float, last: float) -> list[float]:
    """1, 2 and 5 of each decade between two powers of two; fewer where that is too many."""
    decades = range(math.floor(first * math.log10(2)), math.ceil(last * math.log10(2)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**decade for decade in decades for digit in digits]
        ticks = [tick for tick in ticks if 2.0**first <= tick <= 2.0**last]
        if len(ticks) <= 8:
            return ticks
    return ticks


def _round_step(least: float) -> float:
    """1, 2 or 5 times a power of ten, at or above ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9))
