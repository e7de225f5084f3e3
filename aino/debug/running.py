"""A model that is tried out on a copy, so that nothing changes but what is found."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from aino.autograd.mode import enable_grad
from aino.autograd.tensor import Tensor, make
from aino.nn.base.found import random_as_found
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.ops.creation.from_data import tensor
from aino.pytree import mapped
from aino.tracing import session


@contextlib.contextmanager
def trying_out() -> Iterator[None]:
    """Record gradients, run compiled functions as they are, put the random state back."""
    before, session.as_it_is = session.as_it_is, True
    try:
        with random_as_found(), enable_grad():
            yield
    finally:
        session.as_it_is = before


def copy_of(model: Any, function: str) -> Any:
    """Return a copy of a module; raise ``TypeError`` for what is none, or can't be copied."""
    if isinstance(model, type):
        raise TypeError(f"{function}: give a module, not its class: {model.__name__}(...)")
    if not isinstance(model, Module):
        learned = isinstance(getattr(model, "module_", None), Module)
        hint = "; it has one, .module_" if learned else ""
        raise TypeError(f"{function}: model is an nn.Module, not {type(model).__name__}{hint}")
    if any([is_lazy(part) for part in [*model.parameters(), *model.buffers()]]):
        raise TypeError(f"{function}: the model has lazy modules; run it once on a batch before")
    try:
        return copy.deepcopy(model)
    except Exception as error:
        raise TypeError(
            f"{function} tries a copy of the model, so that yours stays as it is, but this one "
            f"can't be copied: {type(error).__name__}: {error}"
        ) from error


def as_tensors(value: Any, floating: np.dtype | None = None) -> Any:
    """Return arrays and tensors as tensors without a history, floating ones in a dtype."""

    def change(item: Any) -> Any:
        if isinstance(item, Tensor):
            array = item.array
        elif isinstance(item, (np.ndarray, np.generic)):
            array = np.asarray(item)
        else:
            return item
        if floating is not None and array.dtype.kind == "f":
            array = array.astype(floating)
        elif floating == np.float64 and array.dtype.kind == "c":
            array = array.astype(np.complex128)
        return make(array.copy())

    return mapped(value, change)


def first_batch(data: Any) -> Any:
    """Return data as it is; of a loader, its first batch."""
    plain = (Tensor, np.ndarray, tuple, list, dict, int, float, str)
    if isinstance(data, plain) or hasattr(data, "dtype") or not hasattr(data, "__iter__"):
        return data
    for batch in data:
        return batch
    raise ValueError("the loader has no batch: its dataset is empty")


def pair_of(data: Any, function: str) -> tuple[Any, Any]:
    """Return inputs and targets; raise ``TypeError`` for what is no such pair."""
    if not isinstance(data, (tuple, list)) or len(data) != 2:
        given = f"{len(data)} parts" if isinstance(data, (tuple, list)) else type(data).__name__
        raise TypeError(
            f"{function}: data is a pair (inputs, targets), or a loader of such; got {given}"
        )
    return _numbers(data[0]), _numbers(data[1])


def _numbers(value: Any) -> Any:
    """Return a list of numbers, of any depth, as a tensor, and anything else as it is."""
    inner = value
    while isinstance(inner, list) and inner:
        inner = inner[0]
    return tensor(value) if isinstance(value, list) and isinstance(inner, (int, float)) else value


def called(model: Any, inputs: Any) -> Any:
    """Call a model on inputs: a tuple or a list are its arguments, a dict those by name."""
    if isinstance(inputs, (tuple, list)):
        return model(*inputs)
    return model(**inputs) if isinstance(inputs, dict) else model(inputs)


def own_dtype(model: Any) -> np.dtype | None:
    """Return the dtype of a model's floating parameters, None where it has none."""
    for parameter in model.parameters():
        if parameter.array.dtype.kind == "f":
            return parameter.array.dtype
    return None


def check_tolerances(function: str, rtol: float, atol: float) -> None:
    """Raise ``ValueError`` for tolerances below 0, and for NaN."""
    for name, value in (("rtol", rtol), ("atol", atol)):
        if not value >= 0.0:
            raise ValueError(f"{function}: {name} is a number, 0 or more, not {value!r}")
