"""The command ``eugpt-fast``."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version

import httpx

from ..errors import EugptFastError
from . import batch, bench, read, serve
from .complain import complain
from .exits import BATCH_EXIT_CODES, ERROR, EXIT_CODES, INTERRUPTED_BY_USER, PIPE_CLOSED

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status. Usage errors end in ``SystemExit(2)``, as argparse does."""
    arguments = _parser().parse_args(argv)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the caller: nothing to read, nobody to tell
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A lone surrogate is shown as an escape, which in JSON is what it was, instead of failing.
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status: int = arguments.run(arguments)
        sys.stdout.flush()
        return status
    except KeyboardInterrupt:
        return INTERRUPTED_BY_USER
    except BrokenPipeError:
        # Whoever read our output has left. The interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except (EugptFastError, httpx.HTTPError, OSError, ValueError) as error:
        complain(str(error))
        return ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="eugpt-fast",
        description="Read LLM response streams, and tell how they ended.",
        epilog=f"{EXIT_CODES}\n{BATCH_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('eugpt-fast')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (read, batch, serve, bench):
        module.add_commands(commands)
    return parser
