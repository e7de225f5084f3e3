"""What int8 weights lose: the program with what they stand for, against the program itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.tensor import Tensor
from aino.compiler.backends.c.builder import Builder
from aino.compiler.backends.c.constants import quantized
from aino.compiler.backends.c.statements import Calling, Matrix, Statement
from aino.compiler.backends.numpy.lines import Source
from aino.compiler.ir.regions import address
from aino.compiler.specialization import build
from aino.compiler.tracing.shadows import window
from aino.errors import ArgumentError
from aino.pytree import is_container, parts_of


@dataclass(frozen=True)
class Loss:
    """How far outputs are from those of the model: the largest and the mean difference.

    ``largest_output``: for comparison, the largest output of the model by its size.
    """

    largest: float
    mean: float
    largest_output: float
    samples: int

    def __str__(self) -> str:
        return (
            f"int8 weights, with a scale for each row: over {self.samples} calibration inputs "
            f"outputs differ from the model's by {self.largest:.3g} at most, {self.mean:.3g} in "
            f"the mean; the largest output is {self.largest_output:.3g}."
        )


def loss_of(
    source: Source, statements: list[Statement], builder: Builder, calls: Iterable[list[Any]]
) -> Loss:
    """Return what the matrices of a predictor lose, measured with the arrays of calls."""
    exact, _ = build(source)
    changed, _ = build(replace(source, bound=_bound(source, statements, builder)))
    largest = total = top = 0.0
    count = samples = 0
    for arrays in calls:
        samples += 1
        for one, other in zip(_flat(exact(*arrays)), _flat(changed(*arrays))):
            if one.dtype.kind != "f":
                one, other = one.astype(np.float64), other.astype(np.float64)
            with np.errstate(invalid="ignore"):
                away = np.abs(one - other)
            if not away.size:
                continue
            largest, total = max(largest, float(away.max())), total + float(away.sum())
            top, count = max(top, float(np.abs(one).max())), count + away.size
    if not samples:
        raise ArgumentError("save_source: calibration has no inputs; give some, or leave it out")
    return Loss(largest, total / max(count, 1), top, samples)


def _bound(source: Source, statements: list[Statement], builder: Builder) -> dict[str, Any]:
    """Return what a program is bound to, with matrices that are what int8 makes of them."""
    owners: dict[int, np.ndarray] = {}
    for statement in statements:
        if not isinstance(statement, Calling):
            continue
        for item in statement.arguments:
            if not isinstance(item, Matrix):
                continue
            array = builder.array(item.region)
            base = owner(array)
            copy = owners.setdefault(address(base), _flat_copy(base))
            whole, scale = quantized(array)
            rows = scale.reshape(-1, *[1] * (array.ndim - 1))
            view = np.ndarray(array.shape, array.dtype, copy, address(array) - address(base),
                              array.strides)  # fmt: skip
            view[...] = whole * rows
    bound = {}
    for label, item in source.bound.items():
        if isinstance(item, np.ndarray) and address(owner(item)) in owners:
            start = address(owner(item))
            item = np.ndarray(item.shape, item.dtype, owners[start], address(item) - start,
                              item.strides)  # fmt: skip
        bound[label] = item
    return bound


def _flat_copy(base: np.ndarray) -> np.ndarray:
    flat = np.ndarray((base.size,), base.dtype)
    return window(base, 0, flat).copy()


def _flat(result: Any) -> list[np.ndarray]:
    if is_container(result):
        return [array for part in parts_of(result) for array in _flat(part)]
    return [np.asarray(result)]


def calls_of(calibration: Any, shapes: list[tuple[int, ...]], dtypes: list[Any]) -> Iterator[list]:
    """Yield the arrays of each call that inputs are for.

    A tensor has one sample behind the other: as many as the file takes are given at once. All else
    is gone through: each item is a tensor, or a tuple with one for each input.
    """
    if isinstance(calibration, (Tensor, np.ndarray)):
        array = _array(calibration)
        size = shapes[0][0] if shapes[0] else 1
        whole = len(shapes) == 1 and array.ndim and size and len(array) % size == 0
        if not whole or array.shape[1:] != shapes[0][1:]:
            raise ArgumentError(
                f"save_source: calibration of shape {tuple(array.shape)} is not made of inputs of "
                f"shape {shapes[0]}; give such, or a list with the inputs of each call"
            )
        calibration = [array[start : start + size] for start in range(0, len(array), size)]
    for item in calibration:
        own = list(item) if isinstance(item, (tuple, list)) else [item]
        arrays = [_array(one) for one in own]
        if [a.shape for a in arrays] != shapes:
            raise ArgumentError(
                f"save_source: calibration has inputs of shapes {[a.shape for a in arrays]}, and "
                f"the file takes {shapes}"
            )
        yield [np.array(a, dtype) for a, dtype in zip(arrays, dtypes)]


def _array(item: Any) -> np.ndarray:
    return item.detach().array if isinstance(item, Tensor) else np.asarray(item)
