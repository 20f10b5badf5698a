"""The loop of the vendor's guide, which the benchmarks and the tests measure us by."""

import codecs
import json
from collections.abc import Iterable, Iterator
from typing import Any


def texts(chunks: Iterable[bytes]) -> Iterator[str]:
    """Bytes to str as httpx does it for those who ask for text."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for chunk in chunks:
        if text := decoder.decode(chunk):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def guide_events(pieces: Iterable[str]) -> Iterator[Any]:
    """The way of the vendor's guide: collect text, cut at blank lines, take the data lines."""
    pending = ""
    for piece in pieces:
        pending += piece
        while (end := pending.find("\n\n")) >= 0:
            block = pending[:end]
            pending = pending[end + 2 :]
            for line in block.splitlines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])
