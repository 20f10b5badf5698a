"""What holds requests back that could run: the rates that were set, and pauses that the server asks for."""

from __future__ import annotations

import orjson

from .limits import Bucket, Pause, estimated_tokens
from .lines import Line
from .options import Options
from .outcome import Outcome
from .snapshot import Wait
from .stop import Stop
from .waits import Waits

__all__ = ["Throttle"]

_WORTH_TELLING = 1.0  # seconds of a pause


class Throttle:
    """One for all requests of a run."""

    def __init__(self, options: Options, stop: Stop) -> None:
        self._options = options
        self._stop = stop
        self._requests = Bucket(options.rpm)
        self._tokens = Bucket(options.tpm)
        self._pause = Pause()
        self._waits = Waits(stop)

    @property
    def held(self) -> int:
        """How many requests wait."""
        return len(self._waits)

    async def turn(self, line: Line) -> float:
        """Waits until the request may be sent, or the run stops. Returns the tokens that it is expected to use."""
        await self._over()
        estimate = 0.0
        if self._options.tpm is not None:  # else nobody asks, and the body is encoded once, to be sent
            estimate = estimated_tokens(line.body, len(orjson.dumps(line.body)))
        await self._waits.hold(
            self._requests.take(1.0), f"no more than {self._options.rpm or 0:,.10g} requests a minute"
        )
        await self._waits.hold(
            self._tokens.take(estimate), f"no more than {self._options.tpm or 0:,.10g} tokens a minute"
        )
        await self._over()  # the server may have asked for a pause meanwhile
        return estimate

    def learn(self, outcome: Outcome, estimate: float) -> None:
        """Takes an attempt into account, for which so many tokens were expected."""
        if outcome.usage:
            self._tokens.correct(outcome.tokens - estimate)
        self._pause.heed(outcome)

    def waiting(self) -> Wait | None:
        """Until when nothing is sent, and why, if requests are held back."""
        if self._pause.left > _WORTH_TELLING:
            return Wait.until_monotonic(self._pause.why, self._pause.until)
        return self._waits.first()

    async def _over(self) -> None:
        while self._pause.left and self._stop.why is None:
            await self._waits.hold(self._pause.left, self._pause.why)
