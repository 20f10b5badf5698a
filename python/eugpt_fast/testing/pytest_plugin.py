"""The pytest fixture `replay_server`: `pytest_plugins = ["eugpt_fast.testing.pytest_plugin"]` brings it in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from .server import ReplayServer, Replies


@pytest.fixture
def replay_server() -> Iterator[Callable[[Replies], ReplayServer]]:
    """A factory: `replay_server(reply)` or `replay_server([reply, ...])` starts a server that the test's end closes."""
    with ExitStack() as servers:
        yield lambda replies: servers.enter_context(ReplayServer(replies))
