"""One parser serves one thread at a time: misuse raises, and corrupts and loses nothing."""

from __future__ import annotations

import contextlib
import gc
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import pytest
from conftest import feed_all

# Deep enough for the native parser to ask json.loads, where another thread, or another call, can come in.
DEEP = "[" * 250 + "]" * 250
EVENTS = [{"type": "a", "n": 1}, {"type": "error", "deep": json.loads(DEEP)}, {"type": "a", "n": 2}]
BODY = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in EVENTS)


@pytest.fixture
def _impatient() -> Iterator[None]:
    """Threads change as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is put here is called, once, by the next json.loads: while a parser is at work."""
    calls: list[Any] = []
    loads = json.loads

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        while calls:
            calls.pop()()
        return loads(*args, **kwargs)

    monkeypatch.setattr(json, "loads", interrupted)
    return calls


def makers(backend: ModuleType) -> list[tuple[Any, str]]:
    return [(backend.Parser, "feed"), (backend.ResponseParser, "feed"), (backend.ResponseParser, "skim")]


def test_a_second_thread_is_refused_and_the_first_is_undisturbed(backend: ModuleType, inside: list[Any]) -> None:
    for cls, method in makers(backend):
        parser = cls()
        entered, leave = threading.Event(), threading.Event()
        inside.append(lambda entered=entered, leave=leave: (entered.set(), leave.wait(30)))
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(getattr(parser, method), BODY)
            assert entered.wait(30)
            try:
                for name in ("feed", method):
                    with pytest.raises(RuntimeError, match="in use"):
                        getattr(parser, name)(b'data: {"type": "error", "lost": 1}\n\n')
            finally:
                leave.set()
            assert first.result(30) == (EVENTS if method == "feed" else EVENTS[1:2])
        assert getattr(parser, method)(b'data: {"type": "error"}\n\n') == [{"type": "error"}]
        parser.finish()


def test_a_call_from_inside_a_call_is_refused(backend: ModuleType, inside: list[Any]) -> None:
    for cls, method in makers(backend):
        parser = cls()
        refused: list[str] = []

        def again(parser: Any = parser, refused: list[str] = refused) -> None:
            with pytest.raises(RuntimeError) as caught:
                parser.feed(BODY)
            refused.append(str(caught.value))

        inside.append(again)
        assert getattr(parser, method)(BODY) == (EVENTS if method == "feed" else EVENTS[1:2])
        assert len(refused) == 1
        assert "one thread at a time" in refused[0]
        assert parser.feed(b"data: 1\n\n") == [1]


def test_reading_a_parser_from_inside_a_call_does_not_harm_it(backend: ModuleType, inside: list[Any]) -> None:
    parser = backend.ResponseParser()

    def read() -> None:
        for name in ("text", "events", "arguments", "terminal", "finish"):
            with contextlib.suppress(RuntimeError):  # refused: as good as answered
                value = getattr(parser, name)
                if callable(value):
                    value()

    inside.append(read)
    assert parser.feed(BODY) == EVENTS
    assert parser.events == 3


def test_an_interrupt_inside_a_call_leaves_a_parser_that_works(backend: ModuleType, inside: list[Any]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    for cls, method in makers(backend):
        parser = cls()
        inside.append(interrupt)
        with pytest.raises(KeyboardInterrupt):
            getattr(parser, method)(BODY)
        rest = getattr(parser, method)(b'data: {"type": "error", "after": 1}\n\n')
        assert rest[-1] == {"type": "error", "after": 1}


@pytest.mark.usefixtures("_impatient")
def test_threads_that_fight_for_one_parser_lose_no_event_and_get_none_twice(backend: ModuleType) -> None:
    for cls, methods in (
        (backend.Parser, ["feed", "feed"]),
        (backend.ResponseParser, ["feed", "skim", "feed", "skim"]),
    ):
        parser = cls()
        start = threading.Barrier(len(methods))

        def fight(method: str, mark: int, parser: Any = parser, start: threading.Barrier = start) -> list[Any]:
            start.wait(30)
            found, accepted = [], 0
            body = BODY.replace(b'"type"', b'"mark": %d, "type"' % mark)
            while accepted < 150:
                try:
                    found += getattr(parser, method)(body)
                    accepted += 1
                except RuntimeError:  # in use: try again
                    continue
            assert (
                found
                == [{"mark": mark, **event} for event in EVENTS if method == "feed" or event["type"] == "error"] * 150
            )
            return found

        with ThreadPoolExecutor(len(methods)) as pool:
            list(pool.map(fight, methods, range(len(methods))))
        parser.finish()
        assert getattr(parser, "events", 450 * len(methods)) == 450 * len(methods)
        assert parser.feed(BODY) == EVENTS  # and no filter of another thread was left behind


@pytest.mark.usefixtures("_impatient")
def test_a_parser_for_each_thread_gives_each_its_own_events(backend: ModuleType) -> None:
    def read(number: int) -> bool:
        body = b"".join(
            b'data: {"thread": %d, "n": %d, "deep": %s}\n\n' % (number, n, DEEP.encode()) for n in range(40)
        )
        expected = [("event", repr({"thread": number, "n": n, "deep": EVENTS[1]["deep"]})) for n in range(40)]
        chunks = [body[at : at + 97] for at in range(0, len(body), 97)]
        return all(feed_all(cls(), chunks) == expected for cls in (backend.Parser, backend.ResponseParser) * 3)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, range(16)))


def test_a_garbage_collector_callback_that_calls_back_does_no_harm(backend: ModuleType) -> None:
    parser = backend.Parser()
    busy = False

    def collected(phase: str, info: dict[str, int]) -> None:
        if busy:
            with contextlib.suppress(RuntimeError):
                parser.feed(b": a comment\n")

    before = gc.get_threshold()
    body = b'data: {"a": [{}, {}, []], "b": {"c": []}}\n\n'
    gc.callbacks.append(collected)
    gc.set_threshold(1, 1, 1)
    try:
        busy = True
        found = [event for _ in range(200) for event in parser.feed(body * 5)]
        busy = False
    finally:
        gc.set_threshold(*before)
        gc.callbacks.remove(collected)
    assert found == [{"a": [{}, {}, []], "b": {"c": []}}] * 1000


NEST = """
import json, sys, threading
module, stack, depth = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
text = "[" * depth + "1" + "]" * depth
if module != "json":
    parser = __import__(module, fromlist=["Parser"]).Parser
threading.stack_size(stack)
def read():
    if module == "json":
        json.loads(text)
    else:
        parser().feed(b"data: " + text.encode() + b"\\n\\n")
thread = threading.Thread(target=read)
thread.start()
thread.join()
print("alive")
"""


@pytest.mark.parametrize("stack", [64 * 1024, 128 * 1024, 256 * 1024])
def test_nesting_overflows_no_small_stack_that_json_loads_can_work_in(backend: ModuleType, stack: int) -> None:
    def survives(module: str, depth: int) -> bool:
        command = [sys.executable, "-c", NEST, module, str(stack), str(depth)]
        return "alive" in subprocess.run(command, capture_output=True, text=True, check=False).stdout

    for depth in (60, 199, 250):
        if not survives("json", depth):
            pytest.skip("json.loads itself dies in this stack")
        assert survives(backend.__name__, depth)
