"""How a request is completed: sent, and sent again where that helps, within limits that all of them share."""

from __future__ import annotations

import itertools
import math

import httpx

from .._client.retries import backoff
from .attempt import Sender, asked_to_wait
from .limits import Concurrency, Pause
from .lines import Line
from .options import Options
from .outcome import Outcome
from .snapshot import Wait
from .stats import Stats
from .stop import Stop
from .throttle import Throttle
from .waits import Waits

__all__ = ["Completion"]

_FIRST_DELAY, _MAX_DELAY = 0.5, 30.0  # seconds between two attempts; doubled each time


class Completion:
    """What all requests of a run share."""

    def __init__(self, client: httpx.AsyncClient, options: Options, stats: Stats) -> None:
        self.stop = Stop(options.max_total_tokens)
        self.concurrency = Concurrency(options.concurrency, options.max_concurrency)
        self._options = options
        self._stats = stats
        self._sender = Sender(client, options)
        self._throttle = Throttle(options, self.stop)
        self._to_repeat = Waits(self.stop)

    async def complete(self, line: Line) -> Outcome | None:
        """The request, until it succeeds or repeating cannot help. None if the run was stopped before.

        Raises:
            BadKey: the first answer of all is a 401.
        """
        left = self._options.deadline or math.inf  # waiting for a turn does not count: that is no fault of the request
        for attempts in itertools.count(1):
            outcome = await self._attempt(line, left)
            if outcome is None or self.stop.is_behind(outcome):
                return None
            outcome.attempts = attempts
            is_last = attempts >= self._options.attempts and not self._is_in_outage(outcome)
            if outcome.ok or not outcome.retryable or is_last:
                return outcome
            delay = max(backoff(attempts, _FIRST_DELAY, _MAX_DELAY), min(asked_to_wait(outcome), Pause.LONGEST))
            left -= outcome.duration + delay
            if left <= 0:
                return outcome
            self._stats.retried(outcome)
            await self._to_repeat.hold(delay, "all requests begun are to be repeated")
        raise AssertionError("there is no last number")

    async def _attempt(self, line: Line, left: float) -> Outcome | None:
        await self.concurrency.acquire()  # only now: a request that waits to be repeated holds no place
        overloaded = False
        try:
            estimate = await self._throttle.turn(line)
            if self.stop.why is not None:
                return None
            outcome = await self._sender.send(line, left)
            overloaded = outcome.retryable and outcome.verdict in ("refused", "unreachable")
            self._throttle.learn(outcome, estimate)
            self.stop.learn(outcome)
            return outcome
        finally:
            self.concurrency.release(overloaded=overloaded, held=self._throttle.held)

    def _is_in_outage(self, outcome: Outcome) -> bool:
        return outcome.verdict == "unreachable" and self.stop.in_outage

    def sample(self) -> None:
        """To be called every second: tells the statistics what goes on."""
        in_flight = self.concurrency.running - self._throttle.held
        self._stats.sample(int(self.concurrency.limit), in_flight, self._sender.events)
        self._stats.wait = self._waiting(in_flight)

    def _waiting(self, in_flight: int) -> Wait | None:
        if self.stop.why is not None:
            return None
        if wait := self._throttle.waiting() or self.stop.waiting():
            return wait
        return None if in_flight else self._to_repeat.first()
