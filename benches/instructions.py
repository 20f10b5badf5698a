"""Instructions and allocations per event: ``python -m benches.instructions``; README.md says how to read them.

Every figure is the difference between a run and one five times as long, so what happens once is not in it.
"""

import argparse
import json
import os
import pickle
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import ROOT, callgrind, environment, report
from .callgrind import Section
from .counted import FEW, MANY, READERS
from .shapes import CHUNKINGS, KIB_64, PER_EVENT, Shape, lean_shape, openai_shape
from .traffic import long_text_shape, messages_shape, reasoning_shape, recorded_shapes, tools_shape

_BUILD = ["cargo", "bench", "--locked", "--quiet", "--bench", "count", "--no-run", "--message-format=json"]
_PYMALLOC = re.compile(r"_PyObject_(Malloc|Calloc|Realloc)")
_MALLOC = re.compile(r"malloc|calloc|realloc")
_JOBS = {
    "feed": ("feed", KIB_64),
    "feed, per event": ("feed", PER_EVENT),
    "skim": ("skim", KIB_64),
    "orjson": ("orjson", None),
}
_OURS = ["feed", "feed, per event", "skim"]


@dataclass(frozen=True)
class PerEvent:
    """What one event took, on average."""

    instructions: float
    blocks: float
    """Blocks asked of Python's own allocator, and of the C library by whom ever."""
    mallocs: float
    own: dict[str, float]


def _difference(few: Section, many: Section, events: int) -> PerEvent:
    count = events * (MANY - FEW)

    def calls(name: re.Pattern[str]) -> float:
        return (
            sum(many.calls[function] - few.calls[function] for function in many.calls if name.fullmatch(function))
            / count
        )

    own = Counter(many.own)
    own.subtract(few.own)
    return PerEvent(
        (many.instructions - few.instructions) / count,
        calls(_PYMALLOC),
        calls(_MALLOC),
        {function: cost / count for function, cost in own.most_common()},
    )


def of_core() -> Iterator[tuple[str, int, PerEvent]]:
    """Stage, bytes per event and cost of every stage of the Rust core."""
    messages = subprocess.run(_BUILD, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    binary = next(found for line in messages if (found := json.loads(line).get("executable")))
    for line in subprocess.run([binary], check=True, capture_output=True, text=True).stdout.splitlines():
        stage, events, size = line.split("\t")
        few, many = (callgrind.sections([binary, stage, str(repeats)])[-1] for repeats in (FEW, MANY))
        yield stage, int(size) // int(events), _difference(few, many, int(events))


def _check(shape: Shape) -> None:
    """Who is counted must give the values of ``json.loads``, here as in the tables."""
    for stream, payloads, expected in zip(shape.streams, shape.payloads, shape.expected, strict=True):
        for chunking in (KIB_64, PER_EVENT):
            found = [event for events in READERS["feed"](CHUNKINGS[chunking](stream)) for event in events]
            if repr(found) != repr(expected):
                raise AssertionError(f"feed on {shape.name}, {chunking}: differs")
        if repr(READERS["orjson"](payloads)) != repr(expected):
            raise AssertionError(f"orjson on {shape.name}: differs")


def of_python(shapes: Iterable[Shape]) -> Iterator[tuple[Shape, dict[str, PerEvent]]]:
    """The cost of every job on every shape, all counted in one process."""
    shapes = list(shapes)
    for shape in shapes:
        _check(shape)
    jobs = [
        (reader, [CHUNKINGS[chunking](stream) for stream in shape.streams] if chunking else shape.payloads)
        for shape in shapes
        for reader, chunking in _JOBS.values()
    ]
    with tempfile.NamedTemporaryFile() as file:
        file.write(pickle.dumps(jobs))
        file.flush()
        # Hashes of strings decide how long a look-up in a dict takes.
        command = [sys.executable, "-m", "benches.counted", file.name]
        found = callgrind.sections(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": "0"})
    # The start, then the two runs of each job and what came after each of them.
    runs = iter(found[1::2])
    for shape in shapes:
        yield shape, {name: _difference(next(runs), next(runs), shape.events) for name in _JOBS}


def main() -> int:
    options = _options()
    if not callgrind.is_there():
        print("benches: not counted: valgrind is not installed", file=sys.stderr)
        return 2
    reason = environment.refusal()
    if reason is not None:
        print(f"benches: not counted: {reason}", file=sys.stderr)
        return 2
    print(report.environment(environment.describe()), flush=True)
    if options.only != "python":
        print(f"\n{'the core alone, Rust':34}{'B/event':>12}{'instructions':>14}{'per B':>8}{'mallocs':>9}")
        for stage, size, cost in of_core():
            print(f"{stage:34}{size:12,}{cost.instructions:14,.0f}{cost.instructions / size:8.2f}{cost.mallocs:9.2f}")
    if options.only != "core":
        _print_python(list(of_python(_shapes(options.each))), options.functions)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benches.instructions", description="Counts with callgrind.")
    parser.add_argument("--only", choices=["core", "python"])
    parser.add_argument("--each", action="store_true", help="each recorded stream by itself")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="the N costliest functions, too")
    return parser.parse_args()


def _shapes(each: bool) -> list[Shape]:
    made = [openai_shape(), lean_shape(), tools_shape(), reasoning_shape(), messages_shape(), long_text_shape()]
    recorded = recorded_shapes()
    if recorded and not each:
        streams = [stream for shape in recorded for stream in shape.streams]
        recorded = [Shape("recorded", f"{len(streams)} recorded streams", streams)]
    return made + recorded


def _print_python(rows: list[tuple[Shape, dict[str, PerEvent]]], functions: int) -> None:
    print("\ninstructions per event, and as a multiple of orjson alone on the cut payloads")
    print(f"{'':34}{'B/event':>12}{'orjson':>12}" + "".join(f"{name:>24}" for name in _OURS))
    for shape, costs in rows:
        floor = costs["orjson"].instructions
        cells = (f"{costs[name].instructions:16,.0f}{costs[name].instructions / floor:7.2f}x" for name in _OURS)
        print(f"{shape.name:34}{shape.size // shape.events:12,}{floor:12,.0f}" + "".join(cells))
    print("\nallocations per event: blocks of Python's allocator + mallocs")
    print(" " * 34 + "".join(f"{name:>24}" for name in _JOBS))
    for shape, costs in rows:
        cells = (f"{cost.blocks:15.2f} + {cost.mallocs:6.2f}" for cost in costs.values())
        print(f"{shape.name:34}" + "".join(cells))
    for shape, costs in rows if functions else ():
        for name in ("feed", "orjson"):
            print(f"\n{shape.name}, {name}: instructions per event of the functions themselves")
            for function, cost in [*costs[name].own.items()][:functions]:
                print(f"{cost:12,.1f}  {function}")


if __name__ == "__main__":
    sys.exit(main())
