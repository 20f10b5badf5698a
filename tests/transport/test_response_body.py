"""Where a body ends, and that its bytes are the same however they arrive."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import cut

from .stacks import NATIVE, OWN, Stack, stacks
from .wire import CHUNKED, Connection, WireServer, answering, chunk, once, response

CHUNKY = CHUNKED + chunk(b"hello") + chunk(b" ") + chunk(b"world") + chunk(b"")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3_000_000])
def test_a_body_with_a_length(stack: Stack, size: int) -> None:
    body = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    with WireServer(response(body[:size])) as server, stack.client() as client:
        assert client.get(server.url).content == body[:size]
        assert client.get(server.url).content == body[:size]
    assert server.connections == 1


def test_a_chunked_body(stack: Stack) -> None:
    with WireServer(CHUNKY) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello world"
        assert client.get(server.url).content == b"hello world"
    assert server.connections == 1


@pytest.mark.parametrize(
    "chunks",
    {
        "extensions": b"5;a=b;c\r\nhello\r\n6;d\r\n world\r\n0;x=y\r\n\r\n",
        "upper case": b"0000B\r\nhello world\r\n00\r\n\r\n",
        "trailers": b"B\r\nhello world\r\n0\r\nX-Check: 1\r\nX-More: 2\r\n\r\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_what_a_chunked_body_may_have_besides_its_bytes(stack: Stack, chunks: tuple[str, bytes]) -> None:
    with WireServer(CHUNKED + chunks[1]) as server, stack.client() as client:
        for _ in range(2):
            answer = client.get(server.url)
            assert answer.content == b"hello world"
            assert "x-check" not in answer.headers
    assert server.connections == 1


@pytest.mark.parametrize("stack", stacks(OWN[0], *NATIVE[:2]))
def test_a_response_may_be_cut_anywhere(stack: Stack) -> None:
    whole = CHUNKED + b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Check: 1\r\n\r\n"
    pieces = [cut(whole, place) for place in range(1, len(whole))]
    pieces.append([whole[at : at + 1] for at in range(len(whole))])
    with WireServer(answering_in_pieces(pieces)) as server, stack.client() as client:
        for _ in pieces:
            assert client.get(server.url).content == b"hello world"
    assert server.connections == 1


def answering_in_pieces(answers: list[list[bytes]]) -> Any:
    """A script: the nth request gets the nth answer, in these segments with room between them to be read."""

    def script(connection: Connection) -> None:
        for pieces in answers:
            connection.request()
            for piece in pieces:
                connection.send(piece)
                connection.pause()

    return script


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"])
def test_a_body_without_a_length_ends_with_the_connection(stack: Stack, head: bytes) -> None:
    with WireServer(once(head + b"hello", b" world")) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello world"
        assert client.get(server.url).content == b"hello world"
    assert server.connections == 2


def test_an_old_server_closes_behind_its_body(stack: Stack) -> None:
    with WireServer(once(b"HTTP/1.0 200 OK\r\n\r\nhello")) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"


def test_chunks_count_where_both_framings_are_told(stack: Stack) -> None:
    both = CHUNKY.replace(b"200 OK\r\n", b"200 OK\r\nContent-Length: 3\r\n")
    with WireServer(both) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello world"


def test_equal_lengths_may_be_repeated(stack: Stack) -> None:
    twice = response(b"hello", b"Content-Length: 5")
    with WireServer(twice) as server, stack.client() as client:
        assert client.get(server.url).content == b"hello"


def test_the_bytes_that_came_are_counted(stack: Stack) -> None:
    with WireServer(CHUNKY) as server, stack.client() as client, client.stream("GET", server.url) as answer:
        assert b"".join(answer.iter_raw()) == b"hello world"
        assert answer.num_bytes_downloaded == 11


def test_responses_that_follow_each_other_on_a_connection_do_not_mix(stack: Stack) -> None:
    answers = [CHUNKY, response(b"two"), b"HTTP/1.1 204 No Content\r\n\r\n", CHUNKY, response(b"five" * 40_000)]
    with WireServer(answering(*answers)) as server, stack.client() as client:
        found = [client.get(server.url).content for _ in answers]
    assert found == [b"hello world", b"two", b"", b"hello world", b"five" * 40_000]
    assert server.connections == 1
