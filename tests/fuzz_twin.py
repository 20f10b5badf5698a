"""Native against the pure twin, on mutated streams in random pieces, for as long as you like.

    python tests/fuzz_twin.py --seconds 600

A round is made of the seed and its number alone. One that fails is made as small as it goes and printed;
``--seed S --first N --rounds 1`` plays it again. The native parser learns from the streams of its thread, so each batch
of rounds has a thread of its own, and a failure that needs the rounds before it comes again from the batch's first.
"""

from __future__ import annotations

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from conftest import NATIVE, account_of, outcome_of
from eugpt_fast import _pure
from eugpt_fast.errors import EventDecodeError, EventTooLarge, EventTruncated
from fuzz_streams import Reading, round_of
from test_twin import spoil

BATCH = 500


def log_of(module: Any, readings: list[Reading]) -> list[list[Any]]:
    """What every call of every reading gives, the readings taking turns."""
    parsers = [getattr(module, reading.kind)(**reading.options) for reading in readings]
    logs: list[list[Any]] = [[] for _ in readings]
    for turn in range(max(len(reading.pieces) for reading in readings)):
        for reading, parser, log in zip(readings, parsers, logs, strict=True):
            if turn < len(reading.pieces):
                log.extend(calls(getattr(parser, reading.methods[turn]), reading.type(reading.pieces[turn])))
    for parser, log in zip(parsers, logs, strict=True):
        log += [finish(parser), repr(account_of(parser)), parser.last_event_id, parser.retry]
    return logs


def calls(feed: Callable[[Any], list[Any]], piece: Any) -> Iterator[Any]:
    """What came of a piece: events, and errors with the events before them, until all of it is taken."""
    while True:
        try:
            events = feed(piece)
        except (EventDecodeError, EventTooLarge) as error:
            yield told(error.events), outcome_of(error)
            piece = b""
        except Exception as error:  # which neither of them may raise
            yield told([]), ("unexpected", repr(error))
            return
        else:
            yield told(events)
            return


def told(events: list[Any]) -> list[str]:
    """The events as text. The caller changes them then: if that shows in another event, the logs differ."""
    texts = [repr(event) for event in events]
    for event in events:
        spoil(event)
    return texts


def finish(parser: Any) -> tuple[str, ...] | None:
    try:
        parser.finish()
    except EventTruncated as error:
        return outcome_of(error)
    return None


def flat(log: list[Any]) -> list[Any]:
    """The log without the bounds of calls."""
    entries: list[Any] = []
    for call in log[:-4]:
        entries += [*call[0], call[1]] if isinstance(call, tuple) else call
    return entries + log[-4:]


def difference(readings: list[Reading]) -> str | None:
    """What native and pure do not agree in, or what depends on where the stream is cut."""
    native, pure = log_of(NATIVE, readings), log_of(_pure, readings)
    for reading, ours, theirs in zip(readings, native, pure, strict=True):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=False)):
            if one != other:
                return f"{reading.kind}, entry {number}:\n  native {one!r:.2000}\n  pure   {other!r:.2000}"
        if len(ours) != len(theirs):
            return f"{reading.kind}: {len(ours)} and {len(theirs)} calls"
        if len({*reading.methods}) == 1:
            whole = replace(reading, pieces=(b"".join(reading.pieces),), methods=reading.methods[:1])
            if flat(log_of(_pure, [whole])[0]) != flat(theirs):
                return f"{reading.kind}: the twin has other events when the stream is not cut"
    return None


def shrunk(readings: list[Reading]) -> list[Reading]:
    """The failing round with as few and as short pieces as still fail."""
    progress = True
    while progress:
        progress = False
        for smaller in smaller_rounds(readings):
            if in_new_thread(partial(difference, smaller)):
                readings, progress = smaller, True
                break
    return readings


def smaller_rounds(readings: list[Reading]) -> Iterator[list[Reading]]:
    if len(readings) > 1:
        yield from ([*readings[:at], *readings[at + 1 :]] for at in range(len(readings)))
    for at, reading in enumerate(readings):
        pieces = reading.pieces
        step = max(1, len(pieces) // 2)
        while step:
            for start in range(0, len(pieces) if len(pieces) > 1 else 0, step):
                rest = pieces[:start] + pieces[start + step :]
                methods = reading.methods[:start] + reading.methods[start + step :]
                if rest:
                    yield [*readings[:at], replace(reading, pieces=rest, methods=methods), *readings[at + 1 :]]
            step //= 2
        for number, piece in enumerate(pieces):
            for size in {len(piece) // 2, len(piece) // 8, 1} - {0}:
                for start in range(0, len(piece), size):
                    less = (*pieces[:number], piece[:start] + piece[start + size :], *pieces[number + 1 :])
                    yield [*readings[:at], replace(reading, pieces=less), *readings[at + 1 :]]


def in_new_thread(call: Callable[[], Any]) -> Any:
    """What ``call`` gives in a thread that has read no stream yet."""
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


def play(seed: int, first: int, last: int, deadline: float) -> tuple[int, int, str | None]:
    """Plays rounds until the last, the deadline or a failure: how many, how many bytes, and what was found."""
    size = 0
    for number in range(first, last):
        if time.monotonic() > deadline:
            return number - first, size, None
        readings = round_of(seed, number)
        size += sum(len(piece) for reading in readings for piece in reading.pieces)
        found = difference(readings)
        if found:
            return number - first, size, f"seed {seed}, round {number}, batch from {first}: {found}"
    return last - first, size, None


def main() -> int:
    options = argparse.ArgumentParser(description="Native against the pure twin.")
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--rounds", type=int, default=sys.maxsize)
    options.add_argument("--first", type=int, default=0, help="the number of the first round")
    options.add_argument("--seed", type=int, default=None, help="random, if none is given")
    given = options.parse_args()
    if NATIVE is None:
        print("no native module", file=sys.stderr)
        return 2
    seed = random.randrange(2**32) if given.seed is None else given.seed
    deadline = time.monotonic() + given.seconds
    played, size, found = 0, 0, None
    while time.monotonic() < deadline and played < given.rounds and not found:
        first = given.first + played
        last = first + min(BATCH, given.rounds - played)
        count, more, found = in_new_thread(partial(play, seed, first, last, deadline))
        played, size = played + count, size + more
    print(
        f"fuzz_twin: seed {seed}, {played:,} rounds, {size / 2**20:,.0f} MiB, {'1 finding' if found else 'no finding'}"
    )
    if found:
        print(found)
        failing = round_of(seed, given.first + played)
        alone = in_new_thread(lambda: difference(failing))
        print(*shrunk(failing) if alone else ["it takes the rounds before it"], sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
