"""What pydantic and the SDK do to the fields of a model: which values pass unchanged, whatever they are."""

from __future__ import annotations

import functools
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from openai import BaseModel

__all__ = ["Field", "Shape", "shape_of", "variants_of"]

_PLAIN: dict[str, frozenset[type]] = {
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({float}),
    "bool": frozenset({bool}),
    "list": frozenset({list}),
    "any": frozenset({str, int, float, bool, NoneType}),
}
"""Types of JSON values that come through unchanged, by pydantic's type of schema; of lists only empty ones do."""

_HARMLESS = {"type", "ref", "metadata", "serialization", "items_schema"}
"""Keys of a schema that put no condition on a value of these types."""


class Field(NamedTuple):
    """One field of a model."""

    passes: frozenset[type]
    """The types whose values pass unchanged, validated or constructed."""
    model: type | None
    """The model that the SDK constructs here without validating, if any."""
    many: bool
    """Whether it is a list of them."""
    literal: bool
    """Whether it is valid with some texts only."""


Shape = dict[str, Field]
"""The fields of a model, in its order."""


def variants_of(type_: Any) -> tuple[str | None, dict[str | None, type | None]] | None:
    """The discriminator of a union, and its models by the values that name them; of a model, the model itself.

    A value that names two models stands for None. None for whatever else ``type_`` is.
    """
    if _is_model(type_):
        return None, {None: type_}
    if get_origin(type_) is not Annotated or get_origin(union := get_args(type_)[0]) not in (Union, UnionType):
        return None
    names = [name for note in get_args(type_)[1:] if isinstance(name := getattr(note, "discriminator", None), str)]
    if len(names) != 1:
        return None
    models: dict[str | None, type | None] = {}
    for model in get_args(union):
        field = model.model_fields.get(names[0]) if _is_model(model) else None
        # Only where each model insists on its own value, no other can take the event.
        if field is None or not field.is_required() or field.alias or get_origin(field.annotation) is not Literal:
            return None
        for value in get_args(field.annotation):
            models[value] = None if value in models else model
    return names[0], models


@functools.lru_cache(maxsize=4096)
def shape_of(model: Any) -> Shape | None:
    """The fields of ``model``; None if it does more than to hold them."""
    if model.model_config != BaseModel.model_config or model.construct.__func__ is not BaseModel.construct.__func__:
        return None
    schema = model.__pydantic_core_schema__
    if schema["type"] == "definitions":
        schema = schema["schema"]
    if schema["type"] != "model" or any(schema.get(name) for name in ("custom_init", "post_init", "root_model")):
        return None
    inner = schema["schema"]
    if inner["type"] != "model-fields" or "extras_schema" in inner or model.__private_attributes__:
        return None
    if list(inner["fields"]) != list(model.model_fields):
        return None
    return {name: _field(info, inner["fields"][name]) for name, info in model.model_fields.items()}


def _field(info: Any, schema: dict[str, Any]) -> Field:
    if info.alias or info.validation_alias or info.default_factory:
        return Field(frozenset(), None, False, False)
    passes = _passing(schema["schema"])
    if not info.is_required() and info.default is not None:
        # Constructed, null becomes the default; validated, it stays.
        passes -= {NoneType}
    many = get_origin(info.annotation) is list
    model = get_args(info.annotation)[0] if many else info.annotation
    literal = Literal in (get_origin(part) for part in (info.annotation, *get_args(info.annotation)))
    return Field(passes, model if _is_model(model) else None, many, literal)


def _passing(schema: dict[str, Any]) -> frozenset[type]:
    kind = schema["type"]
    if kind == "default":
        return _passing(schema["schema"])
    if kind == "nullable":
        passes = _passing(schema["schema"])
        return passes | {NoneType} if passes else passes
    if kind == "literal":
        return _PLAIN["str"] if all(type(value) is str for value in schema["expected"]) else frozenset()
    return _PLAIN[kind] if kind in _PLAIN and set(schema) <= _HARMLESS else frozenset()


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)
