"""The native module. ``eugpt_fast._pure`` has the same names with the same behaviour in Python."""

from collections.abc import Iterable
from typing import Any, TypeAlias, final

from .events import Event, TerminalEvent

__all__ = [
    "Exchange",
    "HttpClient",
    "Notifier",
    "Parser",
    "ResponseParser",
    "SSEParser",
    "ServerSentEvent",
    "TransportFailure",
    "build_info",
    "forked",
    "leave",
]

def build_info() -> dict[str, str]: ...

@final
class Parser:
    """One stream of bytes to the JSON of its events. Sans-IO: feed it what arrives, in any pieces.

    Args:
        only: event types to decode. Events of other types are checked and skipped without being built; terminal
            events always come. None decodes all.
        max_event_size: the most data that one event may hold, in bytes; 64 MiB by default.

    Raises:
        ValueError: ``max_event_size`` is not positive.
        TypeError: ``only`` is a single ``str``.

    Examples:
        >>> parser = Parser()
        >>> parser.feed(b'data: {"type":"response.output_text.delta","de')
        []
        >>> parser.feed(b'lta":"Hi"}\\n\\n')
        [{'type': 'response.output_text.delta', 'delta': 'Hi'}]
    """

    def __new__(cls, *, only: Iterable[str] | None = None, max_event_size: int = ...) -> Parser: ...
    def feed(self, chunk: bytes | bytearray | memoryview) -> list[Event]:
        """The decoded data of every event that ``chunk`` completes.

        The values are those of :func:`json.loads`: a ``dict`` nearly always, but whatever the data is passes through.
        ``[DONE]`` is an end mark, not an event. Framing follows the WHATWG event stream rules.

        Raises:
            EventDecodeError: an event is not JSON. Its ``.events`` holds what this call decoded before it; the parser
                stands just behind it, so ``feed(b"")`` goes on with the rest of the chunk.
            EventTooDeep: the same, for nesting beyond the interpreter's stack; also a ``RecursionError``.
            EventTooLarge: the same, for an event of more than ``max_event_size`` bytes.
            RuntimeError: another thread is inside this parser.
            TypeError: ``chunk`` has no bytes.
        """

    def finish(self) -> None:
        """Says that the bytes have ended.

        Raises:
            EventTruncated: a block with data in it was left open.
            RuntimeError: events wait behind one that raised; call ``feed(b"")`` until it does not raise.
        """

    @property
    def last_event_id(self) -> str:
        """The id that the stream set last, or "" (WHATWG: last event ID string)."""

    @property
    def retry(self) -> int | None:
        """The reconnection time in ms that the stream set last, or None."""

@final
class ResponseParser:
    """A :class:`Parser` that also keeps the account of a Responses stream, over all events, ``only`` or not."""

    def __new__(cls, *, only: Iterable[str] | None = None, max_event_size: int = ...) -> ResponseParser: ...
    def feed(self, chunk: bytes | bytearray | memoryview) -> list[Event]:
        """As :meth:`Parser.feed`."""

    def skim(self, chunk: bytes | bytearray | memoryview) -> list[Event]:
        """As :meth:`feed`, but builds no event except terminal ones. The account is the same."""

    def finish(self) -> None:
        """As :meth:`Parser.finish`."""

    @property
    def last_event_id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...
    @property
    def terminal(self) -> TerminalEvent | None:
        """The last terminal event, the same object that was delivered; None before."""

    @property
    def events(self) -> int:
        """Events seen, skipped ones included."""

    @property
    def progress(self) -> int:
        """Events seen that are not ``keepalive``."""

    @property
    def has_text(self) -> bool:
        """Whether :attr:`text` is not empty; costs nothing."""

    @property
    def text(self) -> str:
        """All ``response.output_text.delta``, joined at each call."""

    @property
    def refusal(self) -> str:
        """All ``response.refusal.delta``, joined at each call."""

    @property
    def reasoning(self) -> str:
        """All ``response.reasoning_text.delta``, joined at each call."""

    @property
    def reasoning_summary(self) -> str:
        """All ``response.reasoning_summary_text.delta``, joined at each call."""

    @property
    def arguments(self) -> dict[str, str]:
        """Item id to joined ``response.function_call_arguments.delta``, in order of appearance."""

    @property
    def response_id(self) -> str | None:
        """The ``id`` of the response object, once an event has brought it."""

    @property
    def last_sequence_number(self) -> int | None:
        """The highest ``sequence_number`` seen."""

    @property
    def gaps(self) -> int:
        """How often ``sequence_number`` jumped ahead."""

    @property
    def repeats(self) -> int:
        """How often the highest ``sequence_number`` came again."""

    @property
    def reorders(self) -> int:
        """How often ``sequence_number`` went back."""

