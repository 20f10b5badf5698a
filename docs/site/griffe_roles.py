"""An extension of Griffe, which reads the docstrings for the API pages.

The roles of our docstrings, such as ``:class:`Parser```, become links, so do the errors that they name, and the parsers
are those of the stub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe

_ROLE = re.compile(r":(?:class|func|meth|attr|data):`~?([\w.]+)`")
_NATIVE = ("Parser", "SSEParser", "ServerSentEvent")


class Roles(griffe.Extension):
    """Named in ``mkdocs.yml``."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        if pkg.name != "eugpt_fast":
            return
        for cls in filter(_is_typed_dict, pkg["events"].members.values()):
            target = cls.final_target
            target.docstring = griffe.Docstring(_with_fields(target), parent=target, parser="google")
        for name in _NATIVE:  # their signature, which is looked for in __init__
            pkg["_core"][name].set_member("__init__", pkg["_core"][name]["__new__"])
        for module in _modules(pkg):
            for name in _NATIVE:
                if name in module.members and module.members[name].is_alias:
                    module.set_member(name, griffe.Alias(name, f"{pkg.name}._core.{name}"))
            for name in map(str, pkg["errors"].exports):
                if name not in module.members:  # a docstring may name what the module does not import
                    module.imports[name] = path = f"{pkg.name}.errors.{name}"
                    module.set_member(name, griffe.Alias(name, path))

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = _ROLE.sub(lambda role: _link(role[1], obj), obj.docstring.value)


def _is_typed_dict(member: griffe.Object | griffe.Alias) -> bool:
    return member.is_alias and member.name[0].isupper() and member.final_target.is_class


def _with_fields(cls: griffe.Object | griffe.Alias) -> str:
    """The docstring with a list of the fields, inherited ones last: shorter than a heading for each."""
    text = cls.docstring.value if cls.docstring else ""
    fields = {**cls.inherited_members, **cls.members}
    own_first = sorted(fields.values(), key=lambda field: field.name not in cls.members)
    lines = [f"    {each.name} ({each.annotation}): {_first_line(each)}" for each in own_first if each.is_attribute]
    return "\n".join([text, "", "Attributes:", *lines]) if lines else text


def _first_line(field: griffe.Object | griffe.Alias) -> str:
    return " ".join(field.docstring.value.split()) if field.docstring else ""


def _modules(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for inner in module.modules.values():
        if not inner.is_alias:
            yield from _modules(inner)


def _link(name: str, obj: griffe.Object) -> str:
    """A link to what ``name`` means where ``obj`` is defined, if that has a place on a page."""
    first, _, rest = name.partition(".")
    try:
        path = obj.resolve(first) + f".{rest}" * bool(rest)
    except griffe.NameResolutionError:
        path = name
    return f'<autoref optional identifier="{path}"><code>{name}</code></autoref>'
