"""httpx's own tests of its clients, from its source distribution, over the native transports.

``python tests/peers/httpx_client.py`` prints how many of those that send requests pass over httpx's own transports and
over ours. Exit status 1: one passes over the former, fails over ours and is not in ``LISTED``, or one there does not.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

from comparison import compare, run_tests

LISTED = {"tests/test_timeouts.py::test_pool_timeout[asyncio]": "a body that has arrived holds no connection"}
"""What fails over ours, and why."""

CHOSEN = ["tests/client", "tests/test_api.py", "tests/test_timeouts.py", "tests/test_auth.py"]

LEFT_OUT = [
    "tests/test_api.py::test_httpcore_lazy_loading",
    "tests/client/test_proxies.py::test_socks_proxy",
    "tests/client/test_proxies.py::test_transport_for_request",
    "tests/client/test_proxies.py::test_proxies_environ",
    "tests/client/test_proxies.py::test_proxy_with_auth_header",
]
"""Starts of the names of tests that look at httpcore or at the pool inside a transport."""


def main() -> int:
    told = "{all} tests of clients, {original} pass over its own transports, {ours} over eugpt_fast's"
    return compare(__file__, f"httpx=={version('httpx')}", LISTED, told)


class Replacement:
    """A pytest plugin: where httpx's clients and its tests look for the transports, they find the native ones."""

    def pytest_configure(self) -> None:
        import eugpt_fast  # noqa: PLC0415  # pytest wants to see it imported by nobody but itself
        import httpx  # noqa: PLC0415

        for module in (httpx, httpx._client, httpx._transports.default):
            module.HTTPTransport = eugpt_fast.Transport
            module.AsyncHTTPTransport = eugpt_fast.AsyncTransport


def run(who: str, source: str, found: str) -> None:
    sys.path[0] = source  # in place of this folder, where a module of the name of a package is
    # Ours is for asyncio; the options that the distribution sets itself ask for a report.
    arguments = [
        "-o",
        "addopts=",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",  # which another peer needs, and whose warnings are errors here
        "-k",
        "not trio",
        "-m",
        "not network",
        "--timeout=60",
        "--rootdir",
        source,
    ]
    arguments += [f"{source}/{name}" for name in CHOSEN]
    arguments += [f"--deselect={start}" for start in LEFT_OUT]
    run_tests(arguments, found, [Replacement()] if who == "ours" else [])


if __name__ == "__main__":
    if sys.argv[1:]:
        run(*sys.argv[1:])
    else:
        sys.exit(main())
