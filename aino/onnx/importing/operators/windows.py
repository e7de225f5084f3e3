"""What convolutions and poolings share: their windows, and the edges that these need."""

from __future__ import annotations

import math

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn.functional import pad


def window(
    sizes: list[int],
    kernel: list[int],
    strides: list[int] | None,
    dilations: list[int] | None,
    pads: list[int] | None,
    auto_pad: str,
    ceil_mode: int = 0,
) -> tuple[list[int], list[int], list[tuple[int, int]], list[int]]:
    """Return strides, dilations, what is added at both ends, and how many windows there are.

    Arguments:
        sizes: the sizes that windows go over.
        kernel: how many elements a window has.
        strides: how far windows are apart, 1 for None.
        dilations: how far its elements are apart, 1 for None.
        pads: what is added before, then after; nothing for None.
        auto_pad: ``NOTSET``, ``VALID``, or ``SAME_UPPER`` and ``SAME_LOWER``, which choose pads so
            that there is a window for each stride.
        ceil_mode: whether a last window may reach over the end.
    """
    count = len(kernel)
    if len(sizes) != count:
        raise OnnxError(f"a window over {count} dimensions does not fit {len(sizes)}")
    strides = strides or [1] * count
    dilations = dilations or [1] * count
    reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    if auto_pad in ("SAME_UPPER", "SAME_LOWER"):
        windows = [-(-size // s) for size, s in zip(sizes, strides)]
        ends = []
        for size, n, s, r in zip(sizes, windows, strides, reach):
            total = max(0, (n - 1) * s + r - size)
            small = total // 2
            upper = auto_pad == "SAME_UPPER"
            ends.append((small, total - small) if upper else (total - small, small))
        return strides, dilations, ends, windows
    if auto_pad == "VALID" or pads is None:
        pads = [0] * (2 * count)
    ends = list(zip(pads[:count], pads[count:]))
    windows = []
    for size, (before, after), s, r in zip(sizes, ends, strides, reach):
        room = size + before + after - r
        n = (-(-room // s) if ceil_mode else room // s) + 1
        if ceil_mode and (n - 1) * s >= size + before:
            n -= 1  # it would begin after all elements
        windows.append(max(n, 0))
    return strides, dilations, ends, windows


def padded(x: Tensor, ends: list[tuple[int, int]], value: float = 0.0) -> Tensor:
    """Return a tensor with more at both ends of its last dimensions."""
    if not any(map(any, ends)):
        return x
    flat = [length for pair in reversed(ends) for length in pair]
    return pad(x, flat, value=value)


def product(numbers: list[int]) -> int:
    """Return the product of whole numbers."""
    return math.prod(numbers)
