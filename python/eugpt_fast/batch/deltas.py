"""Deltas of any shape, merged."""

from __future__ import annotations

from typing import Any

from .._json import is_array, is_object

__all__ = ["merge", "settled"]

_NAMES = frozenset({"format", "id", "name", "object", "role", "type"})
"""Strings that name something: some servers repeat them in every delta."""


class _Text(list[str]):
    """A string that still grows: joined once, so that the time stays linear."""


def merge(whole: dict[str, Any], delta: dict[str, Any]) -> dict[str, Any]:
    """Adds a delta to what came before it, in place.

    Strings are joined, except those that name something (``id``, ``type``, ``role``, …), of which the last counts;
    a ``name`` may come in pieces and is joined unless it is the same again. Objects are merged, lists grow, entries
    with the same ``index`` are merged. Of everything else the last counts; null never overwrites.
    """
    for name, value in delta.items():
        old = whole.get(name)
        if value is None:
            whole.setdefault(name, None)
        elif isinstance(value, str):
            whole[name] = _joined(name, old, value)
        elif is_object(value):
            whole[name] = merge(old if is_object(old) else {}, value)
        elif is_array(value):
            whole[name] = _grown(old if is_array(old) and not isinstance(old, _Text) else [], value)
        else:
            whole[name] = value
    return whole


def _joined(name: str, old: Any, value: str) -> Any:
    if name in _NAMES:
        if not value or old == value:
            return value if old is None else old
        return old + value if name == "name" and isinstance(old, str) else value
    if isinstance(old, _Text):
        old.append(value)
        return old
    return _Text([value])


def _grown(entries: list[Any], more: list[Any]) -> list[Any]:
    for entry in more:
        known = _with_index(entries, entry.get("index")) if is_object(entry) else None
        if known is not None:
            merge(known, entry)
        else:
            entries.append(merge({}, entry) if is_object(entry) else entry)
    return entries


def _with_index(entries: list[Any], index: Any) -> dict[str, Any] | None:
    if index is None:
        return None
    # From the end: what grows is nearly always the last one.
    return next((known for known in reversed(entries) if is_object(known) and known.get("index") == index), None)


def settled(value: Any) -> Any:
    """A copy in which every string has been joined."""
    if isinstance(value, _Text):
        return "".join(value)
    if is_object(value):
        return {name: settled(each) for name, each in value.items()}
    if is_array(value):
        return [settled(each) for each in value]
    return value
