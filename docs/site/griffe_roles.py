"""An extension of Griffe, which reads the docstrings for the API pages.

The roles of our docstrings, such as ``:class:`Parser```, become links, and the parsers are those of the stub.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|attr|data):`~?([\w.]+)`")
_NATIVE = ("Parser", "SSEParser", "ServerSentEvent")


class Roles(griffe.Extension):
    """Named in ``mkdocs.yml``."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        if pkg.name != "eugpt_fast":
            return
        for name in _NATIVE:
            pkg["_backend"].set_member(name, griffe.Alias(name, f"{pkg.name}._core.{name}"))

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(lambda role: _link(role[1], obj), obj.docstring.value)


def _link(name: str, obj: griffe.Object) -> str:
    """A link to what ``name`` means where ``obj`` is defined, if that has a place on a page."""
    first, _, rest = name.partition(".")
    try:
        path = obj.resolve(first) + f".{rest}" * bool(rest)
    except griffe.NameResolutionError:
        path = name
    return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'
