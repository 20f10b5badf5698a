"""The native HTTP transport: transports for httpx and httpx2 over ``_core.HttpClient``."""

from .aio import AsyncTransport
from .bodies import AsyncNativeBody, NativeBody
from .sync import Transport

__all__ = ["AsyncNativeBody", "AsyncTransport", "NativeBody", "Transport"]
