"""The first ten events of a stream beside the rest of it: ``python -m benches.cold``; README.md says how to read it.

A parser has to be made, and the first of a thread knows nothing of its stream; those after it know what the streams
before had in common, though not their ids and texts. The events that open a stream are not those of its middle, so
times are compared with orjson alone on the same events.
"""

import random
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import eugpt_fast
import orjson
from eugpt_fast.testing import lean_stream, openai_stream, reasoning_stream, tool_call_stream

from . import environment, report
from .measure import Effort, Times, interleaved
from .shapes import CHUNKINGS, PER_EVENT, Shape
from .traffic import another

_COLD = 10
_STREAMS = 100  # that many beginnings make a round
_EFFORT = Effort(rounds=40, budget=2.0, fewest=10, patience=0.0)


def _loads(payloads: Iterable[bytes]) -> list[Any]:
    return [orjson.loads(payload) for payload in payloads]


def _begin(streams: list[list[bytes]]) -> Any:
    """The first events of many streams, each with a parser of its own."""
    kept = []
    for chunks in streams:
        feed = eugpt_fast.Parser().feed
        kept.append([feed(chunk) for chunk in chunks])
    return kept


def _in_new_threads(job: Callable[[], Any]) -> Times:
    """The job as the first of its thread, again and again: no stream has taught the parser anything."""
    times = Times()

    def timed() -> None:
        begun = time.thread_time_ns()
        result = job()
        times.rounds.append(time.thread_time_ns() - begun)
        del result

    for _ in range(_STREAMS):
        thread = threading.Thread(target=timed)
        thread.start()
        thread.join()
    return times


def _continuing(beginning: list[bytes], chunks: list[bytes]) -> Callable[[], Any]:
    """The rest of a stream, over and over in a parser that has seen all of it."""
    feed = eugpt_fast.Parser().feed
    for chunk in beginning + chunks:
        feed(chunk)
    return lambda: [feed(chunk) for chunk in chunks]


def _measure(stream: bytes) -> tuple[dict[str, Times], int]:
    """Times of the six jobs, and the number of events of the rest. One event per chunk, as a stream begins."""
    shape = Shape("cold", "", [stream])
    [payloads], chunks = shape.payloads, CHUNKINGS[PER_EVENT](stream)
    first, rest = chunks[:_COLD], chunks[_COLD:-_COLD]  # the end of a stream is not its steady state either
    [found] = [[event for chunk in chunks for event in parser.feed(chunk)] for parser in [eugpt_fast.Parser()]]
    if found != shape.expected[0]:
        raise AssertionError("not the events of json.loads")
    chance = random.Random(0)
    others = Shape("others", "", [another(b"".join(first), chance) for _ in range(_STREAMS)])
    beginnings = [CHUNKINGS[PER_EVENT](other) for other in others.streams]
    jobs = {
        "later": lambda: _begin(beginnings),
        "later, orjson": lambda: [_loads(texts) for texts in others.payloads],
        "rest": _continuing(first, rest),
        "rest, orjson": lambda: _loads(payloads[_COLD:-_COLD]),
    }
    alone = {
        "first": _in_new_threads(lambda: _begin([first])),
        "first, orjson": _in_new_threads(lambda: [_loads(payloads[:_COLD])]),
    }
    return alone | interleaved(jobs, _EFFORT), len(rest)


def main() -> int:
    reason = environment.refusal()
    if reason is not None:
        print(f"benches: not measured: {reason}", file=sys.stderr)
        return 2
    print(report.environment(environment.describe()))
    print("\nCPU µs per event, median round, one event per chunk; as a multiple of orjson alone on the same events")
    print(f"{'':16}{f'first {_COLD} of a thread':>24}{f'first {_COLD} of a stream':>24}{'events after them':>24}")
    for make in (openai_stream, lean_stream, tool_call_stream, reasoning_stream):
        times, rest = _measure(make(1000).body)
        line = f"{make.__name__.removesuffix('_stream'):16}"
        for part, events in (("first", _COLD), ("later", _COLD * _STREAMS), ("rest", rest)):
            ratio = times[part].ratio_to(times[f"{part}, orjson"])
            line += f"{times[part].median / events / 1000:16.2f}{ratio:7.2f}x"
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
