"""A reply as the TCP writes that carry it: head, chunks, end. No I/O here."""

import zlib
from collections.abc import Iterator

from .chunking import Chunk
from .faults import COMMENT, Fault, damage, split
from .reply import Framing, Reply

_COMMENT_PERIOD = 0.02  # seconds; often enough that a test sees several within its patience


def writes(reply: Reply) -> Iterator[Chunk]:
    """Every write of the reply, in order, up to where its transport fault sets in.

    A reply with `Fault.STALL_COMMENTS` never ends.
    """
    fault, body, broken = reply.fault, reply.body, b""
    if fault is not None and not fault.in_transport:
        body = damage(body, fault, reply.after_events)
    yield Chunk(_head(reply, body))

    transport_fault = fault is not None and fault.in_transport
    if transport_fault:
        kept, rest = split(body, reply.after_events)
        body, broken = b"".join(kept), b"".join(rest[:1])

    coding = _Coding(reply.gzip)
    at = 0.0
    for index, chunk in enumerate(reply.chunking(body)):
        at = chunk.at + index * reply.pace
        yield Chunk(_framed(reply, coding.encode(chunk.data)), at)

    if fault is Fault.BROKEN_CHUNK:
        data = coding.encode(broken[: len(broken) // 2])
        announced = b"%x\r\n" % (len(data) + 1) if reply.framing is Framing.CHUNKED else b""
        yield Chunk(announced + data, at)
    elif fault is Fault.STALL_COMMENTS:
        while True:
            at += reply.pace or _COMMENT_PERIOD
            yield Chunk(_framed(reply, coding.encode(COMMENT)), at)
    elif not transport_fault:
        end = _framed(reply, coding.end()) + (b"0\r\n\r\n" if reply.framing is Framing.CHUNKED else b"")
        if end:
            yield Chunk(end, at)


def _head(reply: Reply, body: bytes) -> bytes:
    fields = {"content-type": "text/event-stream; charset=utf-8"}
    fields.update((name.lower(), value) for name, value in reply.headers.items())
    if reply.gzip:
        fields["content-encoding"] = "gzip"
    if reply.framing is Framing.CHUNKED:
        fields["transfer-encoding"] = "chunked"
    elif reply.framing is Framing.LENGTH:
        fields["content-length"] = str(_length(reply, body))
    else:
        fields["connection"] = "close"
    lines = [reply.status_line, *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _length(reply: Reply, body: bytes) -> int:
    """Bytes after compression, which depend on where the chunks are flushed."""
    coding = _Coding(reply.gzip)
    return sum(len(coding.encode(chunk.data)) for chunk in reply.chunking(body)) + len(coding.end())


def _framed(reply: Reply, data: bytes) -> bytes:
    if data and reply.framing is Framing.CHUNKED:
        return b"%x\r\n%b\r\n" % (len(data), data)
    return data


class _Coding:
    """The content coding: gzip or none."""

    def __init__(self, gzip: bool) -> None:
        self._deflate = zlib.compressobj(wbits=31) if gzip else None  # 31: with the gzip header and trailer

    def encode(self, data: bytes) -> bytes:
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH) if self._deflate else data

    def end(self) -> bytes:
        return self._deflate.flush() if self._deflate else b""
