"""Dataclasses in a file: an object of a registered one is its fields, and is made again by them."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from aino.dit.compare import Comparison


def is_record(value: Any) -> bool:
    """True for an object of a dataclass that has no state of its own, as a module has."""
    cls = value if isinstance(value, type) else type(value)
    return dataclasses.is_dataclass(cls) and not hasattr(cls, "load_state_dict")


def fields_of(record: Any) -> dict[str, Any]:
    """The fields of a dataclass's object, by their names."""
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def make(cls: type, values: dict[str, Any]) -> Any:
    """Make an object of a dataclass again; ``ValueError`` says why that is not possible."""
    try:
        inspect.signature(cls).bind(**values)
    except TypeError as error:
        raise ValueError(f"does not take such fields: {error}") from None
    try:
        return cls(**values)
    except Exception as error:
        raise ValueError(
            f"cannot be made of its fields: {type(error).__name__}: {error}"
        ) from error


def why_not_again(record: Any) -> str | None:
    """Say why a dataclass's object would not come back as it is, or None where it would."""
    values = fields_of(record)
    try:
        again = make(type(record), values)
    except ValueError as error:
        return str(error)
    comparison = Comparison(lambda comparison, a, b, path: None)
    if not comparison.same([values, _others(record)], [fields_of(again), _others(again)]):
        return "holds more than its fields, or makes others of them"
    return None


def _others(record: Any) -> dict[str, Any]:
    """What an object carries beside its fields."""
    fields = fields_of(record)
    own = getattr(record, "__dict__", {})
    return {name: value for name, value in own.items() if name not in fields}
