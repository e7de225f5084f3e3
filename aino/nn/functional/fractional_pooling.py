"""Max pooling over windows that lie at random, so that the output may have any size.

Source: Graham, "Fractional max-pooling", 2014.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.rules import pooling as rules
from aino.autograd.rules.index import gather
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, ShapeError
from aino.nn.functional.windows import Sizes, check_dtype, check_rank, each
from aino.ops.random.generator import draw

__all__ = [
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]  # fmt: skip


def _output_size(name: str, n: int, shape, output_size: Any, ratio: Any) -> tuple[int, ...]:
    if output_size is not None:
        return each(name, "output_size", output_size, n)
    if ratio is None:
        raise ArgumentError(f"{name} needs output_size or output_ratio")
    ratios = ratio if isinstance(ratio, (tuple, list)) else [ratio] * n
    if len(ratios) != n:
        raise ArgumentError(f"{name}: output_ratio is one number or {n} of them, not {ratio!r}")
    return tuple([int(length * part) for length, part in zip(shape[len(shape) - n :], ratios)])


def _starts(sample: Any, length: int, size: int, count: int) -> Any:
    """Return where the windows begin, for each sample: the last one ends where the input does."""
    last = np.zeros_like(sample, np.int64)[..., None] + (length - size)
    if count == 1:
        return last
    step = sample.dtype.type((length - size) / (count - 1))
    places = np.arange(count - 1, dtype=sample.dtype) + sample[..., None]
    starts = (places * step).astype(np.int64) - (sample * step).astype(np.int64)[..., None]
    return np.concatenate([starts, last], -1)


def _fractional(n, input, kernel_size, output_size, output_ratio, return_indices, samples):
    name = f"fractional_max_pool{n}d"
    check_rank(name, input, n)
    check_dtype(name, input, "f")
    x = input.array
    sizes = each(name, "kernel_size", kernel_size, n)
    counts = _output_size(name, n, x.shape, output_size, output_ratio)
    lengths = x.shape[x.ndim - n :]
    for length, size, count in zip(lengths, sizes, counts):
        if size < 1 or count < 1 or count + size - 1 > length:
            raise ArgumentError(
                f"{name}: {count} windows of {size} do not fit into a length of {length}"
            )
    lead = x.shape[: x.ndim - n]
    planes = lead if len(lead) == 2 else (1, *lead)
    if samples is None:
        sample = draw(None, "uniform", (*planes, n), x.dtype)
    else:
        sample = samples.array
        # More samples than the batch has are there for larger ones.
        if sample.shape[1:] != (planes[1], n) or sample.shape[0] < planes[0]:
            raise ShapeError(
                f"{name}: _random_samples has a number for each dimension of each channel, "
                f"{(*planes, n)}, not {sample.shape}"
            )
        sample = sample[: planes[0]]
    # A plane's samples go with the axes as PyTorch reads them: those of images from the last.
    order = range(n) if n == 3 else range(n - 1, -1, -1)
    # The place of each element of each window, (*planes, *counts, *sizes), axis by axis.
    flat: Any = 0
    for i, column in enumerate(order):
        starts = _starts(sample[..., column], lengths[i], sizes[i], counts[i])
        own = starts[..., None] + np.arange(sizes[i])
        shape = [1] * (2 * n)
        shape[i], shape[n + i] = counts[i], sizes[i]
        flat = flat * lengths[i] + own.reshape((*planes, *shape))
    size = math.prod(sizes)
    table = flat.reshape((*lead, math.prod(counts) * size))
    axis = len(lead)
    windows = gather(input.reshape((*lead, math.prod(lengths))), table, axis, False)
    y = rules.window_max(windows, axis, size, size, 1, math.prod(counts), 0)
    if not return_indices:
        return y.reshape((*lead, *counts))
    winner = rules.winners(windows, y, axis, size, size, 1, 0)
    index = rules.window_pick(make(table), winner, axis, size, size, 1, 0)
    return y.reshape((*lead, *counts)), index.reshape((*lead, *counts))


def fractional_max_pool2d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float] | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Return the largest element of each of windows that lie at random, as many as are wanted.

    Their distances are those of the next two whole numbers that lie about (H - size) / (n - 1).
    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for sizes
    that do not fit, or where neither size nor ratio is given.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        kernel_size: how many elements a window has, one number or (rows, columns).
        output_size: the output's height and width, or one number for both.
        output_ratio: the same as a fraction of the input's.
        return_indices: return a tuple of the output and the index of each winner among H · W.
        _random_samples: numbers in [0, 1), (N, C, 2), in place of those that are drawn.

    Source: Graham, "Fractional max-pooling", 2014.

    >>> import aino
    >>> aino.nn.functional.fractional_max_pool2d(aino.zeros(1, 9, 9), 2, output_ratio=0.7).shape
    aino.Size([1, 6, 6])
    """
    return _fractional(
        2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool3d(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float, float] | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:  # fmt: skip
    """Return the largest element of each of windows that lie at random, as many as are wanted.

    Raises ``ShapeError`` for an input of another number of dimensions, ``ValueError`` for sizes
    that do not fit, or where neither size nor ratio is given.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions.
        output_size: the output's depth, height and width, or one number for all.
        output_ratio: the same as a fraction of the input's.
        return_indices: return a tuple of the output and the index of each winner among
            D · H · W.
        _random_samples: numbers in [0, 1), (N, C, 3), in place of those that are drawn.

    Source: Graham, "Fractional max-pooling", 2014.
    """
    return _fractional(
        3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples
    )


def fractional_max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float] | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``fractional_max_pool2d``, and the index of each winner.

    Arguments:
        input, kernel_size, output_size, output_ratio, _random_samples: as there.
        return_indices: has no effect: they are returned.
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Tensor, kernel_size: Sizes, output_size: Sizes | None = None,
    output_ratio: float | tuple[float, float, float] | None = None, return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``fractional_max_pool3d``, and the index of each winner.

    Arguments:
        input, kernel_size, output_size, output_ratio, _random_samples: as there.
        return_indices: has no effect: they are returned.
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, True, _random_samples)
