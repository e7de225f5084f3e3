"""What a kernel covers at each of its positions, as columns, and the sum of such columns."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.rules.columns import Place, positions
from aino.autograd.rules.folding import folded, unfolded
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn.functional.conv import numbers


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Return all that a kernel covers at each of its positions on images, as a column.

    Raises ``ShapeError`` for an input of other dimensions, or smaller than the kernel;
    ``ValueError`` for numbers out of range.

    Arguments:
        input: (N, C, H, W), or (C, H, W).
        kernel_size: the size of the kernel; a number for both dimensions or a pair, as what
            follows.
        dilation: how far its elements are apart.
        padding: how many zeros are put at all sides.
        stride: how far it moves from one position to the next.

    The output is (N, C · |K|, T), for a kernel of |K| elements with T positions.

    >>> import aino
    >>> x = aino.arange(9.0).reshape(1, 1, 3, 3)
    >>> aino.nn.functional.unfold(x, 2)
    tensor([[[0., 1., 3., 4.],
             [1., 2., 4., 5.],
             [3., 4., 6., 7.],
             [4., 5., 7., 8.]]])
    """
    kernel, place = _place("unfold", kernel_size, dilation, padding, stride)
    shape = tuple(input.array.shape)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise ShapeError(f"unfold takes (N, C, H, W) or (C, H, W), not an input of shape {shape}")
    count = positions(shape[-2:], kernel, place)
    if min(count) < 1:
        raise ShapeError(
            f"unfold: a kernel of the size {kernel} has no position on an input of the size "
            f"{shape[-2:]} with padding {padding} and dilation {dilation}"
        )
    if len(shape) == 4:
        return unfolded(input, kernel, tuple(place))
    return unfolded(input.unsqueeze(0), kernel, tuple(place)).squeeze(0)


def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
    stride: Any = 1,
) -> Tensor:  # fmt: skip
    """Return images of the columns that ``unfold`` makes: what came from one place is summed.

    Raises ``ShapeError`` for an input that is not of that form, ``ValueError`` for numbers out of
    range.

    Arguments:
        input: (N, C · |K|, T), or (C · |K|, T).
        output_size: the size (H, W) of the images: a number for both dimensions or a pair.
        kernel_size, dilation, padding, stride: as for ``unfold``.

    >>> import aino
    >>> aino.nn.functional.fold(aino.ones(1, 4, 4), 3, 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])
    """
    size = numbers("fold", "output_size", output_size, 2, 1)
    kernel, place = _place("fold", kernel_size, dilation, padding, stride)
    shape = tuple(input.array.shape)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise ShapeError(
            f"fold takes (N, C · |K|, T) or (C · |K|, T), not an input of shape {shape}"
        )
    if shape[-2] % math.prod(kernel):
        raise ShapeError(
            f"fold: the {shape[-2]} rows of an input of shape {shape} are no multiple of the "
            f"{math.prod(kernel)} elements of the kernel {kernel}"
        )
    count = positions(size, kernel, place)
    if min(count) < 1 or math.prod(count) != shape[-1]:
        raise ShapeError(
            f"fold: a kernel of the size {kernel} has {max(count[0], 0)} · {max(count[1], 0)} "
            f"positions on images of the size {size}; an input of shape {shape} has {shape[-1]}"
        )
    if len(shape) == 3:
        return folded(input, size, kernel, tuple(place))
    return folded(input.unsqueeze(0), size, kernel, tuple(place)).squeeze(0)


def _place(name, kernel_size, dilation, padding, stride):
    kernel = numbers(name, "kernel_size", kernel_size, 2, 1)
    pairs = tuple([(n, n) for n in numbers(name, "padding", padding, 2, 0)])
    stride = numbers(name, "stride", stride, 2, 1)
    return kernel, Place(stride, pairs, numbers(name, "dilation", dilation, 2, 1), 1)