@final
class ServerSentEvent:
    """One dispatched server-sent event. None and "" stand for the default.

    Attributes:
        event: the event name; "message" where the stream gives none.
        data: the values of the ``data`` lines, joined by LF.
        id: the last event id, sticky over events.
        retry: the reconnection time in ms, if this event's block set one.
    """

    def __new__(
        cls, event: str | None = None, data: str | None = None, id: str | None = None, retry: int | None = None
    ) -> ServerSentEvent: ...
    @property
    def event(self) -> str: ...
    @property
    def data(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...
    def json(self) -> Any:
        """``data`` decoded.

        Raises:
            EventDecodeError: it is not JSON; also a :class:`json.JSONDecodeError`.
        """

    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...

@final
class SSEParser:
    """One stream of bytes to its server-sent events, by the WHATWG rules; nothing is decoded as JSON."""

    def __new__(cls, *, max_event_size: int = ...) -> SSEParser: ...
    def feed(self, chunk: bytes | bytearray | memoryview) -> list[ServerSentEvent]:
        """The events that ``chunk`` completes.

        Raises:
            EventTooLarge: an event of more than ``max_event_size`` bytes; see :meth:`Parser.feed`.
            RuntimeError: another thread is inside this parser.
            TypeError: ``chunk`` has no bytes.
        """

    def finish(self) -> None:
        """As :meth:`Parser.finish`."""

    @property
    def last_event_id(self) -> str: ...
    @property
    def retry(self) -> int | None: ...

class TransportFailure(Exception):
    """The name of httpx's exception, and its message."""

@final
class Notifier:
    """A socket that becomes readable when tickets are due."""

    def __new__(cls) -> Notifier: ...
    def fileno(self) -> int: ...
    def take(self) -> list[int]:
        """The tickets that are due."""

@final
class Exchange:
    """One request and its answer, served on the I/O thread.

    What can be waited for: "head" (of the answer), "body" (bytes of it, or its end), "room" (for more of the request's
    body). After a failure all of it is there: the next call raises.
    """

    def take_answer(self) -> tuple[int, str, bytes, list[tuple[bytes, bytes]]] | None:
        """Status, version, reason and header fields of the answer, once; None while they have not come.

        Raises:
            TransportFailure: there is no answer.
        """

    def take(self) -> bytes | None:
        """What has arrived of the body and was not read ahead (b"" if all was); None while there is nothing to see.

        Raises:
            TransportFailure: the rest will not come. What came before it has been taken.
        """

    def is_over(self) -> bool:
        """Whether the body was taken, or read ahead, to its end."""

    def read_ahead(self, parser: ResponseParser | None, build: bool) -> None:
        """Lets ``parser`` read what arrives, on the I/O thread: all events but those that are wanted, or without
        ``build`` all but terminal ones. Then it is its turn to be fed with what :meth:`take` returns. None ends that.
        The parser must have been fed with all that was taken.
        """

    def pace(self) -> tuple[int, int, float, float, float]:
        """Bytes and pieces so far; seconds since the last piece, and since the last content that was read ahead; the
        longest pause between two such.
        """

    def wait(self, wanted: str, patience: float | None) -> bool:
        """Blocks, without the interpreter, until ``wanted`` is there. False after ``patience`` seconds."""

    def call_when(self, wanted: str, notifier: Notifier, ticket: int) -> bool:
        """Makes ``ticket`` due when ``wanted`` is there. False if it is there already."""

    def push(self, piece: bytes) -> bool:
        """The next piece of the request's body. False if the answer is there, or nothing comes: nobody sends more."""

    def finish(self) -> None:
        """The request's body is whole."""

    def close(self) -> None:
        """Frees the connection at once, unless all was read."""

# PEM of the trusted roots (None: any certificate will do), whether host names are checked, our own chain and key.
_Tls: TypeAlias = tuple[bytes | None, bool, tuple[bytes, bytes] | None]
# Whether TLS is spoken to it, host, port and Proxy-Authorization; or, for SOCKS 5, host, port and user with password.
_Proxy: TypeAlias = tuple[bool, str, int, str | None] | tuple[str, int, tuple[str, str] | None]

@final
class HttpClient:
    """The connections of one transport."""

    def __new__(
        cls,
        *,
        tls: tuple[_Tls, _Tls],
        versions: tuple[bool, bool],
        uds: str | None,
        local_address: str | None,
        limits: tuple[int | None, int | None, float | None],
        retries: int,
        buffer_size: int,
    ) -> HttpClient:
        """No connections yet.

        Args:
            tls: for servers, and for https proxies.
            versions: whether HTTP/1.1 and HTTP/2 may be spoken.
            uds: path of the Unix socket that stands for every server.
            local_address: where connections come from.
            limits: connections, idle ones, and for how many seconds these are kept.
            retries: how often connecting is repeated.
            buffer_size: bytes that may wait for the reader of each body.

        Raises:
            ValueError: the certificates or the key are unusable.
        """

    def send(
        self,
        route: tuple[bool, str, int, str | None, _Proxy | None],
        head: tuple[bytes, bytes, list[tuple[bytes, bytes]]],
        body: tuple[bytes, bool],
        timeouts: list[float | None],
    ) -> Exchange:
        """Starts an exchange.

        Args:
            route: whether it is https, host, port, the name for TLS if it is another, and the proxy.
            head: method, target and header fields.
            body: its first piece, and whether more follow by :meth:`Exchange.push`.
            timeouts: for connect, read, write and pool, in seconds.
        """

    def close(self) -> None:
        """Closes all connections: what was not read to its end by now fails."""

def leave() -> None:
    """The interpreter ends: threads that wait in here will not come back to it."""

def forked() -> None:
    """This process is a forked child."""
