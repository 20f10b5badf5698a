"""All that is measured of the transport beside one stream at a time, and what is asked of it."""

from collections.abc import Iterable, Iterator
from typing import Any

from . import concurrent, delivery, idle
from .clients import COLLECT, FAST_SDK, HAS_NATIVE, NATIVE, OURS
from .goals import Goal
from .report import WIDTH, micros, ratio, short
from .shapes import OPENAI

Row = dict[str, Any]


def measure(quick: bool) -> dict[str, list[Row]]:
    """The rows of every measurement."""
    return {
        "concurrent": list(concurrent.measure(quick)),
        "first_events": list(delivery.first_events(requests=50 if quick else 500)),
        "crowd": list(delivery.Crowd(2000, 50, 0.5 if quick else 2).measure()),
        "idle": list(idle.measure()),
    }


def tables(found: dict[str, list[Row]]) -> Iterator[str]:
    """The same for the terminal."""
    for mode in (concurrent.EACH, concurrent.PACED):
        rows = [row for row in found["concurrent"] if row["mode"] == mode]
        lines = [f"{concurrent.STREAMS} streams at once, async, {mode}: each event a write of its own"]
        heads = f"{'µs/event':>18}{'httpx+orjson':>14}{'aiohttp+orjson':>16}{'SDK':>7}{'events/s':>10}"
        lines.append(f"{'':{WIDTH}}{heads}{'generator busy':>16}")
        for row in rows:
            beside = (f"times_faster_than_{name}" for name in ("httpx_orjson", "aiohttp_orjson", "sdk"))
            first, second, third = (ratio(row[name]) for name in beside)
            speed = f"{row['events_per_second']:,.0f}"
            line = f"{row['contender']:{WIDTH}}{micros(row):>18}{first:>14}{second:>16}{third:>7}{speed:>10}"
            lines.append(f"{line}{_busy(row):>16}")
        yield "\n".join(lines)
    requests = found["first_events"][0]["requests"]
    lines = [f"from the server's write to the first event, µs, {requests} requests one after another"]
    lines.append(f"{'':{WIDTH}}{'p50':>10}{'p99':>10}{'max':>10}")
    lines += [f"{row['contender']:{WIDTH}}{_delays(row)}" for row in found["first_events"]]
    yield "\n".join(lines)
    lines = [f"from the server's write to the event, µs, {found['crowd'][0]['streams']:,} streams of 50 events/s"]
    heads = f"{'open':>7}{'lost':>7}{'events/s':>10}{'µs/event':>10}{'core':>7}{'server late, p99 µs':>21}"
    lines.append(f"{'':{WIDTH}}{'p50':>12}{'p99':>12}{'max':>12}{heads}")
    for row in found["crowd"]:
        late = row["generator"]["late_us"]["p99"]
        speed = f"{row['open']:>7,}{row['lost']:>7,}{row['events_per_second']:>10,.0f}"
        cost = f"{short(row['us_per_event']):>10}{row['core']:>7.0%}{late:>21,}"
        lines.append(f"{row['contender']:{WIDTH}}{_delays(row, 12)}{speed}{cost}")
    yield "\n".join(lines)
    lines = [f"resident memory per open idle stream, KiB, {found['idle'][0]['streams']:,} streams"]
    lines += [f"{row['contender']:{WIDTH}}{short(row['bytes_per_stream'] / 1024):>10}" for row in found["idle"]]
    yield "\n".join(lines)


def goals(loopback: Iterable[Row], found: dict[str, list[Row]]) -> Iterator[Goal]:
    """What is asked of the transport; nothing of a build without it."""
    if not HAS_NATIVE:
        return
    alone = {row["contender"]: row for row in loopback if row["stream"] == OPENAI}
    yield _micros("one stream in bursts", alone[OURS + NATIVE], 1.0)
    yield _faster("one stream in bursts, against the guide's loop", alone[OURS + NATIVE], "guide", 12)
    yield _micros("one stream in bursts, collect()", alone[COLLECT + NATIVE], 0.5)
    yield _faster("the SDK, accelerated, against the SDK", alone[FAST_SDK + NATIVE], "sdk", 25)
    crowd = {row["contender"]: row for row in found["concurrent"] if row["mode"] == concurrent.EACH}
    title = f"{concurrent.STREAMS} streams at once"
    yield _micros(title, crowd[OURS + NATIVE], 4.0)
    yield _micros(f"{title}, collect()", crowd[COLLECT + NATIVE], 2.0)
    for beside, least in (("httpx_orjson", 5), ("aiohttp_orjson", 3), ("sdk", 30)):
        yield _faster(f"{title}, against {beside}", crowd[OURS + NATIVE], beside, least)
    first = {row["contender"]: row for row in found["first_events"]}
    ours, raw = first[OURS + NATIVE], first[delivery.RAW]
    yield _at_most("first event, median", ours["p50_us"], 1000, "µs")
    yield _at_most("first event, p99 against raw httpx", ours["p99_us"] / raw["p99_us"], 1.0, "x")
    lost = next(row["lost"] for row in found["crowd"] if row["contender"] == OURS + NATIVE)
    yield _at_most("events lost in a crowd", lost, 0, "")
    [memory] = [row["bytes_per_stream"] for row in found["idle"] if row["contender"] == OURS + NATIVE]
    yield _at_most("memory per idle stream", memory / 1024, 64, "KiB")


def _micros(title: str, row: Row, asked: float) -> Goal:
    return _at_most(f"native transport, {title}", row["min_us_per_event"], asked, "µs")


def _at_most(title: str, measured: float, asked: float, unit: str) -> Goal:
    return Goal(title, f"<= {asked:g} {unit}".strip(), f"{short(measured)} {unit}".strip(), measured <= asked)


def _faster(title: str, row: Row, beside: str, least: float) -> Goal:
    measured = row[f"times_faster_than_{beside}"]
    return Goal(f"native transport, {title}", f">= {least:g}x", f"{measured:.1f}x", measured >= least)


def _busy(row: Row) -> str:
    return f"{row['generator']['cpu_seconds'] / row['generator']['seconds']:.0%}"


def _delays(row: Row, width: int = 10) -> str:
    return "".join(f"{row[name]:{width},.0f}" for name in ("p50_us", "p99_us", "max_us"))
