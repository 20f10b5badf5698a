"""How the native half wakes an asyncio event loop: it makes a socket readable that the loop watches."""

from __future__ import annotations

import asyncio
import select
import threading
import weakref
from collections.abc import Callable

from .._core import Exchange, Notifier

__all__ = ["Bell", "bell"]


class Bell:
    """The socket of one event loop, and who waits for what."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.notifier = Notifier()
        self._latest = 0
        self._waiting: dict[int, asyncio.Future[bool]] = {}  # of an exchange that is over, all have been called
        self._new_future: Callable[[], asyncio.Future[bool]] = loop.create_future
        try:
            loop.add_reader(self.notifier.fileno(), self._ring)
        except NotImplementedError:  # Windows' own loop watches no sockets for others
            threading.Thread(target=_listen, args=(weakref.ref(self), loop), daemon=True).start()

    def _ring(self) -> None:
        for ticket in self.notifier.take():
            future = self._waiting.pop(ticket, None)
            if future is not None and not future.done():
                future.set_result(True)

    def ring_for(self, rung: threading.Event) -> None:
        self._ring()
        rung.set()

    def ask(self, exchange: Exchange, wanted: str) -> asyncio.Future[bool] | None:
        """A future that comes true when ``wanted`` is there; None if it is."""
        self._latest = ticket = self._latest + 1
        if not exchange.call_when(wanted, self.notifier, ticket):
            return None
        self._waiting[ticket] = future = self._new_future()
        return future

    async def wait(self, exchange: Exchange, wanted: str, timeout: float | None = None) -> bool:
        """Waits until ``wanted`` is there. Returns whether it is, after ``timeout`` seconds at the latest."""
        future = self.ask(exchange, wanted)
        if future is None:
            return True
        if timeout is None:
            return await future
        timer = asyncio.get_running_loop().call_later(max(0.0, timeout), self._give_up, future, self._latest)
        try:
            return await future
        finally:
            timer.cancel()

    def _give_up(self, future: asyncio.Future[bool], ticket: int) -> None:
        self._waiting.pop(ticket, None)  # the next ticket takes its place, and it is never called
        if not future.done():
            future.set_result(False)


def _listen(known: weakref.ref[Bell], loop: asyncio.AbstractEventLoop) -> None:
    while (bell := known()) is not None and not loop.is_closed():
        notifier = bell.notifier
        del bell
        if select.select([notifier.fileno()], [], [], 1.0)[0] and (bell := known()) is not None:
            rung = threading.Event()
            loop.call_soon_threadsafe(bell.ring_for, rung)
            rung.wait(1.0)


_bells: dict[asyncio.AbstractEventLoop, Bell] = {}


def bell() -> Bell:
    """The bell of the running loop.

    Raises:
        RuntimeError: there is none: the caller runs under trio, say.
    """
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError("AsyncTransport needs asyncio: elsewhere, use the HTTP library's own transport") from None
    found = _bells.get(loop)
    if found is None:
        for known in list(_bells):
            if known.is_closed():  # its bell would keep it, and two sockets
                _bells.pop(known, None)
        _bells[loop] = found = Bell(loop)
    return found
