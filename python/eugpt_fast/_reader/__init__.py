"""Reading a response stream to its verdict, over any source of bytes."""

from .aio import AsyncEventStream
from .reader import Collected, Metrics
from .sync import EventStream
from .verdict import Verdict

__all__ = ["AsyncEventStream", "Collected", "EventStream", "Metrics", "Verdict"]
