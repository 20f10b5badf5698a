"""Whether the installed SDK works the way that this package relies on.

An accelerated stream takes a short cut past five of the SDK's functions. Each is compared by its vocabulary: the names
and the texts in its compiled code. A version with a new rule in one of them has a new word in it.
"""

from __future__ import annotations

import functools
import inspect
from importlib import import_module
from types import CodeType
from typing import Any

_WORDS = {
    "Stream.__init__": "__stream__ _cast_to _client _decoder _iterator _make_sse_decoder _options response",
    "Stream._iter_events": """
        APIConnectionError APITimeoutError _decoder aiter_bytes iter_bytes request request_exceptions response
        timeout_exceptions""",
    "Stream.__stream__": """
        APIError Any HTTP/1.1 [DONE] _cast_to _client _iter_events _options _process_response_data aclose cast close
        data drain_response_async error event get http_version is_mapping isinstance json legacy message request
        response startswith str stream_mode synthesize_event_and_data thread.""",
    "BaseClient._process_response_data": """
        APIResponseValidationError ModelBuilderProtocol ResponseT ValidationError VectorStoreFileBatch __setattr__
        _strict_response_validation build cast construct_type data get inspect is_dict isclass issubclass object
        pydantic types.vector_stores validate_type vector_store.file_batch vector_store.files_batch""",
    "BaseModel.construct": """
        PYDANTIC_V1 _ConfigProtocol __dict__ __fields_set__ __new__ __pydantic_extra__ __pydantic_fields_set__
        __pydantic_private__ __setattr__ _construct_field _get_extra_fields_type _init_private_attributes add alias
        allow_population_by_field_name construct_type field_get_default get get_model_config get_model_fields
        isinstance items object populate_by_name set""",
    "_construct_field": """
        PYDANTIC_V1 RuntimeError annotation cast construct_type field_get_default getattr metadata outer_type_ type""",
}
_ATTRIBUTES = {"__stream__", "_cast_to", "_client", "_decoder", "_iterator", "response"}


@functools.lru_cache(maxsize=1)
def stranger() -> str | None:
    """What is unknown about the installed SDK, or None."""
    try:
        _check()
    except (ImportError, AttributeError, TypeError, _Unknown) as error:
        return str(error)
    return None


class _Unknown(Exception):
    """Something in the SDK that has changed."""


def _check() -> None:
    streaming, models, clients = (import_module(f"openai.{name}") for name in ("_streaming", "_models", "_base_client"))
    if models.PYDANTIC_V1:
        raise _Unknown("it runs on pydantic 1")
    for client in (clients.SyncAPIClient, clients.AsyncAPIClient):
        if "stream_cls" not in inspect.signature(client._process_response).parameters:
            raise _Unknown("_process_response takes no stream_cls")
    for stream in (streaming.Stream, streaming.AsyncStream):
        if not words_of(stream.__init__) >= _ATTRIBUTES:
            raise _Unknown(f"{stream.__name__} has other attributes")
        for name in ("__init__", "_iter_events", "__stream__"):
            _compare(f"Stream.{name}", getattr(stream, name))
    _compare("BaseClient._process_response_data", clients.BaseClient._process_response_data)
    _compare("BaseModel.construct", models.BaseModel.construct)
    _compare("_construct_field", models._construct_field)


def _compare(name: str, function: Any) -> None:
    new = words_of(function) - set(_WORDS[name].split())
    if new:
        raise _Unknown(f"{name} has changed: {', '.join(sorted(new))}")


def words_of(function: Any) -> set[str]:
    """The names and texts in a function's code; texts of several words are messages, and left out."""
    return {word for word in _words(inspect.unwrap(function).__code__) if " " not in word}


def _words(code: CodeType) -> set[str]:
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, str):
            found.add(constant)
        elif isinstance(constant, CodeType):
            found |= _words(constant)
    return found
