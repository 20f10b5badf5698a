"""``Parser`` and ``ResponseParser``: events as the values of their JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from .account import TERMINAL, Account, kind_of
from .feed import Feed, text
from .framing import Event
from .values import loads

if TYPE_CHECKING:
    from ..events import Event as ResponsesEvent
    from ..events import TerminalEvent


class Parser(Feed):
    """One stream of bytes to the JSON of its events; see ``_core.pyi``."""

    def __init__(self, *, only: Iterable[str] | None = None, max_event_size: int = 64 * 2**20) -> None:
        super().__init__(max_event_size)
        if isinstance(only, str):
            raise TypeError("only takes a collection of event types, not a single str")
        self._only = None if only is None else frozenset(only) | TERMINAL
        if self._only is not None and not all(isinstance(kind, str) for kind in cast(frozenset[Any], self._only)):
            raise TypeError("only takes a collection of str")

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[ResponsesEvent]:
        return self._run(chunk, self._dispatch)

    def _dispatch(self, event: Event, results: list[Any]) -> None:
        if is_done(event.data):
            return
        value = loads(text(event.data))
        if self._only is None or kind_of(value) in self._only:
            results.append(value)


class ResponseParser(Parser):
    """A parser that also keeps the account of a Responses stream; see ``_core.pyi``."""

    def __init__(self, *, only: Iterable[str] | None = None, max_event_size: int = 64 * 2**20) -> None:
        super().__init__(only=only, max_event_size=max_event_size)
        self._account = Account()
        self.terminal: TerminalEvent | None = None

    def skim(self, chunk: bytes | bytearray | memoryview) -> list[ResponsesEvent]:
        return self._run(chunk, self._skim)

    def _dispatch(self, event: Event, results: list[Any]) -> None:
        self._enter(event, results, self._only)

    def _skim(self, event: Event, results: list[Any]) -> None:
        self._enter(event, results, TERMINAL)

    def _enter(self, event: Event, results: list[Any], only: frozenset[str] | None) -> None:
        if is_done(event.data):
            return
        value = loads(text(event.data))
        kind = kind_of(value)
        if kind in TERMINAL:
            self.terminal = value
        if only is None or kind in only:
            results.append(value)
        self._account.enter(value)

    @property
    def events(self) -> int:
        return self._account.events

    @property
    def progress(self) -> int:
        return self._account.progress

    @property
    def has_text(self) -> bool:
        return any(self._account.text)

    @property
    def text(self) -> str:
        return "".join(self._account.text)

    @property
    def refusal(self) -> str:
        return "".join(self._account.refusal)

    @property
    def reasoning(self) -> str:
        return "".join(self._account.reasoning)

    @property
    def reasoning_summary(self) -> str:
        return "".join(self._account.reasoning_summary)

    @property
    def arguments(self) -> dict[str, str]:
        return {item_id: "".join(pieces) for item_id, pieces in self._account.arguments.items()}

    @property
    def response_id(self) -> str | None:
        return self._account.response_id

    @property
    def last_sequence_number(self) -> int | None:
        return self._account.last_sequence_number

    @property
    def gaps(self) -> int:
        return self._account.gaps

    @property
    def repeats(self) -> int:
        return self._account.repeats

    @property
    def reorders(self) -> int:
        return self._account.reorders


def is_done(data: bytes) -> bool:
    """True for the payload that marks the end of some streams and is never JSON."""
    return data.strip(b" \t\n\r\f") == b"[DONE]"
