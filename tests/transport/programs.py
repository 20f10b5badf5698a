"""Programs that run in an interpreter of their own, because they end it or fork it."""

from __future__ import annotations

import subprocess
import sys
import textwrap

from .stacks import Stack

PATIENCE = 30  # seconds until a program that hangs is a failure


def run(stack: Stack, url: str, program: str, expected_status: int = 0) -> str:
    """Runs ``program`` with ``library``, ``make_transport`` and ``url`` in it. Returns what it printed.

    It must end in time with this status and say nothing on the error stream.
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", _OPENING + textwrap.dedent(program), str(stack), url],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stderr) == (expected_status, ""), done
    return done.stdout.strip()


_OPENING = """
import asyncio, os, sys, threading, time
import importlib
import eugpt_fast

name, kind, owner = sys.argv[1].split("-")
library = importlib.import_module(name)
url = sys.argv[2]


def make_transport(**options):
    if owner == "native":
        return (eugpt_fast.AsyncTransport if kind == "async" else eugpt_fast.Transport)(**options)
    return (library.AsyncHTTPTransport if kind == "async" else library.HTTPTransport)(**options)


def make_client(**options):
    return (library.AsyncClient if kind == "async" else library.Client)(transport=make_transport(), **options)

"""
