"""Pooling to an output of a given size, whatever that of the input."""

from __future__ import annotations

import functools
import math
from typing import Any, TypeAlias

import numpy as np

from aino.autograd.rules import pooling as rules
from aino.autograd.rules.resampling import bands_of, weighted
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError
from aino.nn.functional.pooling import largest
from aino.nn.functional.windows import Windows, adaptive_windows, check_dtype, check_rank, each

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices",
]  # fmt: skip

#: The length of the output, for each dimension that of the input where it is None.
OutputSize: TypeAlias = int | tuple[int | None, ...] | list[int | None] | None


def _windows(name: str, n: int, input: Tensor, output_size: Any) -> list:
    """Return the windows along each of the last ``n`` axes, the last axis first."""
    check_rank(name, input, n)
    shape = input.array.shape
    sizes = output_size if isinstance(output_size, (tuple, list)) else [output_size] * n
    if len(sizes) not in (1, n):
        raise ArgumentError(
            f"{name}: output_size is one number or {n} of them, one for each dimension, not "
            f"{output_size!r}"
        )
    if len(sizes) == 1:
        sizes = list(sizes) * n
    own = shape[len(shape) - n :]
    counts = each(name, "output_size", [m if k is None else k for k, m in zip(sizes, own)], n)
    if min(counts) < 0:
        raise ArgumentError(f"{name}: output_size is not negative, and got {output_size!r}")
    first = len(shape) - n
    return [adaptive_windows(first + i, own[i], counts[i]) for i in range(n - 1, -1, -1)]


@functools.lru_cache(maxsize=64)
def _shares(spans: tuple[tuple[int, int], ...], length: int) -> tuple:
    """Return the matrix that takes the mean of each span, and the bands of it and its transpose."""
    weights = np.zeros((len(spans), length))
    for row, (first, end) in zip(weights, spans):
        row[first:end] = 1.0 / (end - first)
    return weights, (bands_of(weights), bands_of(weights.T))


def _means(x: Any, w: Any) -> Any:
    """Return the mean of each of windows of different lengths."""
    weights, bands = _shares(w.spans, w.length)
    return weighted(x, weights, w.axis - x.ndim, bands)


def _adaptive_avg_pool(n, input, output_size):
    name = f"adaptive_avg_pool{n}d"
    along = _windows(name, n, input, output_size)
    check_dtype(name, input, "f")
    if all(w.count == 1 for w in along):
        return input.mean(tuple(range(-n, 0)), keepdim=True)
    y, count = input, 1
    for w in along:
        if isinstance(w, Windows):
            y = rules.window_total(y, w.axis, w.size, w.stride, w.count, 0)
            count *= w.size
        else:
            y = _means(y, w)
    return y / count if count != 1 else y


def _adaptive_max_pool(n, input, output_size, return_indices):
    name = f"adaptive_max_pool{n}d"
    along = _windows(name, n, input, output_size)
    check_dtype(name, input, "fiu")
    if n > 1 and all(w.count == 1 for w in along):
        # One window is a row of all elements.
        shape = input.array.shape
        lead, length = shape[: len(shape) - n], math.prod(shape[len(shape) - n :])
        rows = input.reshape((*lead, length))
        found = largest(rows, [adaptive_windows(len(lead), length, 1)], return_indices)
        found = found if return_indices else (found,)
        whole = tuple([y.reshape((*lead, *[1] * n)) for y in found])
        return whole if return_indices else whole[0]
    return largest(input, along, return_indices)


def adaptive_avg_pool1d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows as the output is to have elements.

    Window i goes from floor(i · L / n) to ceil((i + 1) · L / n). Raises ``ShapeError`` for an input
    of another number of dimensions, ``ValueError`` for a size that cannot be.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        output_size: n; L for None.

    >>> import aino
    >>> aino.nn.functional.adaptive_avg_pool1d(aino.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[2.0000, 3.5000]])
    """
    return _adaptive_avg_pool(1, input, output_size)


def adaptive_avg_pool2d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows as the output is to have elements.

    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for a size
    that cannot be.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        output_size: the output's height and width, or one number for both; None for the input's.

    >>> import aino
    >>> aino.nn.functional.adaptive_avg_pool2d(aino.zeros(8, 16, 7, 5), (1, None)).shape
    aino.Size([8, 16, 1, 5])
    """
    return _adaptive_avg_pool(2, input, output_size)


def adaptive_avg_pool3d(input: Tensor, output_size: OutputSize) -> Tensor:
    """Return the means of as many windows as the output is to have elements.

    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for a size
    that cannot be.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        output_size: the output's depth, height and width, or one number for all; None for the
            input's.
    """
    return _adaptive_avg_pool(3, input, output_size)


def adaptive_max_pool1d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Return the largest elements of as many windows as the output is to have elements.

    Window i goes from floor(i · L / n) to ceil((i + 1) · L / n); of equal elements the first has
    the whole gradient, NaN is above all. Raises ``ShapeError`` for an input of another number of
    dimensions, ``ValueError`` for a size that cannot be.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        output_size: n; L for None.
        return_indices: return a tuple of the output and the index of each winner.

    >>> import aino
    >>> aino.nn.functional.adaptive_max_pool1d(aino.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _adaptive_max_pool(1, input, output_size, return_indices)


def adaptive_max_pool2d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Return the largest elements of as many windows as the output is to have elements.

    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for a size
    that cannot be.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        output_size: the output's height and width, or one number for both; None for the input's.
        return_indices: return a tuple of the output and the index of each winner among H · W.

    >>> import aino
    >>> aino.nn.functional.adaptive_max_pool2d(aino.zeros(8, 16, 7, 5), (1, None)).shape
    aino.Size([8, 16, 1, 5])
    """
    return _adaptive_max_pool(2, input, output_size, return_indices)


def adaptive_max_pool3d(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> Any:
    """Return the largest elements of as many windows as the output is to have elements.

    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for a size
    that cannot be.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        output_size: the output's depth, height and width, or one number for all; None for the
            input's.
        return_indices: return a tuple of the output and the index of each winner among
            D · H · W.
    """
    return _adaptive_max_pool(3, input, output_size, return_indices)


def adaptive_max_pool1d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``adaptive_max_pool1d``, and the index of each winner.

    Arguments:
        input, output_size: as there.
        return_indices: has no effect: they are returned.
    """
    return _adaptive_max_pool(1, input, output_size, True)


def adaptive_max_pool2d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``adaptive_max_pool2d``, and the index of each winner.

    Arguments:
        input, output_size: as there.
        return_indices: has no effect: they are returned.
    """
    return _adaptive_max_pool(2, input, output_size, True)


def adaptive_max_pool3d_with_indices(
    input: Tensor, output_size: OutputSize, return_indices: bool = False
) -> tuple[Tensor, Tensor]:
    """Return ``adaptive_max_pool3d``, and the index of each winner.

    Arguments:
        input, output_size: as there.
        return_indices: has no effect: they are returned.
    """
    return _adaptive_max_pool(3, input, output_size, True)
