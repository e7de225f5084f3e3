"""Python functions called with each element, in place; diagonals filled in place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.inplace import write
from aino.autograd.rules import compare
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError, ShapeError
from aino.ops.shape.broadcasting import broadcast_to
from aino.tracing import forbid_reading, known

__all__ = ["fill_diagonal"]


def _called(name, self, function, others):
    forbid_reading(f"{name}()")
    for tensor in (self, *others):
        if tensor.requires_grad:
            raise GradientError(
                f"{name}: Python's functions have no gradient; detach() the tensors first"
            )
        if tensor.array.dtype != self.array.dtype:
            raise DtypeError(
                f"{name}: the tensors are of one dtype, got {self.array.dtype} and "
                f"{tensor.array.dtype}"
            )
    shape, dtype = self.array.shape, self.array.dtype
    lists = [broadcast_to(x, shape).array.reshape(-1).tolist() for x in (self, *others)]
    found = [function(*values) for values in zip(*lists)]
    write(self.array, np.array(found).astype(dtype).reshape(shape), name)
    return self


def apply_(self: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Replace each element by what a Python function makes of it; returns itself.

    It is slow: the function is called once for each element. Raises ``GradientError`` where a
    gradient is required.

    >>> import aino
    >>> aino.tensor([1.0, 2.0]).apply_(lambda x: x + 1)
    tensor([2., 3.])
    """
    return _called("apply_", self, callable, ())


def map_(self: Tensor, tensor: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Replace each element by what a function makes of it and of another tensor's.

    Arguments:
        tensor: the other tensor, that is broadcast to this one's shape, of its dtype.
        callable: a function of two numbers.

    >>> import aino
    >>> aino.tensor([1.0, 2.0]).map_(aino.tensor([3.0, 4.0]), lambda a, b: a * b)
    tensor([3., 8.])
    """
    return _called("map_", self, callable, (tensor,))


def map2_(self: Tensor, x: Tensor, y: Tensor, callable: Callable[..., Any]) -> Tensor:
    """Replace each element by what a function makes of it and of two other tensors'.

    Arguments:
        x, y: the other tensors, that are broadcast to this one's shape, of its dtype.
        callable: a function of three numbers.

    >>> import aino
    >>> x = aino.tensor([1.0, 2.0])
    >>> x.map2_(aino.tensor([3.0]), aino.tensor([4.0]), lambda a, b, c: a + b + c)
    tensor([8., 9.])
    """
    return _called("map2_", self, callable, (x, y))


def fill_diagonal(input: Tensor, fill_value: Any, wrap: bool = False) -> Tensor:
    """Return the tensor with one number on its main diagonal.

    Of more than two dimensions, which must be of one length, it is where all places are equal.

    Arguments:
        input: a tensor of two dimensions or more.
        fill_value: the number, or a tensor of no dimensions.
        wrap: whether in a tall matrix the diagonal starts again below its end, after a gap.

    >>> import aino
    >>> aino.zeros(2, 3).fill_diagonal_(5)
    tensor([[5., 0., 0.],
            [0., 5., 0.]])
    """
    shape, dtype = input.array.shape, input.array.dtype
    if len(shape) < 2:
        raise ShapeError(f"fill_diagonal_: two dimensions or more, got shape {shape}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError(f"fill_diagonal_: all dimensions must be of one length, got {shape}")
    if isinstance(fill_value, Tensor):
        if fill_value.array.ndim:
            raise ShapeError(
                f"fill_diagonal_: fill_value is a number or 0-d, got {fill_value.array.shape}"
            )
        value = fill_value.to(dtype)
    else:
        value = make(np.asarray(fill_value).astype(dtype))
    mask = np.zeros(shape, bool)
    if wrap and len(shape) == 2 and shape[1]:
        mask.reshape(-1)[:: shape[1] + 1] = True
    elif mask.size:
        places = np.arange(min(shape))
        mask[(places,) * len(shape)] = True
    return compare.where(make(known(mask)), value, input)
