"""What a run counts: cheap for each request, and of one size however many there are."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from .._json import is_object
from . import figures
from .histogram import Histogram
from .outcome import Outcome
from .series import Point, Series
from .snapshot import Checking, Snapshot, Wait

__all__ = ["Stats"]

_RECENT = 10  # samples over which the rates of a snapshot are taken
_REMEMBERED = 60  # samples over which the time left is estimated
_KINDS = 64  # kinds of errors told apart; servers may invent any number
_LONGEST = 60  # characters of a kind
OTHER = "other"
"""Under which all further kinds are counted."""

_TOKENS = ("input", "output", "cached", "reasoning")


class Stats:
    """Counts one run. Belongs to one thread.

    Args:
        total: Lines of the input, those of earlier runs included; ``None`` while it is not known.
        done: Results of earlier runs.
        failed: Errors of earlier runs.
        clock: Seconds, from any start.

    For whoever watches: ``checking`` tells how far the input was read, before the first request; ``wait`` why nothing
    is sent for the moment, ``note`` that the run is about to stop, and ``stopped`` why. ``invalid`` counts the lines
    that are no requests: neither in the total nor as failed.
    """

    def __init__(
        self, total: int | None = None, *, done: int = 0, failed: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.done_before, self.failed_before = done, failed
        self.done = self.failed = 0  # in this run
        self.events = 0  # of attempts that ended, those that were repeated included
        self.concurrency = 0
        self.invalid = 0
        self.checking: Checking | None = None
        self.wait: Wait | None = None
        self.note: str | None = None
        self.stopped: str | None = None
        self.verdicts: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        """Requests that failed, by error code."""
        self.retries: Counter[str] = Counter()
        """Attempts that were repeated, by what was wrong with them."""
        self.tokens: Counter[str] = Counter(dict.fromkeys(_TOKENS, 0))
        self.first_text = Histogram()
        self.duration = Histogram()
        """Of the requests that got a result: an error that comes at once says nothing about the model."""
        self.series = Series()
        self._clock = clock
        self._start = self._sampled = clock()
        self._started_at = datetime.now(timezone.utc)
        self._counted = (0, 0, 0, 0, 0)  # as of the last sample
        self._in_flight = self._under_way = 0
        self._recent: deque[tuple[float, int, int, int]] = deque([(self._start, 0, 0, 0)], maxlen=_REMEMBERED + 1)

    def retried(self, outcome: Outcome) -> None:
        """An attempt came to nothing and will be repeated."""
        self.events += outcome.events
        _count(self.retries, _cause(outcome))

    def finished(self, outcome: Outcome) -> None:
        """A request ended, after all of its attempts."""
        self.verdicts[outcome.verdict] += 1
        self.events += outcome.events
        if outcome.time_to_first_text is not None:
            self.first_text.add(outcome.time_to_first_text)
        if outcome.usage:
            for kind, number in _tokens(outcome.usage).items():
                self.tokens[kind] += number
        if outcome.ok:
            self.done += 1
            self.duration.add(outcome.duration)
        else:
            self.failed += 1
            _count(self.errors, _cause(outcome))

    def sample(self, concurrency: int, in_flight: int, events: int = 0) -> None:
        """To be called every second: the limit in force, how many requests are on the wire, and events of these."""
        now = self._clock()
        self.concurrency, self._in_flight, self._under_way = concurrency, in_flight, events
        self.series.add(self._since_sample(now))
        self._sampled, self._counted = now, self._totals()
        self._recent.append((now, self.done + self.failed, self.events + events, self.tokens["output"]))

    def _totals(self) -> tuple[int, int, int, int, int]:
        events = self.events + self._under_way
        return self.done, self.failed, self.retries.total(), events, self.tokens["output"]

    def _since_sample(self, now: float) -> Point:
        done, failed, retries, events, tokens = (
            # Events of requests that were given up are gone.
            max(new - old, 0)
            for new, old in zip(self._totals(), self._counted, strict=True)
        )
        return Point(
            at=now - self._start,
            seconds=now - self._sampled,
            done=done,
            failed=failed,
            retries=retries,
            events=events,
            output_tokens=tokens,
            concurrency=self.concurrency,
            in_flight=self._in_flight,
        )

    def snapshot(self) -> Snapshot:
        """The run as it stands."""
        now = self._clock()
        ended = self.done + self.failed
        at, ended_then, events_then, tokens_then = self._recent[-min(_RECENT + 1, len(self._recent))]
        recent = max(now - at, 1e-9)
        done, failed = self.done_before + self.done, self.failed_before + self.failed
        left = None if self.total is None else max(self.total - done - failed, 0)
        return Snapshot(
            checking=self.checking,
            total=self.total,
            done=done,
            failed=failed,
            in_flight=self._in_flight,
            pending=None if left is None else max(left - self._in_flight, 0),
            concurrency=self.concurrency,
            elapsed_s=now - self._start,
            requests_per_s=(ended - ended_then) / recent,
            events_per_s=max(self.events + self._under_way - events_then, 0) / recent,
            tokens_per_s=(self.tokens["output"] - tokens_then) / recent,
            eta_s=self._time_left(now, ended, left),
            retries=dict(self.retries),
            errors=dict(self.errors),
            time_to_first_text=self.first_text.as_json(),
            duration=self.duration.as_json(),
            wait=self.wait,
            note=self.note,
        )

    def _time_left(self, now: float, ended: int, left: int | None) -> float | None:
        at, ended_then, *_ = self._recent[0]
        if left is None or ended == ended_then:
            return None
        return left * (now - at) / (ended - ended_then)

    def as_json(self) -> dict[str, Any]:
        """Everything, as ``--metrics`` writes it. Names ending in ``_s`` are seconds, in ``_per_s`` per second."""
        now = self._clock()
        elapsed = now - self._start
        series = self.series.points
        if self._totals() != self._counted:
            series = [*series, self._since_sample(now)]
        done, failed = self.done_before + self.done, self.failed_before + self.failed
        per_second = 1 / elapsed if elapsed > 0 else 0.0
        return {
            "started_at": self._started_at.isoformat(timespec="seconds"),
            "elapsed_s": elapsed,
            "stopped": self.stopped,
            "requests": {
                "total": self.total,
                "done": done,
                "failed": failed,
                "unfinished": None if self.total is None else max(self.total - done - failed, 0),
                "done_before": self.done_before,
                "failed_before": self.failed_before,
                "invalid": self.invalid,
            },
            "requests_per_s": (self.done + self.failed) * per_second,
            "verdicts": dict(self.verdicts.most_common()),
            "errors": dict(self.errors.most_common()),
            "retries": dict(self.retries.most_common()),
            "events": self.events,
            "events_per_s": self.events * per_second,
            "tokens": dict(self.tokens),
            "output_tokens_per_s": self.tokens["output"] * per_second,
            "time_to_first_text_s": {**self.first_text.as_json(), "buckets": self.first_text.buckets()},
            "duration_s": {**self.duration.as_json(), "buckets": self.duration.buckets()},
            "series": [asdict(point) for point in series],
        }


def _cause(outcome: Outcome) -> str:
    """A status ("429"), the API's code for it, or a verdict ("interrupted")."""
    return outcome.error[0] if outcome.error else outcome.verdict


def _count(counter: Counter[str], kind: str) -> None:
    """Counts what a server may have named: any text of any length, which is about to be shown on a terminal."""
    kind = figures.printable(kind, _LONGEST) or OTHER
    counter[kind if kind in counter or len(counter) < _KINDS else OTHER] += 1


def _tokens(usage: dict[str, Any]) -> dict[str, int]:
    """The tokens of a response (``input_tokens`` …) or of a chat completion (``prompt_tokens`` …)."""
    ins, outs = ("prompt", "completion") if "prompt_tokens" in usage else ("input", "output")
    return {
        "input": _number(usage, f"{ins}_tokens"),
        "output": _number(usage, f"{outs}_tokens"),
        "cached": _number(usage.get(f"{ins}_tokens_details"), "cached_tokens"),
        "reasoning": _number(usage.get(f"{outs}_tokens_details"), "reasoning_tokens"),
    }


def _number(where: Any, name: str) -> int:
    """A count that a server reported; 0 where it reported none or nonsense."""
    value = where.get(name) if is_object(where) else None
    return value if type(value) is int and value > 0 else 0
