"""Whether a value has the keys and the kinds of values that its ``TypedDict`` gives it."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict


def misfits(value: Any, hint: Any, where: str = "") -> list[str]:
    """Where ``value`` is not what ``hint`` says; nothing if it fits. Keys that ``hint`` does not know are told too."""
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return []
    if is_typeddict(hint):
        return _of_object(value, hint, where)
    if origin in (Union, UnionType):
        return _of_union(value, args, where)
    if origin is Literal:
        return [] if value in args else [f"{where}: {value!r}"]
    if origin in (list, dict) and type(value) is origin:
        entries = value.items() if origin is dict else enumerate(value)
        return [each for at, entry in entries for each in misfits(entry, args[-1], f"{where}[{at}]")]
    kinds = {float: (int, float)}.get(hint, (origin or hint,))
    return [] if type(value) in kinds else [f"{where}: {type(value).__name__}, not {hint}"]


def types_of(hint: Any) -> set[str]:
    """Every ``type`` that a union of events knows."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return {name for member in members for name in get_args(get_type_hints(member)["type"])}


def _of_union(value: Any, members: tuple[Any, ...], where: str) -> list[str]:
    if not isinstance(value, dict) or "type" not in value:
        found = [misfits(value, member, where) for member in members]
        return [] if [] in found else [f"{where}: {type(value).__name__} fits nothing"]
    named = [each for each in members if is_typeddict(each) and value["type"] in types_of(each)]
    if named:
        return misfits(value, named[0], where)
    untyped = [each for each in members if is_typeddict(each) and "type" not in get_type_hints(each)]
    untyped += [each for each in members if each is not NoneType and not is_typeddict(each)]
    found = [misfits(value, each, where) for each in untyped]
    return [] if [] in found else [f"{where}: unknown type {value['type']!r}"]


def _of_object(value: Any, hint: Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {type(value).__name__}, not an object"]
    hints = get_type_hints(hint)
    missing = [f"{where}: no {name}" for name in sorted(hint.__required_keys__ - value.keys())]
    unknown = [f"{where}: unknown {name}" for name in value if name not in hints]
    inside = [e for name, each in value.items() if name in hints for e in misfits(each, hints[name], f"{where}.{name}")]
    return missing + unknown + inside
