"""The parser in pure Python: the oracle of the tests, the baseline of the benchmarks, the fallback without a wheel.

Same names, same results, same errors as the native module, for any bytes in any pieces.
"""

from __future__ import annotations

from .parser import Parser, ResponseParser
from .sse import ServerSentEvent, SSEParser
from .values import loads

__all__ = ["Parser", "ResponseParser", "SSEParser", "ServerSentEvent", "loads"]
