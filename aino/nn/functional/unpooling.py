"""Max pooling the way back: each element where it was found, zeros elsewhere."""

from __future__ import annotations

import math
from typing import Any

from aino import tracing
from aino.autograd.rules.index import scatter_sum
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, BoundsError, DtypeError, ShapeError
from aino.nn.functional.windows import Sizes, check_dtype, check_rank, each

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def _output_size(name, n, input, kernel_size, stride, padding, output_size) -> tuple[int, ...]:
    sizes = each(name, "kernel_size", kernel_size, n)
    strides = sizes if stride is None else each(name, "stride", stride, n)
    paddings = each(name, "padding", padding, n)
    shape = input.array.shape
    lengths = shape[len(shape) - n :]
    usual = tuple([
        (length - 1) * step - 2 * frame + size
        for length, size, step, frame in zip(lengths, sizes, strides, paddings)
    ])  # fmt: skip
    if output_size is None:
        return usual
    given = tuple(output_size)
    if len(given) == n + 2:
        given = given[2:]
    if len(given) != n:
        raise ArgumentError(
            f"{name}: output_size has {n} lengths, or {n + 2} with batch and channels, not "
            f"{output_size!r}"
        )
    for length, own, step in zip(given, usual, strides):
        if not own - step < length < own + step:
            raise ArgumentError(
                f"{name}: output_size {given} is not one that pooling makes this input of: "
                f"{length} is not between {own - step} and {own + step}"
            )
    return given


def _check_places(index: Any, count: int, name: str) -> None:
    if index.size and (int(index.min()) < 0 or int(index.max()) >= count):
        wrong = int(index.min()) if int(index.min()) < 0 else int(index.max())
        raise BoundsError(f"{name}: index {wrong} is outside of an output of {count} elements")


def _max_unpool(n, input, indices, kernel_size, stride, padding, output_size):
    name = f"max_unpool{n}d"
    check_rank(name, input, n)
    check_dtype(name, input, "fiu")
    index, shape = indices.array, input.array.shape
    if index.dtype.name != "int64":
        raise DtypeError(f"{name}: the indices are int64, not {index.dtype}")
    if index.shape != shape:
        raise ShapeError(f"{name}: an index for each element of {shape}, not {index.shape}")
    size = _output_size(name, n, input, kernel_size, stride, padding, output_size)
    lead, count = shape[: len(shape) - n], math.prod(size)
    tracing.checked(_check_places, index, count, name)
    flat = (*lead, math.prod(shape[len(shape) - n :]))
    # Where one place is named twice the last element stands there, as in PyTorch.
    y = scatter_sum(
        input.reshape(flat), index.reshape(flat), len(lead), (*lead, count), True
    )  # fmt: skip
    return y.reshape((*lead, *size))


def max_unpool1d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None,
    padding: Sizes = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Return zeros with each element in the place where ``max_pool1d`` found it.

    Raises ``ShapeError`` for shapes that do not fit together, ``IndexError`` for a place that is
    not there, ``ValueError`` for an ``output_size`` that pooling would not make this input of.

    Arguments:
        input: what pooling gave, (N, C, L) or (C, L).
        indices: the places that it gave.
        kernel_size, stride, padding: those of the pooling.
        output_size: the length of its input, where several are pooled to the same.

    >>> import aino
    >>> aino.nn.functional.max_unpool1d(aino.tensor([[3.0, 5.0]]), aino.tensor([[1, 3]]), 2)
    tensor([[0., 3., 0., 5.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None,
    padding: Sizes = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Return zeros with each element in the place where ``max_pool2d`` found it.

    Raises ``ShapeError`` for shapes that do not fit together, ``IndexError`` for a place that is
    not there, ``ValueError`` for an ``output_size`` that pooling would not make this input of.

    Arguments:
        input: what pooling gave, (N, C, H, W) or (C, H, W).
        indices: the places that it gave.
        kernel_size, stride, padding: those of the pooling.
        output_size: the height and width of its input, where several are pooled to the same.
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Tensor, indices: Tensor, kernel_size: Sizes, stride: Sizes | None = None,
    padding: Sizes = 0, output_size: Any = None,
) -> Tensor:  # fmt: skip
    """Return zeros with each element in the place where ``max_pool3d`` found it.

    Raises ``ShapeError`` for shapes that do not fit together, ``IndexError`` for a place that is
    not there, ``ValueError`` for an ``output_size`` that pooling would not make this input of.

    Arguments:
        input: what pooling gave, (N, C, D, H, W) or (C, D, H, W).
        indices: the places that it gave.
        kernel_size, stride, padding: those of the pooling.
        output_size: the depth, height and width of its input, where several are pooled to the
            same.
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
