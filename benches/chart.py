"""The chart of the README: SVG by hand, on a card of its own so that it reads on light and dark pages alike."""

from dataclasses import dataclass
from html import escape
from typing import Any

from .parsers import CONTENDERS
from .report import short
from .shapes import KIB_64, OPENAI, PACED, PER_EVENT

_WIDTH, _LABELS, _RIGHT, _MARGIN = 980, 416, 64, 24
_BAR, _BAR_GAP, _ROW_GAP = 13, 2, 9
_INK, _MUTED, _GRID = "#1f2328", "#59636e", "#d8dee4"
_FILLS = {"ours": ("#0969da", "#80b8f5"), "peer": ("#848d97", "#c5ccd3"), "floor": ("#2da44e", "#94d3a2")}
_FONT = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, 'DejaVu Sans', sans-serif"


@dataclass(frozen=True)
class Bars:
    """One contender: a bar per series."""

    label: str
    kind: str
    values: list[float]


@dataclass(frozen=True)
class Panel:
    """A title, bars from zero on a linear axis, and what the shades mean if there are two."""

    title: str
    axis: str
    series: list[str]
    bars: list[Bars]


def draw(facts: dict[str, str], in_memory: list[dict[str, Any]], end_to_end: list[dict[str, Any]]) -> str | None:
    """The chart of what was measured on the OpenAI-shaped stream; None if nothing was."""
    panels = [panel for panel in (_memory_panel(in_memory), _loopback_panel(end_to_end)) if panel is not None]
    if not panels:
        return None
    body: list[str] = []
    top = _MARGIN
    for panel in panels:
        top = _draw_panel(panel, top, body)
    note = f"{facts['cpu']}, {facts['python']}; best round; made by python -m benches"
    body.append(_text(_MARGIN, top, note, size=12, fill=_MUTED))
    height = top + _MARGIN - 8
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img" font-family="{_FONT}">'
    )
    card = f'<rect x="0.5" y="0.5" width="{_WIDTH - 1}" height="{height - 1}" rx="8" fill="#ffffff" stroke="{_GRID}"/>'
    title = "<title>CPU time per event, eugpt-fast and others</title>"
    return "\n".join([head, title, card, *body, "</svg>", ""])


def _memory_panel(rows: list[dict[str, Any]]) -> Panel | None:
    chunkings = [PER_EVENT, KIB_64]
    times = {
        (row["contender"], row["chunking"]): row["min_us_per_event"]
        for row in rows
        if row["shape"] == OPENAI and "note" not in row
    }
    bars = [
        Bars(contender.name, _kind(contender.name), [times[contender.name, chunking] for chunking in chunkings])
        for contender in CONTENDERS
        if all((contender.name, chunking) in times for chunking in chunkings)
    ]
    series = ["one event per chunk", "64 KiB chunks"]
    return Panel("Parsing in memory", "CPU µs per event of 277 B, less is better", series, bars) if bars else None


def _loopback_panel(rows: list[dict[str, Any]]) -> Panel | None:
    times = {(row["contender"], row["stream"]): row["min_us_per_event"] for row in rows}
    streams = [PACED, OPENAI]
    bars = [
        Bars(name, _kind(name), [times[name, stream] for stream in streams])
        for name in dict.fromkeys(row["contender"] for row in rows)
        if all((name, stream) in times for stream in streams)
    ]
    series = ["events arrive one by one", "in bulk"]
    axis = "CPU µs per event of the client process, less is better"
    return Panel("End to end over HTTP", axis, series, bars) if bars else None


def _kind(name: str) -> str:
    if (name.startswith("eugpt_fast") and "twin" not in name) or "accelerated" in name:
        return "ours"
    return "floor" if "(floor)" in name else "peer"


def _draw_panel(panel: Panel, top: int, body: list[str]) -> int:
    """Appends the panel's elements to ``body``; returns where the next may begin."""
    body.append(_text(_MARGIN, top + 14, panel.title, size=18, weight=600))
    body.append(_text(_MARGIN, top + 36, panel.axis, size=13, fill=_MUTED))
    _draw_series(panel.series, top + 36, body)
    first = top + 52
    row_height = max(1, len(panel.series)) * (_BAR + _BAR_GAP) + _ROW_GAP
    bottom = first + row_height * len(panel.bars)
    most = max(max(bars.values) for bars in panel.bars)
    scale = (_WIDTH - _LABELS - _RIGHT - _MARGIN) / most
    for tick in _ticks(most):
        x = _LABELS + tick * scale
        body.append(f'<line x1="{x:.1f}" y1="{first - 4}" x2="{x:.1f}" y2="{bottom}" stroke="{_GRID}"/>')
        body.append(_text(x, bottom + 16, f"{tick:g}", size=12, fill=_MUTED, anchor="middle"))
    for number, bars in enumerate(panel.bars):
        _draw_bars(bars, first + number * row_height, scale, body)
    return bottom + 52


def _draw_series(series: list[str], y: int, body: list[str]) -> None:
    x = _WIDTH - _MARGIN
    for number, name in reversed(list(enumerate(series))):
        x -= 8 * len(name)
        body.append(_text(x, y, name, size=13))
        body.append(f'<rect x="{x - 20}" y="{y - 11}" width="14" height="12" fill="{_FILLS["ours"][number]}"/>')
        x -= 40


def _draw_bars(bars: Bars, top: int, scale: float, body: list[str]) -> None:
    weight = 600 if bars.kind == "ours" else 400
    middle = top + len(bars.values) * (_BAR + _BAR_GAP) / 2 + 4
    body.append(_text(_LABELS - 10, middle, bars.label, size=14, weight=weight, anchor="end"))
    for number, value in enumerate(bars.values):
        y = top + number * (_BAR + _BAR_GAP)
        width = max(1.0, value * scale)
        fill = _FILLS[bars.kind][number]
        body.append(f'<rect x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" fill="{fill}"/>')
        body.append(_text(_LABELS + width + 6, y + 11, short(value), size=12, weight=weight))


def _ticks(most: float) -> list[float]:
    """Four to eight round numbers from zero."""
    steps = (unit * 10**power for power in range(-2, 6) for unit in (1, 2, 5))
    step = next(step for step in steps if most / step <= 8)
    return [number * step for number in range(int(most / step) + 1)]


def _text(
    x: float, y: float, text: str, *, size: int, fill: str = _INK, weight: int = 400, anchor: str = "start"
) -> str:
    style = f'font-size="{size}" font-weight="{weight}" fill="{fill}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
