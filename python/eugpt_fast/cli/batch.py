"""``batch``: very many requests, from one file to another."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import math
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any, NoReturn, cast

from ..batch.options import Options
from ..batch.progress import display
from ..batch.report import as_html, as_svg
from ..batch.runner import Summary, run
from ..batch.stats import Stats
from ..batch.table import table
from .complain import complain
from .exits import BATCH_EXIT_CODES, ERROR, INTERRUPTED_BY_USER, REQUESTS_FAILED, REQUESTS_LEFT
from .files import check_readable, check_writable

_REPORTS = {".html": as_html, ".svg": as_svg}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LIMITS = ("concurrency", "max_concurrency", "rpm", "tpm", "attempts", "deadline", "max_total_tokens")


def add_commands(commands: Any) -> None:
    batch = commands.add_parser(
        "batch",
        usage="%(prog)s REQUESTS --output FILE [options]",  # all of them would drown what is wrong
        help="make all requests of a file, and lose none",
        description="Makes the requests of a file in the OpenAI batch format and writes their results in it. Start the "
        "same command again and it goes on where it stopped, however it was stopped. The key is read from "
        "EUGPT_API_KEY.",
        epilog=BATCH_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    batch.add_argument("input", metavar="REQUESTS", help="JSON lines, one request each; - reads standard input")
    batch.add_argument("--output", metavar="FILE", type=Path, required=True, help="where results go")
    batch.add_argument(
        "--errors", metavar="FILE", type=Path, help="where failures go (default: beside the output, ….errors.jsonl)"
    )
    batch.add_argument("--base-url", metavar="URL", help="address of the API (default: EUGPT_BASE_URL)")
    batch.add_argument("--skip-invalid", action="store_true", help="record lines that are no requests as failures")
    batch.add_argument("--restart", action="store_true", help="forget what earlier runs have done")
    _add_limits(batch.add_argument_group("limits, for all requests together"))
    told = batch.add_argument_group("what is told")
    told.add_argument("--quiet", action="store_true", help="no progress and no summary")
    told.add_argument("--metrics", metavar="FILE", type=Path, help="write what was measured as JSON")
    told.add_argument("--report", metavar="FILE", type=_report, help="write plots as .html or .svg")
    batch.set_defaults(run=partial(_batch, batch.error))


def _add_limits(limits: Any) -> None:
    limits.add_argument(
        "--concurrency", metavar="N", type=_whole, help="requests at the same time (default: as many as go well)"
    )
    limits.add_argument(
        "--max-concurrency",
        metavar="N",
        type=_whole,
        default=Options.max_concurrency,
        help="the most that are tried (default: %(default)s)",
    )
    limits.add_argument("--rpm", metavar="N", type=_positive, help="requests a minute")
    limits.add_argument("--tpm", metavar="N", type=_positive, help="tokens a minute")
    limits.add_argument(
        "--attempts",
        metavar="N",
        type=_whole,
        default=Options.attempts,
        help="how often a request is sent, at most (default: %(default)s)",
    )
    limits.add_argument(
        "--deadline",
        metavar="SECONDS",
        type=_positive,
        default=Options.deadline,
        help="time for a request with all its attempts (default: %(default)g)",
    )
    limits.add_argument(
        "--max-total-tokens", metavar="N", type=_whole, help="start nothing more once so many tokens were used"
    )


def _whole(text: str) -> int:
    with suppress(ValueError):
        if (number := int(text)) > 0:
            return number
    raise argparse.ArgumentTypeError("a whole number above 0 is needed")


def _positive(text: str) -> float:
    with suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError("a number above 0 is needed")


def _report(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _REPORTS:
        raise argparse.ArgumentTypeError("the name of a report ends in .html or .svg")
    return path


def _batch(refuse: Callable[[str], NoReturn], arguments: argparse.Namespace) -> int:
    if arguments.errors is None:
        arguments.errors = arguments.output.parent / f"{arguments.output.stem}.errors.jsonl"
    _check_files(refuse, arguments)
    counted: Stats | None = None

    def watch(stats: Stats) -> None:
        nonlocal counted
        counted = stats

    try:
        summary = _run(arguments, watch)
    except Exception as error:
        if counted is not None and counted.done + counted.failed:  # it broke off, but got somewhere
            _tell(counted, arguments)
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise OSError(f"{error}; what was recorded is safe: make room, and the same command goes on") from error
        raise
    told = counted is None or counted.checking is not None or _tell(counted, arguments)
    return _status(summary, arguments.errors) if told else ERROR


def _run(arguments: argparse.Namespace, watch: Callable[[Stats], None]) -> Summary | None:
    """The run, shown as it goes. None if it was stopped at once."""
    options = Options(
        base_url=arguments.base_url,
        skip_invalid=arguments.skip_invalid,
        **{name: getattr(arguments, name) for name in _LIMITS},
    )
    with display(sys.stderr, quiet=arguments.quiet) as show:

        def watch_and_show(stats: Stats) -> None:
            watch(stats)
            show(stats)

        try:
            summary = run(
                arguments.input,
                arguments.output,
                errors=arguments.errors,
                options=options,
                on_progress=watch_and_show,
                restart=arguments.restart,
            )
        except (asyncio.CancelledError, KeyboardInterrupt):
            summary = None
    if summary is None:
        complain("stopped at once; what had finished is recorded")
    return summary


def _status(summary: Summary | None, errors: Path) -> int:
    if summary is None:
        return INTERRUPTED_BY_USER
    if summary.pending:
        complain(f"{summary.stopped}: {summary.pending} requests are left; the same command goes on with them")
        return INTERRUPTED_BY_USER if summary.stopped == "interrupted" else REQUESTS_LEFT
    if failed := summary.failed + summary.invalid:
        complain(f"{failed} failed: they are in {errors}")
        return REQUESTS_FAILED
    return 0


def _tell(stats: Stats, arguments: argparse.Namespace) -> bool:
    """The summary, the metrics and the report. What cannot be written is told, and makes this false."""
    metrics = stats.as_json()
    written: dict[Path, str] = {}
    if arguments.metrics:
        written[arguments.metrics] = json.dumps(metrics, indent=1) + "\n"
    if arguments.report:
        draw = _REPORTS[arguments.report.suffix.lower()]
        written[arguments.report] = draw(metrics, f"{arguments.input}, {metrics['started_at']}")
    whole = True
    for path, text in written.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            complain(f"the results are safe, but {path} is not written: {error}")
            whole = False
    if not arguments.quiet:
        print(table(metrics))
    return whole


def _check_files(refuse: Callable[[str], NoReturn], arguments: argparse.Namespace) -> None:
    """Before the first request instead of after the last."""
    given = {"the input": None if arguments.input == "-" else Path(arguments.input)}
    given |= {f"--{name}": getattr(arguments, name) for name in ("output", "errors", "metrics", "report")}
    named = {name: path.resolve() for name, path in given.items() if path is not None}
    for (one, path), (other, same) in combinations(named.items(), 2):
        if path == same:
            refuse(f"{one} and {other} are the same file")
    for name in named:
        path = cast(Path, given[name])
        if name == "the input":
            check_readable(path)
        else:
            check_writable(path, regular=name in ("--output", "--errors"))
