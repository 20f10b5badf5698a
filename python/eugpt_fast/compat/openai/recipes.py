"""Typed events for a fraction of the work: the objects that the SDK would make, made directly.

The SDK validates an event against a union of dozens of models and, where that fails, constructs without validation the
model that the ``type`` names. Here the ``type`` comes first, for every other model insists on another one: the event is
validated against its own model only, and not at all where too few keys have come.

What is constructed follows recipes. If all its values are plain, which ``shapes`` can tell, nothing but the type, the
keys and the Python types of the values decides what the SDK makes of it. So the first object of a shape is constructed
by the SDK, and becomes the recipe for the others.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import pydantic
from openai._models import construct_type

from .shapes import Shape, shape_of, variants_of

__all__ = ["Builder", "builder_of"]

_MOST_RECIPES = 1024  # then all are forgotten: someone sends ever new keys
_LONGEST_KEYS = 4096  # characters
_CONSTANT = (str, int, float, bool)

# A model keeps what it holds in four slots. Their setters are called directly: pydantic's own would check each value.
_new: Any = object.__new__
_set_fields, _set_fields_set, _set_extra, _set_private = (
    vars(pydantic.BaseModel)[slot].__set__
    for slot in ("__dict__", "__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__")
)


@functools.lru_cache(maxsize=256)
def builder_of(type_: Any) -> Builder | None:
    """The builder of events of ``type_``, a model or a discriminated union of models; None for whatever else it is."""
    variants = variants_of(type_)
    return None if variants is None else Builder(*variants)


class Recipe(NamedTuple):
    """How to construct an object of one shape. Nothing that can change is given away: it is copied."""

    model: type
    fields: dict[str, Any]
    """Every field in the model's order, with the default where the data does not bring it."""
    fields_set: set[str]
    extra: tuple[str, ...]
    lists: tuple[str, ...]
    """Fields whose list has to be empty."""
    nested: tuple[tuple[str, bool, Builder], ...]
    """Fields that hold a model, or a list of models if True, and who constructs them."""


class Variant(NamedTuple):
    """One model of a union, or the only one."""

    model: Any
    least: float
    """With fewer keys than this it cannot be valid."""
    validate: Callable[[Any], Any]


class _Variants(dict[Any, Variant]):
    """The variants by the value that names them; each is looked at when it first comes, for pydantic builds it then."""

    def __init__(self, models: dict[str | None, Any], validated: bool) -> None:
        super().__init__()
        self._models = models
        self._validated = validated

    def __missing__(self, kind: Any) -> Variant:
        model = self._models[kind]
        least = float("inf")
        if self._validated:
            shape = shape_of(model)
            least = 0 if shape is None else sum(field.required for field in shape.values())
        self[kind] = variant = Variant(model, least, model.__pydantic_validator__.validate_python)
        return variant


class Builder:
    """Builds the events of one union, or the objects of one model.

    Args:
        discriminator: the key that names the model; None if there is only one.
        models: the models by that name, or one by None.
    """

    def __init__(self, discriminator: str | None, models: dict[str | None, Any]) -> None:
        self._discriminator = discriminator
        # The SDK validates unions only.
        self._variants = _Variants(models, validated=discriminator is not None)
        self._recipes: dict[tuple[Any, ...], Recipe | None] = {}

    def build(self, sse: Any) -> Any:
        """The event that the SDK would make of ``sse``; None if that is for the SDK's own loop to say."""
        if sse.event.startswith("thread."):
            return None
        try:
            data = sse.json()
            # Not JSON, as the mark at the end is not; not an object; of no known type; or perhaps an error to raise.
            if "error" in data:
                return None
            variant = self._variants[data.get(self._discriminator)]
        except (ValueError, TypeError, AttributeError, KeyError):
            return None
        if len(data) >= variant.least:
            try:
                return variant.validate(data)
            except Exception:  # as the SDK does
                pass
        return self.construct(data, variant)

    def construct(self, data: dict[str, Any], variant: Variant) -> Any:
        """What the SDK makes of ``data`` without validation; None if it would raise."""
        key = (variant.model, *data, *map(type, data.values()))
        recipe = self._recipes.get(key)
        made: Any = None if recipe is None else self._follow(recipe, data)
        if made is None:
            try:
                made = construct_type(type_=variant.model, value=data)
            except Exception:  # its loop will meet it again
                return None
            self._learn(key, data, made)
        return made

    def _follow(self, recipe: Recipe, data: dict[str, Any]) -> Any:
        model, template, fields_set, extra_names, lists, nested = recipe
        for name in lists:
            if data[name]:
                return None
        fields = template | data
        for name, many, builder in nested:
            value = builder.nested(data[name], many)
            if value is None:
                return None
            fields[name] = value
        extra: dict[str, Any] = {}
        for name in extra_names:
            extra[name] = fields.pop(name)
        made: Any = _new(model)
        _set_fields(made, fields)
        _set_fields_set(made, fields_set.copy())
        _set_extra(made, extra)
        _set_private(made, None)
        return made

    def nested(self, value: Any, many: bool) -> Any:
        """What the SDK makes of ``value``, an object or a list of objects."""
        variant = self._variants[None]
        if not many:
            return self.construct(value, variant)
        made: list[Any] = []
        for item in value:
            # A cast would cost time here.
            if type(item) is not dict or (built := self.construct(item, variant)) is None:  # pyright: ignore[reportUnknownArgumentType]
                return None
            made.append(built)
        return made

    def _learn(self, key: tuple[Any, ...], data: dict[str, Any], made: Any) -> None:
        if key in self._recipes or sum(map(len, data)) > _LONGEST_KEYS:
            return
        if len(self._recipes) >= _MOST_RECIPES:
            self._recipes.clear()
        shape = shape_of(cast(Any, type(made)))
        self._recipes[key] = None if shape is None else _recipe(shape, data, made)


def _recipe(shape: Shape, data: dict[str, Any], made: Any) -> Recipe | None:
    """The recipe for everything of this shape; None if a value is not plain, or ``made`` is not as we expect."""
    fields = cast("dict[str, Any]", vars(made))
    extra = {name: value for name, value in data.items() if name not in shape}
    lists: list[str] = []
    nested: list[tuple[str, bool, Any]] = []
    for name, value in data.items():
        field = shape.get(name)
        if field is None:
            continue
        if field.model is not None and type(value) is (list if field.many else dict):
            nested.append((name, field.many, builder_of(field.model)))
        elif type(value) is list and list in field.passes:
            lists.append(name)
        elif type(value) not in field.passes or not _same(fields.get(name), value):  # pyright: ignore[reportUnknownArgumentType]
            return None
    missing = {name: fields.get(name) for name in shape if name not in data}
    if (
        list(fields) != list(shape)
        or not all(value is None or type(value) in _CONSTANT for value in missing.values())
        or list(made.__pydantic_extra__) != list(extra)
        or not all(_same(made.__pydantic_extra__[name], value) for name, value in extra.items())
        or made.__pydantic_fields_set__ != data.keys() - extra.keys()
        or made.__pydantic_private__ is not None
    ):
        return None
    template = {name: missing.get(name) for name in shape}
    return Recipe(type(made), template, set(made.__pydantic_fields_set__), tuple(extra), tuple(lists), tuple(nested))


def _same(mine: Any, theirs: Any) -> bool:
    return type(mine) is type(theirs) and bool(mine == theirs)
