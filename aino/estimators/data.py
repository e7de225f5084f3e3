"""What a user gives as X and y, checked and brought to the one form that training knows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError


class Targets(NamedTuple):
    """The targets of a network, and what kind of thing they are.

    ``kind``: ``"classes"`` (``values`` are class indices (n,)), ``"one-hot"`` (one row of
    probabilities a sample), ``"binary"`` (zeros and ones) or ``"numbers"``; all but the first
    have the shape of the outputs. ``flat``: y had one dimension.
    """

    kind: str
    values: np.ndarray
    flat: bool


def as_array(name: str, data: Any) -> np.ndarray:
    """Return lists, arrays or tensors as an array of real numbers, or say why that cannot be."""
    if isinstance(data, Tensor):
        array = data.array
    else:
        try:
            array = np.asarray(data)
        except ValueError:
            raise ShapeError(f"the rows of {name} have different lengths") from None
    if array.dtype.kind == "O":
        raise DtypeError(f"{name} holds objects that are no numbers, or rows of different lengths")
    if array.dtype.kind not in "biuf":
        hint = " (np.unique(y, return_inverse=True) numbers them)" if name == "y" else ""
        found = "text" if array.dtype.kind in "US" else array.dtype
        raise DtypeError(f"{name} has to hold real numbers, not {found}{hint}")
    return array


def as_floats(name: str, array: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return an array in the network's dtype; ValueError says where a number is none."""
    with np.errstate(over="ignore"):
        floats = array.astype(dtype)
    finite = np.isfinite(floats)
    if not finite.all():
        place = tuple(np.argwhere(~finite)[0].tolist())
        where = f"{name}{list(place)}" if place else name
        value = array[place]
        if np.isfinite(value):
            raise ValueError(f"{where} is {value}, too large for {dtype}")
        raise ValueError(f"{where} is {value}: every number has to be finite")
    return floats


def as_inputs(name: str, data: Any, features: int, dtype: np.dtype) -> np.ndarray:
    """Return the inputs as (samples, features)."""
    array = as_array(name, data)
    if array.ndim == 1 and features == 1:
        array = array[:, None]
    if array.ndim != 2 or array.shape[1] != features:
        raise ShapeError(
            f"{name} has shape {array.shape}; a network of {features} inputs takes "
            f"(samples, {features})"
        )
    return as_floats(name, array, dtype)


def as_targets(name: str, data: Any, samples: int, outputs: int, dtype: np.dtype) -> Targets:
    """Return the targets of ``samples`` samples, and what kind of thing they are."""
    array = as_array(name, data)
    if array.ndim == 0 or array.ndim > 2:
        raise ShapeError(f"{name} has shape {array.shape}; it has one or two dimensions")
    if len(array) != samples:
        raise ShapeError(f"{samples} samples in X, but {len(array)} in {name}")
    flat = array.ndim == 1
    if outputs > 1 and (flat or array.shape[1] == 1):
        return Targets("classes", _classes(name, array.reshape(-1), outputs), flat)
    rows = array[:, None] if flat else array
    if rows.shape[1] != outputs:
        raise ShapeError(
            f"{name} has shape {array.shape}; a network of {outputs} outputs takes "
            f"({samples}, {outputs})" + (", or class indices" if outputs > 1 else "")
        )
    floats = as_floats(name, rows, dtype)
    kind = "numbers"
    if len(floats) and ((floats == 0) | (floats == 1)).all():
        one_hot = outputs > 1 and (floats.sum(axis=1) == 1).all()
        kind = "one-hot" if one_hot else "binary"
    return Targets(kind, floats, flat)


def _classes(name: str, array: np.ndarray, outputs: int) -> np.ndarray:
    """Return class indices as int64; ValueError names the first that is not a class."""
    if array.dtype.kind == "f":
        fractional = ~(np.floor(array) == array)
        if fractional.any():
            place = int(np.flatnonzero(fractional)[0])
            raise ValueError(
                f"{name}[{place}] is {array[place]}; one number a sample is a class, 0 to "
                f"{outputs - 1}, as the network has {outputs} outputs"
            )
    wrong = (array < 0) | (array >= outputs)
    if wrong.any():
        place = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"{name}[{place}] is {array[place]}, out of range: a network of {outputs} outputs "
            f"tells the classes 0 to {outputs - 1} apart"
        )
    return array.astype(np.int64)


def one_hot(targets: Targets, outputs: int, dtype: np.dtype) -> np.ndarray:
    """Return targets in the shape of the outputs, class indices as rows with a single one."""
    if targets.kind != "classes":
        return targets.values
    return np.eye(outputs, dtype=dtype)[targets.values]
