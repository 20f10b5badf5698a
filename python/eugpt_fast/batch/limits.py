"""How fast a batch may go: what was set, and what the server's answers teach. All requests share one of each."""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from collections.abc import Mapping

from .._client.retries import retry_after
from .outcome import Outcome

__all__ = ["Bucket", "Concurrency", "Pause", "estimated_tokens"]

_WINDOW = 1.0  # seconds in which errors are counted, and of which each has one cut at most
_ERROR_RATE = 0.1  # of the answers in a window, from which on the server is overloaded
_FEWEST_ERRORS = 2  # one may be chance
_CUT = 0.7
_FIRST = 8.0


class Concurrency:
    """How many requests run at the same time: additive increase, multiplicative decrease.

    Each answer raises the limit by the inverse of it, so that a full round of answers raises it by one; until the first
    cut, by one. A window with a real rate of errors cuts it, once.
    """

    def __init__(self, fixed: int | None, most: int) -> None:
        self._fixed = fixed
        self._most = most
        self.limit = float(fixed if fixed is not None else min(_FIRST, most))
        self.running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._probing = True
        self._window_ends = 0.0
        self._answers = self._errors = 0

    async def acquire(self) -> None:
        """Waits for a place."""
        if self.running < int(self.limit) and not self._waiting:
            self.running += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place.done() and not place.cancelled():
                self._leave()  # it was given to us just then
            raise

    def release(self, *, overloaded: bool, held: int = 0) -> None:
        """Gives the place back.

        Args:
            overloaded: whether the server was too busy to answer well.
            held: how many of those that have a place are not sent for another reason.
        """
        if self._fixed is None:
            self._learn(overloaded, self.running - held, time.monotonic())
        self._leave()

    def _leave(self) -> None:
        self.running -= 1
        while self._waiting and self.running < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.running += 1
                place.set_result(None)

    def _learn(self, overloaded: bool, busy: int, now: float) -> None:
        if now >= self._window_ends:
            self._window_ends = now + _WINDOW
            self._answers = self._errors = 0
        if self._errors < 0:
            return  # this window has had its cut: what else it brings was sent before
        self._answers += 1
        self._errors += overloaded
        if self._errors >= _FEWEST_ERRORS and self._errors >= _ERROR_RATE * self._answers:
            self.limit = max(1.0, self.limit * _CUT)
            self._probing = False
            self._errors = -1
        elif not overloaded and busy >= int(self.limit):  # a limit that is not reached teaches nothing
            self.limit = min(float(self._most), self.limit + (1.0 if self._probing else 1.0 / self.limit))


class Bucket:
    """A rate per minute. What is taken too much is owed, and waited for."""

    def __init__(self, per_minute: float | None) -> None:
        self._rate = None if per_minute is None else per_minute / 60.0
        self._burst = 0.0 if per_minute is None else max(1.0, per_minute / 60.0)  # what a second brings
        self._level = self._burst
        self._filled = time.monotonic()

    def take(self, amount: float) -> float:
        """Seconds to wait until ``amount`` may be used. An amount beyond what a second brings waits its own time."""
        if self._rate is None:
            return 0.0
        self._fill()
        self._level -= amount
        return max(0.0, -self._level / self._rate)

    def correct(self, by: float) -> None:
        """So much more, or less, was used than was taken."""
        if self._rate is not None:
            self._fill()
            self._level = min(self._burst, self._level - by)

    def _fill(self) -> None:
        assert self._rate is not None
        now = time.monotonic()
        self._level = min(self._burst, self._level + (now - self._filled) * self._rate)
        self._filled = now


class Pause:
    """What the server asks of everybody: to wait."""

    LONGEST = 120.0
    """Seconds; a server that asks for more is asked again then."""

    def __init__(self) -> None:
        self.until = 0.0
        """The server may be asked again then: seconds of :func:`time.monotonic`."""
        self.why = ""

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self.until - time.monotonic())

    def heed(self, outcome: Outcome) -> None:
        """Takes ``Retry-After`` of a refusal, and ``x-ratelimit-*`` that say that nothing remains."""
        if outcome.status_code in (429, 503):
            code = outcome.error[0] if outcome.error else outcome.status_code
            asked = retry_after(outcome.headers.get("retry-after"))
            self._ask(asked, f"the server asks for it (status {outcome.status_code}: {code})")
        for what in ("requests", "tokens"):
            self._ask(_reset_of(outcome.headers, what), f"the server's limit of {what} is used up")

    def _ask(self, seconds: float | None, why: str) -> None:
        until = time.monotonic() + min(seconds or 0.0, self.LONGEST)
        if seconds and until > self.until:
            self.until, self.why = until, why


def _reset_of(headers: Mapping[str, str], what: str) -> float | None:
    if headers.get(f"x-ratelimit-remaining-{what}", "").strip() != "0":
        return None
    return _seconds(headers.get(f"x-ratelimit-reset-{what}", ""))


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(said: str) -> float | None:
    """Of ``1m30.5s``, ``20ms`` or plain seconds."""
    if re.fullmatch(r"(\d+(\.\d*)?(ms|s|m|h))+", said.strip()):
        return sum(float(number) * _UNITS[unit] for number, unit in re.findall(r"(\d+(?:\.\d*)?)(ms|s|m|h)", said))
    return retry_after(said)


_BYTES_PER_TOKEN = 4.0


def estimated_tokens(body: Mapping[str, object], size: int) -> float:
    """What a request of so many bytes will use, before it is known: its text, and the most that it lets be answered."""
    most = next(
        (body[name] for name in ("max_output_tokens", "max_completion_tokens", "max_tokens") if name in body), 0
    )
    return size / _BYTES_PER_TOKEN + (float(most) if isinstance(most, (int, float)) else 0.0)
