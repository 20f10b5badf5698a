"""``python -m benches``: measures, prints tables, writes a JSON file and a chart."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import ROOT, chart, clients, environment, footprint, goals, inmemory, loopback, report, transport, typed
from .measure import FULL, QUICK, Effort
from .shapes import CHUNKINGS, KIB_64, PER_EVENT, SHAPES, Shape, openai_shape


def main() -> int:
    options = _options()
    reason = environment.refusal()
    if reason is not None:
        print(f"benches: not measured: {reason}", file=sys.stderr)
        return 2
    facts = environment.describe()
    _show(report.environment(facts))
    effort = QUICK if options.quick else FULL
    if options.check_goals:
        end_to_end = _end_to_end(effort)
        native = _transport(end_to_end["loopback"], options.quick)
        judged = [*_goals(options.quick), *end_to_end["end_to_end_goals"], *native["transport_goals"]]
        return 0 if all(goal["met"] for goal in judged) else 1

    results: dict[str, Any] = {"environment": facts, "quick": options.quick}
    whole = options.only is None and options.only_shape is None and not options.quick
    if options.only in (None, "memory"):
        results["memory"] = _in_memory(options.only_shape or list(SHAPES), effort, options.quick)
        if options.only_shape is None:
            results["peaks"] = footprint.measure()
            _show(report.footprint_table(results["peaks"]))
            results["goals"] = _goals(options.quick)
    if options.only in (None, "loopback") and options.only_shape is None:
        results |= _end_to_end(effort)
    if options.only == "transport":
        results["loopback"] = _loopback(effort, [openai_shape()])
    if options.only in (None, "transport") and options.only_shape is None:
        results |= _transport(results["loopback"], options.quick)
    _write(options.json, json.dumps(results, indent=1))
    drawing = chart.draw(facts, results.get("memory", []), results.get("loopback", []))
    if drawing is not None:
        # A partial or hasty run leaves the chart of the README alone.
        _write(options.svg or ROOT / ("docs/bench.svg" if whole else ".bench/bench.svg"), drawing)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches", description="Measures eugpt_fast beside its peers.")
    parser.add_argument("--quick", action="store_true", help="few rounds, two chunkings: a look, not a measurement")
    parser.add_argument(
        "--only",
        choices=["memory", "loopback", "transport"],
        help="parsers in memory; one stream over HTTP; many streams",
    )
    parser.add_argument(
        "--only-shape", choices=list(SHAPES), action="append", help="in memory, on this shape only; may be repeated"
    )
    parser.add_argument("--check-goals", action="store_true", help="only the goals; exit status 1 if one is not met")
    parser.add_argument("--json", type=Path, default=ROOT / ".bench/results.json", metavar="FILE")
    parser.add_argument(
        "--svg", type=Path, metavar="FILE", help="default: docs/bench.svg of a whole run, .bench/bench.svg otherwise"
    )
    return parser.parse_args()


def _in_memory(names: list[str], effort: Effort, quick: bool) -> list[dict[str, Any]]:
    _show(report.legend())
    rows = []
    for name in names:
        shape = SHAPES[name]()
        chunkings = [PER_EVENT, KIB_64] if quick else CHUNKINGS
        of_shape = [row for cell in inmemory.measure(shape, chunkings, effort) for row in cell.rows()]
        _show(report.shape_table(shape, of_shape))
        rows += of_shape
    return rows


def _end_to_end(effort: Effort) -> dict[str, Any]:
    rows = _loopback(effort)
    built = list(typed.measure(effort))
    _show(report.typed_table(built))
    found = list(goals.check_end_to_end(rows))
    _show(report.goals_table(found))
    return {"loopback": rows, "typed": built, "end_to_end_goals": [vars(goal) for goal in found]}


def _loopback(effort: Effort, shapes: list[Shape] | None = None) -> list[dict[str, Any]]:
    # Sockets and a second process make more noise than parsing does.
    rows = list(loopback.measure(replace(effort, budget=3 * effort.budget), shapes))
    for stream in dict.fromkeys(row["stream"] for row in rows):
        _show(report.loopback_table([row for row in rows if row["stream"] == stream]))
    return rows


def _transport(of_one: list[dict[str, Any]], quick: bool) -> dict[str, Any]:
    found = transport.measure(quick)
    for table in transport.tables(found):
        _show(table)
    judged = list(transport.goals(of_one, found))
    _show(report.goals_table(judged) if clients.HAS_NATIVE else clients.WITHOUT_NATIVE)
    return {**found, "transport_goals": [vars(goal) for goal in judged]}


def _goals(quick: bool) -> list[dict[str, Any]]:
    found = list(goals.check(rounds=5 if quick else 25))
    _show(report.goals_table(found))
    return [vars(goal) for goal in found]


def _show(text: str) -> None:
    print(f"{text}\n", flush=True)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"written: {path}")


if __name__ == "__main__":
    sys.exit(main())
