"""Outputs, targets and weights as arrays, whatever they come as."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError


def as_array(name: str, data: Any) -> np.ndarray:
    """Return a tensor, array, list or column of a frame as an array of numbers, truths or text."""
    if isinstance(data, Tensor):
        array = data.array
    else:
        if hasattr(data, "detach"):
            data = data.detach()
        try:
            array = np.asarray(data)
        except ValueError:
            raise ShapeError(f"the rows of {name} have different lengths") from None
    kind = array.dtype.kind
    if kind == "O":
        array = _as_plain(name, array)
    elif kind not in "biufUS":
        raise DtypeError(f"{name} are numbers, booleans or text, not {array.dtype}")
    elif kind == "S":
        array = array.astype(str)
    elif kind == "f" and array.dtype.itemsize < 4:
        array = array.astype(np.float32)
    return array


def _as_plain(name: str, array: np.ndarray) -> np.ndarray:
    """Return an array of objects as text, truths or numbers, where all of it is of one kind."""
    kinds = {type(item) for item in array.flat}
    if all(issubclass(kind, str) for kind in kinds):
        return array.astype(str)
    if all(issubclass(kind, (bool, np.bool_)) for kind in kinds):
        return array.astype(bool)
    if all(issubclass(kind, (int, float, np.number, np.bool_)) for kind in kinds):
        return as_array(name, np.array(array.tolist()))
    found = ", ".join(sorted(kind.__name__ for kind in kinds))
    raise DtypeError(f"{name} hold objects of several kinds ({found}): give numbers, or text")


def check_pair(outputs: np.ndarray, targets: np.ndarray) -> int:
    """Return the number of samples, which both agree on; raise for NaN, which can't be judged."""
    for name, array in (("outputs", outputs), ("targets", targets)):
        if not array.ndim:
            raise ShapeError(f"{name} have one row or number a sample; got a single one, {array}")
        # A sum is NaN where a number is, and where infinities of both signs meet.
        if array.dtype.kind == "f" and np.isnan(np.add.reduce(array, axis=None)):
            places = np.argwhere(np.isnan(array)).tolist()
            if places:
                raise ValueError(f"{name}{places[0]} is nan, which no metric can judge")
    if len(outputs) != len(targets):
        raise ShapeError(
            f"{len(outputs)} outputs, of shape {outputs.shape}, but {len(targets)} targets, of "
            f"shape {targets.shape}"
        )
    return len(outputs)


def as_weight(weight: Any, samples: int) -> np.ndarray | None:
    """Return the weights of samples as float64, None where every sample counts 1."""
    if weight is None:
        return None
    array = as_array("weight", weight)
    if array.dtype.kind not in "biuf":
        raise DtypeError(f"weight holds one number a sample, not {array.dtype}")
    if array.shape not in ((samples,), (samples, 1)):
        raise ShapeError(
            f"weight has shape {array.shape}; it holds one number a sample: ({samples},)"
        )
    array = array.reshape(samples).astype(np.float64)
    if not ((array >= 0) & (array < np.inf)).all():
        wrong = array[~((array >= 0) & (array < np.inf))][0]
        raise ValueError(f"a weight is a number of 0 or more, not {wrong}")
    return array


def as_columns(outputs: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return outputs and targets that are numbers as (samples, columns) of float64.

    One column may stand with or without an axis of its own.
    """
    samples = len(outputs)
    for name, array in (("outputs", outputs), ("targets", targets)):
        if array.dtype.kind not in "biuf":
            raise DtypeError(f"{name} are numbers for this metric, not text")
    if outputs.shape != targets.shape and {outputs.shape, targets.shape} != {
        (samples,),
        (samples, 1),
    }:
        raise ShapeError(
            f"outputs of shape {outputs.shape} and targets of shape {targets.shape} differ"
        )
    return tuple([a.reshape(samples, -1).astype(np.float64) for a in (outputs, targets)])  # type: ignore[return-value]
