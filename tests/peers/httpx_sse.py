"""The tests of httpx-sse, from its source distribution, with ``eugpt_fast.compat.httpx_sse`` in its place.

``python tests/peers/httpx_sse.py`` prints how many of those of the public names pass with the original and with ours.
Exit status 1: one passes with the original, fails with ours and is not in ``LISTED``, or one that is there does not.
"""

from __future__ import annotations

import sys
import types

from comparison import compare, run_tests
from eugpt_fast.compat import httpx_sse

LISTED = {"tests/test_event_source.py::test_iter_sse_id_retry": "a time without data is no event by the standard"}
"""What fails with ours, and why: see ``docs/COMPAT-HTTPX-SSE.md``."""

PRIVATE_TESTS = [
    "tests/test_decoders.py",
    "tests/test_api.py::test_iter_sse_lines",
    "tests/test_api.py::test_aiter_sse_lines",
]
"""Starts of the names of tests that are left out, because what they test is private."""

PRIVATE_NAMES = {"_api": ["_aiter_sse_lines", "_iter_sse_lines"], "_decoders": ["SSELineDecoder", "_splitlines_sse"]}
"""What the test modules import of that."""


def main() -> int:
    told = f"{{all}} tests of public names, {{original}} pass with the original, {{ours}} with {httpx_sse.__name__}"
    return compare(__file__, "httpx-sse", LISTED, told)


def run(who: str, source: str, found: str) -> None:
    sys.path[0] = source  # in place of this folder, where a module of the same name is
    if who == "original":
        sys.path.insert(1, f"{source}/src")
    else:
        sys.modules["httpx_sse"] = httpx_sse
        for name, members in PRIVATE_NAMES.items():
            stub = types.ModuleType(f"httpx_sse.{name}")
            vars(stub).update(dict.fromkeys(members))
            sys.modules[stub.__name__] = stub
    # The options that the distribution sets itself ask for coverage.
    arguments = ["-o", "addopts=", "-p", "no:cacheprovider", "--rootdir", source, f"{source}/tests"]
    arguments += [f"--deselect={start}" for start in PRIVATE_TESTS]
    run_tests(arguments, found)


if __name__ == "__main__":
    if sys.argv[1:]:
        run(*sys.argv[1:])
    else:
        sys.exit(main())
