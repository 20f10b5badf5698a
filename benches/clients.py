"""The contenders over HTTP: each asks for one stream, reads it, and returns how many events and what text it got."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import eugpt_fast
import httpx
import httpx2
import httpx_sse
import openai
from eugpt_fast import EventStream
from eugpt_fast.compat import httpx_sse as drop_in
from eugpt_fast.compat.openai import accelerate

from .byhand import ByHand
from .guide import guide_events

Result = tuple[int, str]
"""Events and text; of the floors, bytes and no text."""

BODY = {"model": "replay", "input": "Hi", "stream": True}
DELTA = "response.output_text.delta"

OURS = "eugpt_fast"
COLLECT = "eugpt_fast collect()"
GUIDE = "the guide's loop"
BY_HAND = "httpx + orjson"
HTTPX_SSE = "httpx-sse"
DROP_IN = "eugpt_fast.compat.httpx_sse"
SDK = "openai SDK"
FAST_SDK = "openai SDK, accelerated"
NATIVE = ", native transport"
"""Behind the name of who uses ours; nobody does in a build without it."""
ASYNC = ", async"
"""Behind the name of whoever awaits."""
FLOOR = "httpx alone (floor)"

HAS_NATIVE = hasattr(eugpt_fast, "Transport")
WITHOUT_NATIVE = "this build has no native transport: its rows and goals are left out"

# Nobody waits for a connection. Idle ones stay as few as by default: httpx takes cubic time in the number of those.
LIMITS = {"max_connections": None, "max_keepalive_connections": 20, "keepalive_expiry": None}


class Clients:
    """One pooled client per library, so that every contender keeps its connection alive."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._httpx = httpx.Client(limits=httpx.Limits(**LIMITS))
        self._httpx2 = httpx2.Client(limits=httpx2.Limits(**LIMITS))
        sdk = partial(openai.OpenAI, api_key="none", max_retries=0)
        self._sdk = {SDK: sdk(), FAST_SDK: accelerate(sdk())}
        if HAS_NATIVE:
            self._native = httpx.Client(transport=eugpt_fast.Transport())
            native_sdk = sdk(http_client=httpx2.Client(transport=eugpt_fast.Transport()))
            self._sdk[FAST_SDK + NATIVE] = accelerate(native_sdk)

    def close(self) -> None:
        for client in (self._httpx, self._httpx2, *self._sdk.values(), *([self._native] if HAS_NATIVE else [])):
            client.close()

    @property
    def contenders(self) -> dict[str, Callable[[str], Result]]:
        """By name; what they take is the name of the stream."""
        native: dict[str, Callable[[str], Result]] = {}
        if HAS_NATIVE:
            native = {
                OURS + NATIVE: partial(self.ours, self._native),
                COLLECT + NATIVE: partial(self.ours_collecting, self._native),
                FAST_SDK + NATIVE: partial(self.sdk, FAST_SDK + NATIVE),
            }
        return native | {
            OURS: partial(self.ours, self._httpx),
            COLLECT: partial(self.ours_collecting, self._httpx),
            GUIDE: self.guide,
            BY_HAND: self.by_hand,
            DROP_IN: partial(self.httpx_sse, drop_in),
            HTTPX_SSE: partial(self.httpx_sse, httpx_sse),
            "httpx2.EventSource": self.httpx2_event_source,
            FAST_SDK: partial(self.sdk, FAST_SDK),
            SDK: partial(self.sdk, SDK),
            FLOOR: self.raw,
        }

    def _post(self, client: Any, stream: str) -> Any:
        return client.stream("POST", self._path(stream), json=BODY)

    def _path(self, stream: str) -> str:
        return f"{self._url}/{stream}/responses"

    def ours(self, client: Any, stream: str) -> Result:
        with self._post(client, stream) as response:
            return _taken(EventStream(response))

    def ours_collecting(self, client: Any, stream: str) -> Result:
        with self._post(client, stream) as response:
            collected = EventStream(response).collect()
        return collected.metrics.events, collected.text

    def guide(self, stream: str) -> Result:
        with self._post(self._httpx, stream) as response:
            return _taken(guide_events(response.iter_text()))

    def by_hand(self, stream: str) -> Result:
        parser = ByHand()
        with self._post(self._httpx, stream) as response:
            return _taken(event for chunk in response.iter_raw() for event in parser.feed(chunk))

    def httpx_sse(self, module: Any, stream: str) -> Result:
        with module.connect_sse(self._httpx, "POST", self._path(stream), json=BODY) as source:
            return _taken(sse.json() for sse in source.iter_sse())

    def httpx2_event_source(self, stream: str) -> Result:
        with self._post(self._httpx2, stream) as response:
            return _taken(json.loads(sse.data) for sse in httpx2.EventSource(response))

    def sdk(self, name: str, stream: str) -> Result:
        client = self._sdk[name]
        client.base_url = f"{self._url}/{stream}"
        count, deltas = 0, []
        for event in client.responses.create(**BODY):
            count += 1
            if event.type == DELTA:
                deltas.append(event.delta)
        return count, "".join(deltas)

    def raw(self, stream: str) -> Result:
        with self._post(self._httpx, stream) as response:
            return sum(map(len, response.iter_raw())), ""


def _taken(events: Iterable[Any]) -> Result:
    count, deltas = 0, []
    for event in events:
        count += 1
        if event["type"] == DELTA:
            deltas.append(event["delta"])
    return count, "".join(deltas)
