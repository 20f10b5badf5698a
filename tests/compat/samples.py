"""Values for the fields of any model, made from its annotations."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

DEPTH = 6
ODD: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    2**70,
    1.5,
    3.0,
    "",
    "text",
    "7",
    "\ud800",
    "\u2028",
    [],
    [1],
    [{}],
    {},
    {"a": [1]},
]
"""Values that a field may bring although it should not."""


def sample(annotation: Any, depth: int = 0) -> Any:
    """A valid value as JSON brings it; beyond ``DEPTH`` the shortest that there is."""
    origin, args = get_origin(annotation), get_args(annotation)
    if origin in (Annotated, Literal):
        return args[0] if origin is Literal else sample(args[0], depth)
    if origin in (Union, UnionType):
        if depth > DEPTH and NoneType in args:
            return None
        return sample(next(arg for arg in args if arg is not NoneType), depth)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return sample_of(annotation, depth + 1)
    plain: dict[Any, Any] = {str: "text", int: 7, float: 1.5, bool: True, NoneType: None}
    if origin is list:
        plain[annotation] = [] if depth > DEPTH else [sample(args[0], depth + 1)]
    elif origin is dict:
        plain[annotation] = {"key": sample(args[1], depth + 1)}
    return plain.get(annotation, {"any": ["thing", None]})


def sample_of(model: type[BaseModel], depth: int = 0) -> dict[str, Any]:
    """All fields of a model."""
    return {
        field.alias or name: sample(field.annotation, depth)
        for name, field in model.model_fields.items()
        if depth <= DEPTH or field.is_required()
    }


def required_of(model: type[BaseModel]) -> dict[str, Any]:
    """Only what the model demands."""
    return {
        field.alias or name: sample(field.annotation)
        for name, field in model.model_fields.items()
        if field.is_required()
    }
