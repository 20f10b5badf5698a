"""Which clients become fast, how that is undone, and what happens with an SDK that is unknown or missing."""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from typing import Any, cast

import eugpt_fast.compat.openai as compat
import openai
import pytest
from eugpt_fast.compat.openai import accelerate, known, restore
from eugpt_fast.compat.openai.streams import AsyncFastStream, FastStream
from openai import AsyncAzureOpenAI, AsyncOpenAI, AsyncStream, AzureOpenAI, OpenAI, Stream
from openai_sdk import DELTA, MODES, Body, check_same, client_of, read, responses, run, sse

FAST, PLAIN = (FastStream, AsyncFastStream), (Stream, AsyncStream)
AZURE = {"api_version": "2024-10-21", "base_url": "http://test/openai"}


def class_of_stream(client: Any) -> type:
    async def program(steps: Any) -> type:
        await steps.close()
        return type(steps.stream)

    found: type = run(client, program)
    return found


def test_the_sdk_that_is_installed_is_known() -> None:
    assert known.stranger() is None


@pytest.mark.parametrize("mode", MODES)
def test_the_same_client_comes_back_and_no_other_changes(mode: str) -> None:
    kinds = [OpenAI, AsyncOpenAI, Stream, AsyncStream, openai.BaseModel]
    before = [dict(vars(kind)) for kind in kinds]
    client, other = client_of(sse(DELTA), mode), client_of(sse(DELTA), mode)
    attributes = dict(vars(client))
    assert restore(accelerate(client)) is client
    assert vars(client) == attributes
    assert accelerate(client) is client
    assert type(client) in (OpenAI, AsyncOpenAI)
    assert class_of_stream(client) in FAST
    assert class_of_stream(other) in PLAIN
    assert [dict(vars(kind)) for kind in kinds] == before
    assert restore(client) is client
    assert class_of_stream(client) in PLAIN


@pytest.mark.parametrize("mode", MODES)
def test_resources_that_were_there_before_become_fast_too(mode: str) -> None:
    client = client_of(sse(DELTA), mode)
    create = client.responses.create
    accelerate(client)
    assert class_of_stream_of(create, client) in FAST
    restore(client)
    assert class_of_stream_of(create, client) in PLAIN


def class_of_stream_of(create: Any, client: Any) -> type:
    async def program(steps: Any) -> type:
        await steps.close()
        return type(steps.stream)

    found: type = run(client, program, lambda _: create(model="m", input="Hi", stream=True))
    return found


@pytest.mark.parametrize("mode", MODES)
def test_copies_of_a_fast_client_are_fast_and_can_be_restored_alone(mode: str) -> None:
    client = accelerate(client_of(sse(DELTA), mode))
    for copied in (client.copy(), client.with_options(timeout=5), client.copy().with_options(max_retries=3)):
        assert copied is not client
        assert class_of_stream(copied) in FAST
        restore(copied)
        assert class_of_stream(copied) in PLAIN
        assert class_of_stream(copied.copy()) in PLAIN
    assert class_of_stream(client) in FAST
    restore(client)
    assert class_of_stream(client.copy()) in PLAIN


def test_accelerating_twice_is_accelerating_once() -> None:
    client = client_of(sse(DELTA))
    original = client._process_response
    accelerate(accelerate(client))
    assert vars(client)["_process_response"].args[0] == original
    assert class_of_stream(client) is FastStream
    restore(client)
    assert class_of_stream(client) is Stream
    assert class_of_stream(restore(client)) is Stream


@pytest.mark.parametrize("mode", MODES)
def test_azure_clients_give_the_same(mode: str) -> None:
    kind = AzureOpenAI if mode == "sync" else AsyncAzureOpenAI
    assert len(check_same(sse(DELTA, DELTA), responses, mode, kind=kind, **AZURE)) == 2
    client = accelerate(client_of(sse(DELTA), mode, kind=kind, **AZURE))
    assert class_of_stream(client) in FAST
    assert class_of_stream(client.with_options(timeout=3)) in FAST


def test_an_answer_that_is_no_stream_is_not_touched() -> None:
    body = Body([b'{"id": "r", "object": "response", "output": []}'])
    client = accelerate(client_of(body, headers={"content-type": "application/json"}))
    assert client.responses.create(model="m", input="Hi").id == "r"


@pytest.mark.parametrize("thing", [None, "client", OpenAI, openai], ids=str)
def test_only_clients_of_the_sdk_can_be_accelerated(thing: Any) -> None:
    with pytest.raises(TypeError, match="client of the openai SDK"):
        accelerate(thing)


@pytest.fixture
def _fresh() -> Iterator[None]:
    """As in a process that has not looked at its SDK yet; afterwards the SDK is looked at again."""
    known.stranger.cache_clear()
    compat._warned = False
    yield
    known.stranger.cache_clear()
    compat._warned = False


def _new_loop(self: Any) -> Any:
    """The SDK's loop of a later version, which does something that we have never heard of."""
    for number, sse_event in enumerate(self._iter_events()):
        yield {"number": number, "data": sse_event.json(), "rule": "quota.exceeded"}


def _from_wire(cls: Any, **values: Any) -> Any:
    return cls.from_wire(values)


CHANGES = {
    "a new rule in the loop": (Stream, "__stream__", _new_loop),
    "other arguments": (importlib.import_module("openai._base_client").SyncAPIClient, "_process_response", len),
    "a model built otherwise": (
        openai.BaseModel,
        "construct",
        classmethod(cast(Any, _from_wire)),
    ),
    "a private function gone": (importlib.import_module("openai._models"), "_construct_field", None),
}


@pytest.mark.usefixtures("_fresh")
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_an_unknown_sdk_is_left_alone_with_one_warning(change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place, name, value = change
    with monkeypatch.context() as patch:
        patch.setattr(place, name, value)
        known.stranger()  # and so it is kept
    client = client_of(sse(DELTA, DELTA))
    with pytest.warns(RuntimeWarning, match="not known .* plain decoder") as caught:
        assert accelerate(client, verdict=True) is client
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert class_of_stream(accelerate(client)) is Stream
        assert class_of_stream(accelerate(client_of(sse(DELTA)))) is Stream
    assert read(client) == read(client_of(sse(DELTA, DELTA)))


@pytest.mark.usefixtures("_fresh")
def test_an_sdk_on_pydantic_1_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openai._models.PYDANTIC_V1", True)
    assert known.stranger() == "it runs on pydantic 1"


def test_without_the_sdk_the_import_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openai", None)
    monkeypatch.delitem(sys.modules, "eugpt_fast.compat.openai")
    with pytest.raises(ImportError, match=r"eugpt-fast\[openai\]"):
        importlib.import_module("eugpt_fast.compat.openai")
