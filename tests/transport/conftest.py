"""The stacks as fixtures."""

from __future__ import annotations

import pytest

from .stacks import HAS_NATIVE, NATIVE, OWN, Stack, stacks

if not HAS_NATIVE:  # without the native transport, httpx's own would be all that is tested
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(params=stacks(*OWN[:2], *NATIVE))
def stack(request: pytest.FixtureRequest) -> Stack:
    """Each way to send a request in turn; the library's own transports prove the test."""
    found: Stack = request.param
    return found


@pytest.fixture(params=stacks(*NATIVE))
def native_stack(request: pytest.FixtureRequest) -> Stack:
    """The native transports, for what the library's own do not promise."""
    found: Stack = request.param
    return found
