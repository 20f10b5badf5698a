"""``SSEParser`` and ``ServerSentEvent``: the WHATWG layer by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .feed import Feed, text
from .framing import Event
from .values import loads


@dataclass(frozen=True)
class ServerSentEvent:
    """One dispatched event; see ``_core.pyi``."""

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: int | None = None

    def json(self) -> Any:
        return loads(self.data)


class SSEParser(Feed):
    """One stream of bytes to its server-sent events; see ``_core.pyi``."""

    def __init__(self, *, max_event_size: int = 64 * 2**20) -> None:
        super().__init__(max_event_size)

    def feed(self, chunk: bytes | bytearray | memoryview) -> list[ServerSentEvent]:
        return self._run(chunk, _dispatch)


def _dispatch(event: Event, results: list[Any]) -> None:
    name, data, last_event_id, retry = event
    results.append(ServerSentEvent(text(name) or "message", text(data), text(last_event_id), retry))
