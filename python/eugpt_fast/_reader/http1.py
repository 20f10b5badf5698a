"""Chunks of HTTP/1.1 that have arrived together, taken together.

httpcore asks h11 for one chunk of the transfer coding at a time. Servers send a chunk per event, and each costs several
times what it costs to parse and to build the event in it. Only the reader of the one response at hand is exchanged, and
the new one does itself what is plain: whole chunks, without extensions, that are in the buffer already.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from h11 import Data
    from h11._readers import ChunkedReader
else:
    try:
        from h11 import Data
        from h11._readers import ChunkedReader
    except ImportError:  # another h11, or none: chunks come one by one

        class ChunkedReader:
            """What no response has."""


__all__ = ["join_chunks"]

_PATH = ("stream", "_stream", "_httpcore_stream", "_stream", "_connection", "_h11_state", "_reader")
_match_size = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n").match


def join_chunks(response: Any) -> None:
    """Makes ``response`` of httpx or httpx2 give all that has arrived at once. Harmless where that is not possible:
    HTTP/2, no chunks, another transport, h11 before 0.15.
    """
    if response.is_closed or response.is_stream_consumed:
        return  # its connection may serve another response by now
    reader = response
    for name in _PATH:
        reader = getattr(reader, name, None)
    if type(reader) is ChunkedReader and getattr(reader, "_bytes_to_discard", None) == b"":
        reader.__class__ = JoiningReader


class JoiningReader(ChunkedReader):
    """h11's reader, which keeps its state and does all that is not plain."""

    def __call__(self, buf: Any) -> Any:
        buffered: Any = buf._data
        pieces: list[bytes] = []
        at = len(self._bytes_to_discard)  # the line end behind a chunk
        if self._bytes_in_chunk or self._reading_trailer or buffered[:at] != self._bytes_to_discard:
            return super().__call__(buf)
        while header := _match_size(buffered, at):
            size, start = int(header[1], 16), header.end()
            end = start + size
            if size == 0 or buffered[end : end + 2] != b"\r\n":
                break
            pieces.append(buffered[start:end])
            at = end + 2
        if not pieces:
            return super().__call__(buf)
        buf.maybe_extract_at_most(at)
        self._bytes_to_discard = b""
        return Data(data=b"".join(pieces))
