"""Both parsers as one fixture, and the ways to feed them that the tests share."""

from __future__ import annotations

import importlib
import itertools
import os
import random
from collections.abc import Iterable, Iterator
from types import ModuleType
from typing import Any

import pytest
from eugpt_fast import _pure, errors
from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "default", deadline=None, max_examples=100, derandomize=bool(os.environ.get("CI")), suppress_health_check=_SLOW
)
settings.register_profile("thorough", deadline=None, max_examples=5000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

PURE_ONLY = os.environ.get("EUGPT_FAST_PURE", "0") not in ("", "0")


def native_module() -> ModuleType | None:
    """The native module where it exists and is wanted."""
    if PURE_ONLY:
        return None
    try:
        return importlib.import_module("eugpt_fast._core")
    except ModuleNotFoundError:
        return None


NATIVE = native_module()
BACKENDS = [module for module in (NATIVE, _pure) if module is not None]


@pytest.fixture(params=BACKENDS, ids=lambda module: module.__name__.rpartition(".")[2])
def backend(request: pytest.FixtureRequest) -> ModuleType:
    """The module under test: each of the two in turn."""
    found: ModuleType = request.param
    return found


@pytest.fixture
def native() -> ModuleType:
    """The native module; the test is skipped where there is none."""
    if NATIVE is None:
        pytest.skip("no native module")
    return NATIVE


ACCOUNT = [
    "arguments", "events", "gaps", "has_text", "last_sequence_number", "progress", "reasoning", "reasoning_summary",
    "refusal", "reorders", "repeats", "response_id", "terminal", "text",
]  # fmt: skip


def account_of(parser: Any) -> dict[str, Any]:
    """Every attribute that a parser of this class publishes."""
    names = ACCOUNT if hasattr(parser, "skim") else ["last_event_id", "retry"]
    return {name: getattr(parser, name) for name in names}


def outcome_of(error: Exception) -> tuple[str, ...]:
    """What a caller can tell of an error, as text that compares."""
    fields = ("msg", "doc", "pos", "lineno", "colno", "limit", "data")
    told = [f"{name}={getattr(error, name)!r}" for name in fields if hasattr(error, name)]
    return ("raised", type(error).__name__, str(error), *told)


def feed_all(parser: Any, chunks: Iterable[Any], method: str = "feed") -> list[tuple[str, ...]]:
    """All that happens when ``chunks`` are fed, errors included, in order: chunking must not change it.

    Values are written as ``repr``, which tells 1 from 1.0 and True, 0.0 from -0.0, and one order of keys from another.
    """
    feed = getattr(parser, method)
    log: list[tuple[str, ...]] = []
    for first in chunks:
        chunk = first
        while True:
            try:
                log += [("event", repr(event)) for event in feed(chunk)]
            except (errors.EventDecodeError, errors.EventTooLarge) as error:
                log += [("event", repr(event)) for event in error.events]
                log.append(outcome_of(error))
                chunk = b""
            else:
                break
    try:
        parser.finish()
    except errors.EventTruncated as error:
        log.append(outcome_of(error))
    return log


def cut(body: bytes, *places: int) -> list[bytes]:
    """``body`` in pieces, cut at these places."""
    bounds = [0, *sorted(places), len(body)]
    return [body[start:end] for start, end in itertools.pairwise(bounds)]


def every_cut(body: bytes) -> Iterator[list[bytes]]:
    """``body`` whole, cut at every byte, in single bytes, and, if it is short, cut at every two bytes."""
    yield [body]
    yield [b"", body, b""]
    yield [body[at : at + 1] for at in range(len(body))]
    for first in range(1, len(body)):
        yield cut(body, first)
        if len(body) <= 48:
            yield from (cut(body, first, second) for second in range(first + 1, len(body)))


def random_cuts(body: bytes, seed: object) -> Iterator[list[bytes]]:
    """``body`` in pieces of random sizes: tiny ones, packets, blocks, and a mixture; the same for the same seed."""
    dice = random.Random(str(seed))
    for low, high in ((1, 3), (1, 40), (700, 1400), (8192, 65536), (1, 5000)):
        pieces, at = [], 0
        while at < len(body):
            size = dice.randint(low, high)
            pieces.append(body[at : at + size])
            at += size
        yield pieces
