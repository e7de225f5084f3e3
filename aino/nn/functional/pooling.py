"""The largest or the mean of each window of an input."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules import pooling as rules
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError
from aino.nn.functional.windows import Sizes, check_dtype, windows_of
from aino.ops.pointwise.arithmetic import div

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "max_pool1d", "max_pool1d_with_indices",
    "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
]  # fmt: skip


def largest(input: Tensor, along, return_indices: bool) -> Any:
    """Return the largest element of each window, and where they stand if that is asked for.

    ``along`` holds the windows along each axis, the last axis first.
    """
    y = input
    found: list[Any] = []
    for w in along:
        x, y = y, w.largest(y)
        if return_indices:
            winner = w.winners(x, y)
            # What an axis found before is what the winner along this one had found.
            found = [w.picked(before, winner) for before in found]
            found.append(winner)
    if not return_indices:
        return y
    flat: Any = 0
    step = 1
    for w, winner in zip(along, found):
        flat = flat + w.places(make(winner)) * step
        step *= w.length
    return y, flat


def _max_pool(n, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices):
    name = f"max_pool{n}d"
    along = windows_of(name, input, n, kernel_size, stride, padding, dilation, ceil_mode)
    check_dtype(name, input, "fiu")
    return largest(input, along, return_indices)


def max_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window, NaN above all: yᵢ = maxₖ x[i·stride + k·dilation].

    Of equal ones the first has the whole gradient. Raises ``ShapeError`` for an input of another
    number of dimensions or smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond both ends, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        return_indices: return a tuple of the output and the index of each winner, as
            ``max_unpool1d`` takes them.

    >>> import aino
    >>> aino.nn.functional.max_pool1d(aino.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[3., 5.]])
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window of an image, NaN above all.

    Of equal ones the first, row by row, has the whole gradient. Raises ``ShapeError`` for an input
    of another number of dimensions or smaller than a window, ``ValueError`` for windows that
    cannot be.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        kernel_size: how many elements a window has, one number or (rows, columns), as all
            that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        return_indices: return a tuple of the output and the index of each winner among
            H · W, as ``max_unpool2d`` takes them.

    >>> import aino
    >>> x = aino.tensor([[[1.0, 3.0], [2.0, 0.0]]])
    >>> aino.nn.functional.max_pool2d(x, 2, return_indices=True)
    (tensor([[[3.]]]), tensor([[[1]]]))
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> Any:  # fmt: skip
    """Return the largest element of each window of a volume, NaN above all.

    Of equal ones the first has the whole gradient. Raises ``ShapeError`` for an input of another
    number of dimensions or smaller than a window, ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions, as all that follow.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; -inf is there.
        dilation: the distance of the elements of a window.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        return_indices: return a tuple of the output and the index of each winner among
            D · H · W, as ``max_unpool3d`` takes them.
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def max_pool1d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``max_pool1d``, and the index of each winner.

    Arguments:
        input, kernel_size, stride, padding, dilation, ceil_mode: as there.
        return_indices: has no effect: they are returned.
    """
    return _max_pool(1, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool2d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``max_pool2d``, and the index of each winner.

    Arguments:
        input, kernel_size, stride, padding, dilation, ceil_mode: as there.
        return_indices: has no effect: they are returned.
    """
    return _max_pool(2, input, kernel_size, stride, padding, dilation, ceil_mode, True)


def max_pool3d_with_indices(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    dilation: Sizes = 1, ceil_mode: bool = False, return_indices: bool = False,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """Return ``max_pool3d``, and the index of each winner.

    Arguments:
        input, kernel_size, stride, padding, dilation, ceil_mode: as there.
        return_indices: has no effect: they are returned.
    """
    return _max_pool(3, input, kernel_size, stride, padding, dilation, ceil_mode, True)


# Means


def _totals(input, along) -> Tensor:
    y = input
    for w in along:
        y = rules.window_total(y, w.axis, w.size, w.stride, w.count, w.padding)
    return y


def _shares(along, count_include_pad) -> Any:
    """Return by what the sum of each window is divided: a number, or an array of them."""
    counts: Any = 1
    last = along[0].axis
    for w in along:
        starts = w.starts()
        if count_include_pad:
            lengths = np.minimum(starts + w.size, w.length + w.padding) - starts
        else:
            lengths = np.minimum(starts + w.size, w.length) - np.maximum(starts, 0)
        counts = counts * lengths.reshape((w.count,) + (1,) * (last - w.axis))
    first = counts.flat[0]
    return int(first) if (counts == first).all() else counts


def _avg_pool(n, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor):
    name = f"avg_pool{n}d"
    along = windows_of(name, input, n, kernel_size, stride, padding, 1, ceil_mode)
    dtype = input.array.dtype
    check_dtype(name, input, "fi")
    if divisor is not None and not divisor:
        raise ArgumentError(f"{name}: divisor_override is not 0")
    y = _totals(input, along)
    shares = _shares(along, count_include_pad) if divisor is None else divisor
    if not isinstance(shares, int):
        shares = make(shares.astype(dtype))
    if dtype.kind == "i":
        return div(y, shares, rounding_mode="trunc")
    return y if isinstance(shares, int) and shares == 1 else y / shares


def avg_pool1d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True,
) -> Tensor:  # fmt: skip
    """Return the mean of each window: yᵢ = Σₖ x[i·stride + k] / size.

    Raises ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        kernel_size: how many elements a window has.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond both ends, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.

    >>> import aino
    >>> aino.nn.functional.avg_pool1d(aino.tensor([[1.0, 3.0, 2.0, 5.0]]), 2)
    tensor([[2.0000, 3.5000]])
    """
    return _avg_pool(
        1, input, kernel_size, stride, padding, ceil_mode, count_include_pad, None
    )  # fmt: skip


def avg_pool2d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean of each window of an image.

    Raises ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, H, W) or (C, H, W).
        kernel_size: how many elements a window has, one number or (rows, columns), as stride
            and padding.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.
        divisor_override: what the sums are divided by, instead of how many elements there are.

    >>> import aino
    >>> aino.nn.functional.avg_pool2d(aino.tensor([[[1.0, 3.0], [2.0, 0.0]]]), 2)
    tensor([[[1.5000]]])
    """
    return _avg_pool(
        2, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def avg_pool3d(
    input: Tensor, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Tensor:  # fmt: skip
    """Return the mean of each window of a volume.

    Raises ``ShapeError`` for an input of another number of dimensions or smaller than a window,
    ``ValueError`` for windows that cannot be.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        kernel_size: how many elements a window has, one number or one for each of the three
            dimensions, as stride and padding.
        stride: the distance of the windows; ``kernel_size`` for None.
        padding: how far they reach beyond the edges, at most half of a window; zeros are there.
        ceil_mode: windows that reach beyond the end count, if they begin before it.
        count_include_pad: whether the zeros of the padding are counted.
        divisor_override: what the sums are divided by, instead of how many elements there are.
    """
    return _avg_pool(
        3, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )
