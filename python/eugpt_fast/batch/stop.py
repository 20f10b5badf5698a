"""When a run ends before its requests do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from .errors import BadKey
from .outcome import Outcome
from .snapshot import Wait

__all__ = ["Stop"]

_OUTAGE = 30.0
"""Seconds without any answer after which the run stops: its requests would all become failures."""
_FEWEST = 10
"""So many attempts in a row that came to nothing are no chance."""
_WORTH_TELLING = 5.0  # seconds without an answer


class Stop:
    """Whether a run goes on. It ends when it is told to, or when its answers tell that the rest would only fail.

    Args:
        budget: tokens that may be used; None for any number.

    ``why`` is None as long as requests start; ``hurried`` says that those in flight have little time. ``changed`` is
    called when one of them changes.
    """

    def __init__(self, budget: int | None = None) -> None:
        self.why: str | None = None
        self.hurried = False
        self.changed: Callable[[], object] = lambda: None
        self._stopped = asyncio.Event()
        self._budget = budget
        self._used = 0
        self._answered = False
        self._answered_at = time.monotonic()
        self._unanswered: list[str] = []  # what was wrong with the attempts since the last answer, the first of them
        self._refused = 0  # answers in a row that know no such key

    def now(self, why: str, *, hurry: bool) -> None:
        """No more requests start. The first reason is the one that counts."""
        self.why = self.why or why
        self.hurried = self.hurried or hurry
        self._stopped.set()
        self.changed()

    def go_on(self) -> None:
        """More requests come: an outage before them may be over, a budget that is used up stays so."""
        self._unanswered, self._answered_at, self._refused = [], time.monotonic(), 0
        if not self._is_spent:
            self.why, self.hurried = None, False
            self._stopped.clear()

    async def sleep(self, seconds: float) -> None:
        """Returns after so many seconds, or as soon as the run stops."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)

    def learn(self, outcome: Outcome) -> None:
        """Takes an attempt into account.

        Raises:
            BadKey: it is a 401, and the first answer of all.
        """
        told = outcome.error[1] if outcome.error else outcome.verdict
        if outcome.verdict == "unreachable":
            self._unanswered = [*self._unanswered, told][:_FEWEST]
            if self.in_outage and time.monotonic() - self._answered_at > _OUTAGE:
                self.now(f"no answer for {_OUTAGE:g} seconds ({told})", hurry=True)
        elif outcome.status_code is not None:
            if outcome.status_code != 401:
                self._refused = 0
            elif not self._answered:
                raise BadKey(f"the API refuses the key: {told}")
            else:
                self._refused += 1
            self._answered, self._answered_at, self._unanswered = True, time.monotonic(), []
            self._used += outcome.tokens
            if self._is_spent:
                self.now("the budget of tokens is used up", hurry=False)
            if self._refused >= _FEWEST:
                self.now(f"the API refuses the key: {told}", hurry=False)

    @property
    def in_outage(self) -> bool:
        """Whether nothing answers: that is no fault of any request."""
        return len(self._unanswered) >= _FEWEST

    def is_behind(self, outcome: Outcome) -> bool:
        """Whether the request failed for what stops the run, so that it is left for the next one."""
        return self.why is not None and (outcome.verdict == "unreachable" or outcome.status_code == 401)

    def waiting(self) -> Wait | None:
        """That answers are waited for, if none has come for long."""
        if not self._unanswered or time.monotonic() - self._answered_at < _WORTH_TELLING:
            return None
        return Wait.until_monotonic(f"the server does not answer ({self._unanswered[-1]})", self._answered_at + _OUTAGE)

    @property
    def _is_spent(self) -> bool:
        return self._budget is not None and self._used >= self._budget
