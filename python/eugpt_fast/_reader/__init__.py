"""Reading a response stream to its verdict, over any source of bytes."""

from .aio import AsyncEventStream
from .reader import Collected, Metrics
from .sync import EventStream

__all__ = ["AsyncEventStream", "Collected", "EventStream", "Metrics"]
