"""``SSEParser`` and ``ServerSentEvent``: the WHATWG layer by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .feed import Feed, text
from .framing import Event
from .values import loads


@dataclass(frozen=True, repr=False)
class ServerSentEvent:
    """One dispatched event; see ``_core.pyi``."""

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None

    def __init__(
        self, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> None:
        self.__dict__.update(event=event or "message", data=data or "", id=id or "", retry=retry)

    def json(self) -> Any:
        return loads(self.data)

    def __repr__(self) -> str:
        told = [
            f", {name}={value!r}"
            for name, value in self.__dict__.items()
            if name != "event" and value not in ("", None)
        ]
        return f"ServerSentEvent(event={self.event!r}{''.join(told)})"


class SSEParser(Feed):
    """One stream of bytes to its server-sent events; see ``_core.pyi``."""

    def __init__(self, *, max_event_size: int = 64 * 2**20) -> None:
        super().__init__(max_event_size)

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[ServerSentEvent]:
        return self._run(chunk, _dispatch)


def _dispatch(event: Event, results: list[Any]) -> None:
    name, data, last_event_id, retry = event
    results.append(ServerSentEvent(text(name), text(data), text(last_event_id), retry))
