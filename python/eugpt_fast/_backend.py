"""Which parser runs: the native one, or its twin in the pure wheel and where ``EUGPT_FAST_PURE`` asks for it."""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

__all__ = ["HAS_TRANSPORT", "Parser", "ResponseParser", "SSEParser", "ServerSentEvent", "build_info"]


def _pure_is_wanted() -> bool:
    return os.environ.get("EUGPT_FAST_PURE", "0") not in ("", "0")


if TYPE_CHECKING:
    from ._core import Parser, ResponseParser, ServerSentEvent, SSEParser

    def _info() -> dict[str, str] | None: ...

    _native_info = _info()
else:
    _native_info = None
    if not _pure_is_wanted():
        try:
            from ._core import Parser, ResponseParser, ServerSentEvent, SSEParser
            from ._core import build_info as _info
        except ModuleNotFoundError as error:
            if error.name != f"{__package__}._core":
                raise
        else:
            _native_info = _info()
    if _native_info is None:
        from ._pure import Parser, ResponseParser, ServerSentEvent, SSEParser

HAS_TRANSPORT = _native_info is not None and _native_info["transport"] == "yes"

if _native_info is not None and _native_info["profile"] == "debug":
    warnings.warn(
        "eugpt_fast was built without optimisation and is slow: build it with --release",
        RuntimeWarning,
        stacklevel=2,
    )


def build_info() -> dict[str, str]:
    """Which parser is running.

    Returns:
        ``backend`` ("native" or "pure") and, for the native one, ``version``, ``profile`` ("release" or "debug"),
        ``panic`` and ``transport`` ("yes" or "no").
    """
    if _native_info is None:
        return {"backend": "pure"}
    return {"backend": "native", **_native_info}
