"""The official ``openai`` SDK, with streams at the speed of this package: same calls, same objects, same exceptions."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast

try:
    from openai import AsyncOpenAI, OpenAI
except ModuleNotFoundError as error:
    if error.name != "openai":
        raise
    raise ImportError(
        "eugpt_fast.compat.openai needs the official SDK, which is not installed: pip install 'eugpt-fast[openai]'",
        name="openai",
    ) from error

from .known import stranger

__all__ = ["accelerate", "restore"]

_Client = TypeVar("_Client", bound=OpenAI | AsyncOpenAI)
_warned = False


def accelerate(client: _Client, *, verdict: bool = False) -> _Client:
    """Makes the streams of ``client`` fast, and those of every copy that it makes of itself from now on.

    Events are the same objects as before. No other client and nothing global is touched. Streams that are open already
    stay as they are. An SDK whose inner workings are unknown is left alone, with one ``RuntimeWarning``.

    Args:
        client: an ``OpenAI``, ``AsyncOpenAI``, ``AzureOpenAI`` or ``AsyncAzureOpenAI``.
        verdict: whether a Responses stream that ends with no terminal event, or with a flat ``error`` event, raises at
            its end. The errors are also the SDK's ``APIConnectionError`` and ``APIError``.

    Returns:
        The same client.

    Raises:
        TypeError: ``client`` is no client of the SDK.
    """
    if not isinstance(client, (OpenAI, AsyncOpenAI)):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"expected a client of the openai SDK, not {type(client).__name__}")
    reason = stranger()
    if reason is not None:
        _warn(reason)
        return client
    restore(client)
    seams: dict[str, Any] = {
        "_process_response": partial(_with_fast_stream, cast(Any, client)._process_response, verdict),
        "copy": partial(_accelerated_copy, client.copy, verdict),
        "with_options": partial(_accelerated_copy, client.with_options, verdict),
    }
    vars(client).update(seams)
    return client


def restore(client: _Client) -> _Client:
    """Undoes :func:`accelerate` for this client; copies that it has made stay fast. Harmless where nothing was done.

    Returns:
        The same client.
    """
    for name, value in list(vars(client).items()):
        if isinstance(value, partial) and value.func in (_with_fast_stream, _accelerated_copy):
            delattr(client, name)
    return client


def _with_fast_stream(process: Callable[..., Any], verdict: bool, /, **given: Any) -> Any:
    """The SDK's handling of a response, which is about to choose the class of its stream."""
    # Imported only now: it needs of the SDK what `stranger` has looked at first.
    choice = import_module(".choice", __name__)
    return process(**{**given, "stream_cls": choice.fast_class(given.get("stream_cls"), verdict)})


def _accelerated_copy(copy: Callable[..., Any], verdict: bool, /, *args: Any, **options: Any) -> Any:
    return accelerate(copy(*args, **options), verdict=verdict)


def _warn(reason: str) -> None:
    global _warned  # noqa: PLW0603 - once per process
    if not _warned:
        _warned = True
        warnings.warn(
            f"this version of the openai SDK is not known ({reason}): its streams are read by its own plain decoder",
            RuntimeWarning,
            stacklevel=3,
        )
