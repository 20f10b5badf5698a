"""What a run counts: cheap for each request, and of one size however many there are."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import Any

from .histogram import Histogram
from .outcome import Outcome
from .series import Point, Series

__all__ = ["Snapshot", "Stats"]

_RECENT = 10  # samples over which the rates of a snapshot are taken
_REMEMBERED = 60  # samples over which the time left is estimated
_KINDS = 64  # kinds of errors told apart; servers may invent any number
_LONGEST = 60  # characters of a kind
OTHER = "other"
"""Under which all further kinds are counted."""

_TOKENS = ("input", "output", "cached", "reasoning")


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A run at one moment. Rates are those of the last ten samples; times are in seconds."""

    total: int | None
    done: int
    failed: int
    in_flight: int
    """Requests on the wire: neither those that were not begun, nor those that wait for their next attempt."""
    pending: int | None
    """All others that have not ended; ``None`` while the total is not known."""
    concurrency: int
    elapsed_s: float
    requests_per_s: float
    events_per_s: float
    tokens_per_s: float
    """Output tokens."""
    eta_s: float | None
    retries: int
    time_to_first_text: dict[str, float | int | None]
    duration: dict[str, float | int | None]
    note: str | None


class Stats:
    """Counts one run. Belongs to one thread.

    Args:
        total: Lines of the input, those of earlier runs included; ``None`` while it is not known.
        done: Results of earlier runs.
        failed: Errors of earlier runs.
        clock: Seconds, from any start.

    ``note`` is a line for whoever watches: why a run pauses, or that it is about to stop. ``invalid`` counts the lines
    that are no requests: neither in the total nor as failed.
    """

    def __init__(
        self, total: int | None = None, *, done: int = 0, failed: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.total = total
        self.done_before, self.failed_before = done, failed
        self.done = self.failed = 0  # in this run
        self.attempts = 0
        self.events = 0
        self.concurrency = 0
        self.invalid = 0
        self.note: str | None = None
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
        self._in_flight = 0
        self._recent: deque[tuple[float, int, int, int]] = deque([(self._start, 0, 0, 0)], maxlen=_REMEMBERED + 1)

    def started(self) -> None:
        """An attempt was sent."""
        self.attempts += 1

    def retried(self, cause: str) -> None:
        """An attempt came to nothing and will be repeated. ``cause``: a status ("429") or a verdict ("interrupted")."""
        _count(self.retries, cause)

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
            _count(self.errors, outcome.error[0] if outcome.error else outcome.verdict)

    def sample(self, concurrency: int, in_flight: int) -> None:
        """To be called every second: the limit in force, and how many requests are on the wire."""
        now = self._clock()
        self.concurrency, self._in_flight = concurrency, in_flight
        self.series.add(self._since_sample(now))
        self._sampled, self._counted = now, self._totals()
        self._recent.append((now, self.done + self.failed, self.events, self.tokens["output"]))

    def _totals(self) -> tuple[int, int, int, int, int]:
        return self.done, self.failed, self.retries.total(), self.events, self.tokens["output"]

    def _since_sample(self, now: float) -> Point:
        done, failed, retries, events, tokens = (
            new - old for new, old in zip(self._totals(), self._counted, strict=True)
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
        in_flight = self.attempts - self.retries.total() - ended
        return Snapshot(
            total=self.total,
            done=done,
            failed=failed,
            in_flight=in_flight,
            pending=None if left is None else max(left - in_flight, 0),
            concurrency=self.concurrency,
            elapsed_s=now - self._start,
            requests_per_s=(ended - ended_then) / recent,
            events_per_s=(self.events - events_then) / recent,
            tokens_per_s=(self.tokens["output"] - tokens_then) / recent,
            eta_s=self._time_left(now, ended, left),
            retries=self.retries.total(),
            time_to_first_text=self.first_text.as_json(),
            duration=self.duration.as_json(),
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


def _count(counter: Counter[str], kind: str) -> None:
    """Counts what a server may have named: any text of any length, which is about to be shown on a terminal."""
    kind = "".join(filter(str.isprintable, kind[:_LONGEST])) or OTHER
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
    value = where.get(name) if isinstance(where, dict) else None
    return value if type(value) is int and value > 0 else 0
