"""From tensors to memory that can be sent, and back; and what can't be sent, in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.function import Function
from aino.autograd.inplace import rebind
from aino.autograd.memory import stamp_write
from aino.autograd.mode import mode
from aino.autograd.node import Leaf
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, GradientError, InplaceError, ShapeError


def array_of(tensor: Any, what: str, name: str = "tensor") -> Any:
    """Return the array of a tensor; raise ``TypeError`` for anything else."""
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"{what}: Expected parameter `{name}` of type aino.Tensor but got {type(tensor)} "
            "instead"
        )
    array = tensor.array
    if array.dtype.kind not in "biufc":
        raise DtypeError(f"{what}: numbers of dtype {array.dtype} can't be sent")
    return array


def target_of(tensor: Any, what: str, name: str = "tensor") -> Any:
    """Return the array of a tensor that is to be written; raise where it can't be."""
    array = array_of(tensor, what, name)
    flags = array.flags
    if not flags.writeable or (not flags.c_contiguous and any(
        step == 0 and length > 1 for step, length in zip(array.strides, array.shape)
    )):  # fmt: skip
        raise InplaceError(
            f"{what}: the memory of {name} can't be written in place: it is read-only, or several "
            "of its elements are one in memory (expanded); clone() it first"
        )
    return array


def list_of(tensors: Any, count: int, what: str, name: str, written: bool) -> list[Any]:
    """Return the arrays of a list of as many tensors as there are processes, all alike."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{what}: Expected parameter `{name}` of type list of aino.Tensor but got "
            f"{type(tensors)} instead"
        )
    if len(tensors) != count:
        raise ShapeError(
            f"{what}: {name} has {len(tensors)} tensors, and the group {count} processes: it "
            "needs one for each"
        )
    take = target_of if written else array_of
    return [take(x, what, f"{name}[{i}]") for i, x in enumerate(tensors)]


def check_alike(arrays: list[Any], like: Any, what: str, name: str) -> None:
    """Raise unless the arrays have the shape and the dtype of another."""
    for position, array in enumerate(arrays):
        if array.shape != like.shape or array.dtype != like.dtype:
            raise ShapeError(
                f"{what}: {name}[{position}] is {array.dtype} {array.shape}, where "
                f"{like.dtype} {like.shape} is needed"
            )


def dense(array: Any, dtype: Any = None) -> Any:
    """Return memory that can be sent: the array's own where it lies row by row, else a copy."""
    flags = array.flags
    if flags.c_contiguous and flags.writeable and (dtype is None or dtype == array.dtype):
        return array
    return np.array(array, dtype or array.dtype, order="C", copy=True)


class _NoDerivative(Function):
    """The value that other processes had a part in: no gradient leads back through it."""

    @staticmethod
    def forward(ctx: Any, input: Tensor, what: str) -> Tensor:
        ctx.what = what
        return input.view_as(input)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        raise GradientError(
            f"{ctx.what} wrote what other processes have into a tensor that has a history, and no "
            "gradient leads through it: exchange tensor.detach(), or gradients after backward()"
        )


def note_written(tensor: Tensor, what: str) -> None:
    """Note that a tensor was written, so that no gradient is computed of what it was."""
    stamp_write(tensor.array)
    if mode.level and tensor.node is not None and type(tensor.node) is not Leaf:
        rebind(tensor, _NoDerivative.apply(tensor, what))
