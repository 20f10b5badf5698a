"""One request as the replay server received it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Request:
    """An HTTP request: its method, its path with the query, its headers by lower-case name, its whole body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


async def read_request(first_byte: bytes, reader: asyncio.StreamReader) -> Request:
    """Read the request that starts with `first_byte`.

    Raises:
        EOFError, OSError: the client left in the middle, or what it sends is not HTTP/1.1.
    """
    try:
        head = first_byte + await reader.readuntil(b"\r\n\r\n")
        request_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, path, _version = request_line.split(" ")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = await _read_chunked(reader)
        else:
            body = await reader.readexactly(int(headers.get("content-length", "0")))
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise ConnectionAbortedError("not an HTTP/1.1 request") from error
    return Request(method, path, headers, body)


async def _read_chunked(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).partition(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:size]
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass  # trailer fields
    return bytes(body)
