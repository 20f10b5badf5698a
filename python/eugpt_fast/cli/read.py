"""``demo``, ``stream`` and ``parse``: events to the terminal, then the verdict."""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import ExitStack
from dataclasses import fields
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from .. import testing
from .._api import stream
from .._json import is_object
from .._reader import EventStream, Metrics
from .._verdict import Verdict
from ..errors import EventDecodeError, EventTooLarge, StreamError
from .complain import complain, harmless
from .exits import BAD_EVENT, BY_VERDICT, EXIT_CODES

_RECORDING = Path(testing.__file__).parent / "data" / "text_60.sse"
_BLOCK = 64 * 1024
_DEMO_PACE = 0.1  # seconds from one event to the next: slow enough to be seen


def add_commands(commands: Any) -> None:
    demo = commands.add_parser(
        "demo",
        help="replay a recorded stream over real HTTP on this machine",
        description="Starts a local server, streams a recorded response from it over real HTTP, prints the text as it "
        "comes, then the verdict and what was measured. Nothing leaves this machine.",
    )
    demo.set_defaults(run=_demo)

    ask = commands.add_parser(
        "stream",
        help="send a prompt and print the answer as it comes",
        description="Sends one request to the API and prints the text as it comes; the verdict goes to standard error. "
        "The key is read from EUGPT_API_KEY, the address from EUGPT_BASE_URL.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    ask.add_argument("prompt", metavar="PROMPT", help="the prompt; - reads it from standard input")
    ask.add_argument("--model", help="the model to ask for")
    ask.add_argument("--json", action="store_true", help="print every event as a line of JSON instead of the text")
    ask.set_defaults(run=_ask)

    parse = commands.add_parser(
        "parse",
        help="turn the bytes of a stream into JSON lines",
        description="Reads server-sent events and prints the data of each as a line of JSON. Bad events are told on "
        "standard error and skipped; so is the verdict, which the exit status repeats.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parse.add_argument("file", metavar="FILE", help="the stream's bytes; - reads standard input")
    what = parse.add_mutually_exclusive_group()
    what.add_argument("--text", action="store_true", help="print the text deltas instead of JSON")
    what.add_argument(
        "--only", metavar="TYPE", action="append", help="print events of this type and terminal ones; may be repeated"
    )
    parse.set_defaults(run=_parse)


def _demo(arguments: argparse.Namespace) -> int:
    recording = testing.Reply(_RECORDING.read_bytes(), pace=_DEMO_PACE)
    with testing.ReplayServer(recording) as server:
        print(f"A recorded stream, replayed by {server.url}, one event every {_DEMO_PACE} s.")
        print("(Its model had random weights: the text is gibberish, the wire is real.)\n")
        with stream("Prompt 2: tell me a haiku.", api_key="none needed", base_url=server.url) as events:
            return _show(events, as_text=True, metrics=True)


def _ask(arguments: argparse.Namespace) -> int:
    prompt = sys.stdin.read() if arguments.prompt == "-" else arguments.prompt
    prompt.encode()  # what the terminal sent may be no text: said here, in one line
    if not prompt.strip():
        raise ValueError("the prompt is empty")
    body = {"model": arguments.model} if arguments.model else {}
    with stream(prompt, **body) as events:
        return _show(events, as_text=not arguments.json)


def _parse(arguments: argparse.Namespace) -> int:
    with ExitStack() as stack:
        stdin = cast(BufferedReader, sys.stdin.buffer)
        file = stdin if arguments.file == "-" else stack.enter_context(open(arguments.file, "rb"))
        # read1: what a pipe has, at once, instead of a full block later.
        blocks = iter(lambda: file.read1(_BLOCK), b"")
        return _show(EventStream(blocks, only=arguments.only), as_text=arguments.text)


def _show(events: EventStream, *, as_text: bool, metrics: bool = False) -> int:
    """Prints everything and returns the exit status."""
    bad = 0
    ending: StreamError | None = None
    while True:
        try:
            for event in events:
                _print(event, as_text)
        except (EventDecodeError, EventTooLarge) as error:
            bad += 1
            complain(f"skipped a bad event: {error}")
            continue
        except StreamError as error:
            ending = error
        break
    if as_text:
        print(flush=True)
    verdict = events.verdict
    assert verdict is not None, "a stream that was read to its end has a verdict"
    if metrics:
        print(f"\n{'verdict':<20} {verdict}")
        _print_metrics(events.metrics)
    else:
        complain(f"{verdict}{f': {ending}' if ending else ''}")
    return BAD_EVENT if bad and verdict is Verdict.COMPLETED else BY_VERDICT[verdict]


def _print(event: Any, as_text: bool) -> None:
    if not as_text:
        print(json.dumps(event, ensure_ascii=False, separators=(",", ":")), flush=True)
    elif is_object(event) and event.get("type") == "response.output_text.delta":
        delta = str(event.get("delta", ""))
        print(harmless(delta) if sys.stdout.isatty() else delta, end="", flush=True)


def _print_metrics(metrics: Metrics) -> None:
    for field in fields(metrics):
        value = getattr(metrics, field.name)
        shown = f"{value * 1000:.1f} ms" if isinstance(value, float) else value
        print(f"{field.name.replace('_', ' '):<20} {shown}")
