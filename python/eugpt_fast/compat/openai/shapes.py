"""What the SDK does with the fields of a model that it constructs: which values pass unchanged, whatever they are."""

from __future__ import annotations

import functools
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin

from openai import BaseModel

__all__ = ["Field", "Shape", "shape_of", "variants_of"]

_construct = cast(Any, BaseModel.construct).__func__

_PLAIN: dict[str, frozenset[type]] = {
    "str": frozenset({str}),
    "int": frozenset({int}),
    "float": frozenset({float}),
    "bool": frozenset({bool}),
    "list": frozenset({list}),
    "any": frozenset({str, int, float, bool}),
}
"""Types of JSON values that pass unchanged, whatever they are, by pydantic's type of schema; lists only if empty."""

_HARMLESS = {"type", "ref", "metadata", "serialization", "items_schema"}
"""Keys of a schema that put no condition on a value of these types."""


class Field(NamedTuple):
    """One field of a model."""

    required: bool
    passes: frozenset[type]
    """The types whose values pass unchanged, if its default is null that of null too."""
    model: Any
    """The model that the SDK constructs here without validating, or None."""
    many: bool
    """Whether it is a list of them."""


_VALIDATORS = ("validators", "field_validators", "root_validators", "model_validators")

Shape = dict[str, Field]
"""The fields of a model, in its order."""


def variants_of(type_: Any) -> tuple[str | None, dict[str | None, type]] | None:
    """The discriminator of a union, and its models by the values that name them; of a model, the model itself.

    None for whatever else ``type_`` is.
    """
    if _is_model(type_):
        return None, {None: type_}
    if get_origin(type_) is not Annotated or get_origin(union := get_args(type_)[0]) not in (Union, UnionType):
        return None
    names = [name for note in get_args(type_)[1:] if isinstance(name := getattr(note, "discriminator", None), str)]
    if len(names) != 1:
        return None
    models: dict[str | None, type] = {}
    for model in get_args(union):
        # Only where each model insists on its own values, no other can take the event.
        for value in _values_of(model, names[0]):
            if value in models:
                return None
            models[value] = model
        if model not in models.values():
            return None
    return names[0], models


def _values_of(model: Any, discriminator: str) -> tuple[str, ...]:
    """The values that ``model`` insists on; none if it does not, or changes what it is given."""
    if not _is_model(model) or any(getattr(model.__pydantic_decorators__, kind) for kind in _VALIDATORS):
        return ()
    field = model.model_fields.get(discriminator)
    if field is None or not field.is_required() or field.alias or get_origin(field.annotation) is not Literal:
        return ()
    return get_args(field.annotation)


@functools.lru_cache(maxsize=4096)
def shape_of(model: Any) -> Shape | None:
    """The fields of ``model``; None if it does more than to hold them."""
    if model.model_config != BaseModel.model_config or model.construct.__func__ is not _construct:
        return None
    schema = model.__pydantic_core_schema__
    if schema["type"] == "definitions":
        schema = schema["schema"]
    if schema["type"] != "model" or any(schema.get(name) for name in ("custom_init", "post_init", "root_model")):
        return None
    inner = schema["schema"]
    if inner["type"] != "model-fields" or "extras_schema" in inner or model.__private_attributes__:
        return None
    if any(info.alias or info.validation_alias for info in model.model_fields.values()):
        return None
    return {name: _field(info, inner["fields"][name]) for name, info in model.model_fields.items()}


def _field(info: Any, schema: dict[str, Any]) -> Field:
    many = get_origin(info.annotation) is list
    model = get_args(info.annotation)[0] if many else info.annotation
    # The SDK makes the default of a null, whatever the field is.
    passes = _passing(schema["schema"]) | {NoneType}
    return Field(info.is_required(), passes, model if _is_model(model) else None, many)


def _passing(schema: dict[str, Any]) -> frozenset[type]:
    kind = schema["type"]
    if kind in ("default", "nullable"):
        return _passing(schema["schema"])
    if kind == "literal":
        return _PLAIN["str"] if all(type(value) is str for value in schema["expected"]) else frozenset()
    return _PLAIN[kind] if kind in _PLAIN and set(schema) <= _HARMLESS else frozenset()


def _is_model(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, BaseModel)
