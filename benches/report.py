"""The tables on the terminal."""

from collections.abc import Iterable, Iterator
from typing import Any

from .footprint import SCENES
from .goals import Goal
from .shapes import Shape

Row = dict[str, Any]

_NAME = 26
WIDTH = 50  # of the names of contenders over HTTP
_LEGEND = """\
µs/event: CPU time per event, best round (median in brackets)
  guide: how many times as fast as the guide's loop      orjson: time as a multiple of orjson alone on the cut payloads
  (medians of the ratios round by round: in a slow spell of the machine both are slow)
  differs, raises: not the events of json.loads, so not timed      >2 s at 5%: given up, so far into the stream"""


def environment(facts: dict[str, str]) -> str:
    return "\n".join(f"{name:12} {fact}" for name, fact in facts.items())


def legend() -> str:
    return _LEGEND


def shape_table(shape: Shape, rows: list[Row]) -> str:
    """One shape: contenders down, chunkings across."""
    title = f"{shape.name}: {shape.title}; {shape.events:,} events, {shape.size / shape.events:,.0f} B each"
    return "\n".join([title, *_grid(rows)])


def _grid(rows: list[Row]) -> Iterator[str]:
    chunkings = list(dict.fromkeys(row["chunking"] for row in rows))
    contenders = dict.fromkeys(row["contender"] for row in rows)
    by_place = {(row["contender"], row["chunking"]): row for row in rows}
    yield " " * _NAME + "".join(f"{chunking:>32}" for chunking in chunkings)
    yield " " * _NAME + f"{'µs/event':>18}{'guide':>7}{'orjson':>7}" * len(chunkings)
    for contender in contenders:
        yield f"{contender:{_NAME}}" + "".join(_cell(by_place[contender, chunking]) for chunking in chunkings)


def _cell(row: Row) -> str:
    if "note" in row:
        return f"{row['note']:>32}"
    return f"{micros(row):>18}{ratio(row['times_faster_than_guide']):>7}{ratio(row['times_orjson']):>7}"


def footprint_table(rows: list[Row]) -> str:
    by_place = {(row["contender"], row["scene"]): row["peak_mib"] for row in rows}
    lines = ["peak memory above the start, MiB"]
    lines.append(" " * _NAME + "".join(f"{title:>40}" for title, _ in SCENES.values()))
    for contender in dict.fromkeys(row["contender"] for row in rows):
        lines.append(f"{contender:{_NAME}}" + "".join(f"{by_place[contender, scene]:40.1f}" for scene in SCENES))
    return "\n".join(lines)


def loopback_table(rows: list[Row]) -> str:
    """The end-to-end figures of one stream. Who awaits is beside the httpx-sse that awaits."""
    lines = [f"end to end over loopback HTTP, {rows[0]['stream']} stream, one HTTP chunk per event"]
    lines.append(f"{'':{WIDTH}}{'µs/event':>18}{'guide':>7}{'httpx-sse':>11}{'SDK':>7}")
    for row in rows:
        guide, httpx_sse, sdk = (ratio(row[f"times_faster_than_{name}"]) for name in ("guide", "httpx_sse", "sdk"))
        lines.append(f"{row['contender']:{WIDTH}}{micros(row):>18}{guide:>7}{httpx_sse:>11}{sdk:>7}")
    return "\n".join(lines)


def typed_table(rows: list[Row]) -> str:
    """The cost of a typed event of the SDK."""
    lines = ["typed text deltas of the SDK in memory, 64 KiB chunks: framing, JSON and the object, µs/event"]
    lines += [f"{row['contender']:32}{row['stream']:10}{micros(row):>18}" for row in rows]
    return "\n".join(lines)


def goals_table(goals: Iterable[Goal]) -> str:
    return "\n".join(
        f"{goal.title:68}{goal.asked:>9}{goal.measured:>10}  {'met' if goal.met else 'NOT MET'}" for goal in goals
    )


def micros(row: Row) -> str:
    """Best and median."""
    return f"{short(row['min_us_per_event'])} ({short(row['median_us_per_event'])})"


def ratio(value: float | None) -> str:
    """As a multiple."""
    return "-" if value is None else f"{short(value)}x"


def short(value: float) -> str:
    """Three digits, which is more than this kind of measuring deserves."""
    return f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}"
