"""Typed events without the work of validating them: recipes, learned from what the SDK itself has built.

The SDK validates an event against a union of dozens of models and, where that fails, constructs the model that the
``type`` names. For events of plain values the result is the same whatever the values are, as long as the type, the keys
and the Python types of the values are the same. So the first event of a shape is left to the SDK, and what it has built
becomes the recipe for the others. ``shapes`` says which values are plain.

Valid or not makes one difference: the keys that the model does not know are in ``model_fields_set`` of a validated
event only. So an event that has such keys must not have a value on which validity depends, as that of a ``Literal``.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any, NamedTuple

import pydantic
from openai._models import construct_type, validate_type

from .shapes import Shape, shape_of, variants_of

__all__ = ["Builder", "builder_of"]

_MOST_RECIPES = 1024  # then all are forgotten: someone sends ever new keys
_LONGEST_KEYS = 4096  # characters
_CONSTANT = (str, int, float, bool)
_NO_KIND: Any = object()

# A model keeps what it holds in four slots. Their setters are called directly: pydantic's own would check each value.
_new = object.__new__
_set_fields, _set_fields_set, _set_extra, _set_private = (
    vars(pydantic.BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


@functools.lru_cache(maxsize=256)
def builder_of(type_: Any) -> Builder | None:
    """The builder of events of ``type_``, which may be a model or a discriminated union of models; None for others."""
    variants = variants_of(type_)
    return None if variants is None else Builder(*variants)


class Recipe(NamedTuple):
    """How to make an event of one shape. Nothing that it holds is given away: what can change is copied."""

    model: type
    fields: dict[str, Any]
    """Every field in the model's order, with the default where the event does not bring it."""
    fields_set: set[str]
    extra: tuple[str, ...]
    lists: tuple[str, ...]
    """Fields whose list has to be empty."""
    nested: tuple[tuple[str, bool, Builder], ...]
    """Fields that hold a model, or a list of models if True, and who builds them."""


class Builder:
    """Builds the events of one union, or the objects of one model.

    Args:
        discriminator: the key that names the model; None if there is only one.
        models: the models by that name, or one by None.
    """

    def __init__(self, discriminator: str | None, models: dict[str | None, type | None]) -> None:
        self._discriminator = discriminator
        self._models = models
        self._recipes: dict[tuple[Any, ...], Recipe | None] = {}

    def build(self, sse: Any) -> Any:
        """The event that the SDK would make of ``sse``; None if that is for the SDK's own loop to say."""
        if sse.event.startswith("thread."):
            return None
        try:
            data = sse.json()
        except ValueError:  # not JSON, as the mark at the end is not
            return None
        made = self.make(data)
        return self._first(data) if made is None else made

    def _first(self, data: Any) -> Any:
        """The first event of its shape, or one without a recipe, made by the SDK's functions."""
        model = self._model(data)
        if model is None or data.get("error"):  # of no known type; or the SDK's loop will raise
            return None
        try:
            made = self._made_by_sdk(model, data)
        except Exception:  # so that its loop raises it
            return None
        self.study(data, made)
        return made

    def _made_by_sdk(self, model: type, data: Any) -> Any:
        if self._discriminator is not None:
            # The SDK tries all models of the union. All but this one insist on another value of the discriminator.
            with contextlib.suppress(Exception):
                return validate_type(type_=model, value=data)
        return construct_type(type_=model, value=data)

    def _model(self, data: Any) -> type | None:
        kind = data.get(self._discriminator) if type(data) is dict else _NO_KIND
        return self._models.get(kind) if kind is None or type(kind) is str else None

    def make(self, data: Any) -> Any:
        """The object that the SDK would make of ``data``; None if only the SDK knows."""
        try:
            recipe = self._recipes[(data.get(self._discriminator), *data, *map(type, data.values()))]
        except (KeyError, TypeError, AttributeError):  # not known, or not even an object with a name for its type
            return None
        if recipe is None:
            return None
        model, template, fields_set, extra_names, lists, nested = recipe
        for name in lists:
            if data[name]:
                return None
        fields = template | data
        for name, many, builder in nested:
            value = builder._make_all(data[name]) if many else builder.make(data[name])
            if value is None:
                return None
            fields[name] = value
        extra = {}
        for name in extra_names:
            extra[name] = fields.pop(name)
        made = _new(model)
        _set_fields(made, fields)
        _set_fields_set(made, fields_set.copy())
        _set_extra(made, extra)
        _set_private(made, None)
        return made

    def _make_all(self, items: list[Any]) -> list[Any] | None:
        made = [self.make(item) for item in items]
        return None if any(item is None for item in made) else made

    def study(self, data: Any, made: Any) -> None:
        """Learns from ``made``, which the SDK has made of ``data``."""
        model = self._model(data)
        shape = shape_of(model) if model is not None and type(made) is model else None
        if shape is None or sum(map(len, data)) > _LONGEST_KEYS:
            return
        key = (data.get(self._discriminator), *data, *map(type, data.values()))
        if key not in self._recipes:
            if len(self._recipes) >= _MOST_RECIPES:
                self._recipes.clear()
            self._recipes[key] = self._recipe(shape, data, made)
        recipe = self._recipes[key]
        for name, many, builder in recipe.nested if recipe is not None else ():
            for child, built in zip(data[name], getattr(made, name)) if many else [(data[name], getattr(made, name))]:
                builder.study(child, built)

    def _recipe(self, shape: Shape, data: dict[str, Any], made: Any) -> Recipe | None:
        """The recipe for everything of this shape; None if a value is not plain, or ``made`` is not what we expect."""
        fields, extra = vars(made), {name: value for name, value in data.items() if name not in shape}
        fields_set = made.__pydantic_fields_set__
        lists, nested = [], []
        for name, value in data.items():
            field = shape.get(name)
            if field is None:
                continue
            child = builder_of(field.model) if field.model and self._discriminator is None else None
            if child is not None and type(value) is (list if field.many else dict):
                nested.append((name, field.many, child))
            elif type(value) is list and list in field.passes:
                lists.append(name)
            elif type(value) not in field.passes or not _same(fields.get(name), value):
                return None
            elif field.literal and extra and name != self._discriminator is not None:
                return None
        missing = {name: fields.get(name) for name in shape if name not in data}
        if (
            list(fields) != list(shape)
            or not all(value is None or type(value) in _CONSTANT for value in missing.values())
            or any(name.startswith("_") for name in data)  # names of the SDK's own parameters, perhaps
            or list(made.__pydantic_extra__) != list(extra)
            or not all(_same(made.__pydantic_extra__[name], value) for name, value in extra.items())
            or fields_set not in (data.keys(), data.keys() - extra.keys())
            or made.__pydantic_private__ is not None
        ):
            return None
        template = {name: missing.get(name) for name in shape}
        return Recipe(type(made), template, set(fields_set), tuple(extra), tuple(lists), tuple(nested))


def _same(mine: Any, theirs: Any) -> bool:
    return type(mine) is type(theirs) and bool(mine == theirs)
