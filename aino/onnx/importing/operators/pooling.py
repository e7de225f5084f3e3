"""Pooling."""

from __future__ import annotations

import itertools
import math
from functools import reduce
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn import functional as F
from aino.onnx.importing.operators.windows import padded, window
from aino.onnx.importing.table import Ints, operator
from aino.ops.shape.joining import stack

_AVERAGE = {1: F.avg_pool1d, 2: F.avg_pool2d, 3: F.avg_pool3d}
_LARGEST = {1: F.max_pool1d, 2: F.max_pool2d, 3: F.max_pool3d}


def _filled_up(
    sizes: list[int],
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
    ends: list[tuple[int, int]],
    windows: list[int],
) -> list[tuple[int, int]]:
    """Return ends at which the last window is whole: it may reach over what is padded."""
    filled = []
    for size, k, s, d, (before, _), n in zip(sizes, kernel, strides, dilations, ends, windows):
        filled.append((before, (n - 1) * s + (k - 1) * d + 1 - size - before))
    return filled


def _shifted(
    x: Tensor, kernel: list[int], strides: list[int], dilations: list[int], windows: list[int]
) -> list[Tensor]:
    """Return the elements of all windows: one tensor for each place in a window."""
    return [
        x[
            (..., *(
                slice(o * d, o * d + (n - 1) * s + 1, s)
                for o, d, n, s in zip(offsets, dilations, windows, strides)
            ))
        ]
        for offsets in itertools.product(*map(range, kernel))
    ]  # fmt: skip


def _sums(
    x: Tensor,
    kernel: list[int],
    strides: list[int],
    dilations: list[int],
    ends: list[tuple[int, int]],
    windows: list[int],
) -> Tensor:
    """Return the sum of each window; beyond the ends there are zeros."""
    sizes = list(x.shape[2:])
    x = padded(x, _filled_up(sizes, kernel, strides, dilations, ends, windows))
    count = len(kernel)
    if set(dilations) == {1} and count in _AVERAGE:
        return _AVERAGE[count](x, kernel, strides) * math.prod(kernel)
    return reduce(Tensor.add, _shifted(x, kernel, strides, dilations, windows))


@operator("AveragePool")
def average_pool(
    X: Tensor,
    *,
    auto_pad: str,
    ceil_mode: int = 0,
    count_include_pad: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    sizes = list(X.shape[2:])
    strides, dilations, ends, windows = window(
        sizes, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode
    )
    sums = _sums(X, kernel_shape, strides, dilations, ends, windows)
    counts: Any = np.ones((), np.int64)
    for size, k, s, d, (before, after), n in zip(
        sizes, kernel_shape, strides, dilations, ends, windows
    ):
        places = np.arange(n)[:, None] * s - before + np.arange(k) * d
        low, high = (-before, size + after) if count_include_pad else (0, size)
        counts = np.multiply.outer(counts, ((places >= low) & (places < high)).sum(1))
    return sums / Tensor(np.maximum(counts, 1).astype(X.dtype))


@operator("LpPool")
def lp_pool(
    X: Tensor,
    *,
    auto_pad: str,
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    p: float,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    strides, dilations, ends, windows = window(
        list(X.shape[2:]), kernel_shape, strides, dilations, pads, auto_pad, ceil_mode
    )
    sums = _sums(X.abs().pow(p), kernel_shape, strides, dilations, ends, windows)
    return sums.pow(1 / p)


@operator("MaxPool")
def max_pool(
    X: Tensor,
    *,
    auto_pad: str,
    ceil_mode: int = 0,
    dilations: list[int] | None = None,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    storage_order: int = 0,
    strides: list[int] | None = None,
    outputs: int,
) -> Any:
    sizes = list(X.shape[2:])
    strides, dilations, ends, windows = window(
        sizes, kernel_shape, strides, dilations, pads, auto_pad, ceil_mode
    )
    ends = _filled_up(sizes, kernel_shape, strides, dilations, ends, windows)
    floating = X.dtype.kind == "f"
    lowest = -math.inf if floating else int(np.iinfo(X.dtype).min)
    x = padded(X, ends, lowest)
    count = len(kernel_shape)
    if outputs == 1:
        if floating and count in _LARGEST:
            return _LARGEST[count](x, kernel_shape, strides, 0, dilations)
        return reduce(Tensor.maximum, _shifted(x, kernel_shape, strides, dilations, windows))
    parts = stack(_shifted(x, kernel_shape, strides, dilations, windows))
    chosen = parts.argmax(0)
    # Where in the unpadded tensor each of the chosen elements lies.
    offsets = np.indices(kernel_shape).reshape(count, -1)
    weights = np.cumprod([1, *(sizes[:0:-1] if not storage_order else sizes[:-1])])
    weights = weights if storage_order else weights[::-1]
    place: Any = 0
    for axis in range(count):
        shape = [-1 if axis == other else 1 for other in range(count)]
        start = np.arange(windows[axis]) * strides[axis] - ends[axis][0]
        offset = Tensor(offsets[axis] * dilations[axis])[chosen]
        place = place + (offset + Tensor(start.reshape(shape))) * int(weights[axis])
    images = np.arange(X.shape[0] * X.shape[1]).reshape(*X.shape[:2], *[1] * count)
    place = place + Tensor(images * math.prod(sizes))
    values = parts.gather(0, chosen.unsqueeze(0)).squeeze(0)
    return values, place


@operator("MaxUnpool")
def max_unpool(
    X: Tensor,
    I: Tensor,
    output_shape: Ints | None = None,
    *,
    kernel_shape: list[int],
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    count = len(kernel_shape)
    strides, pads = strides or [1] * count, pads or [0] * (2 * count)
    inner = [
        (n - 1) * s + k - before - after
        for n, s, k, before, after in zip(
            X.shape[2:], strides, kernel_shape, pads[:count], pads[count:]
        )
    ]
    # The indices are those of a tensor of this size, also where a larger one is asked for.
    size = X.shape[0] * X.shape[1] * math.prod(inner)
    zeros = Tensor(np.zeros(size, X.dtype))
    y = zeros.scatter(0, I.reshape(-1), X.reshape(-1)).reshape(*X.shape[:2], *inner)
    if output_shape is None:
        return y
    return padded(y, [(0, a - b) for a, b in zip(output_shape[2:], inner)])


def _all(X: Tensor) -> tuple[int, ...]:
    if X.ndim < 3:
        raise OnnxError(f"expected dimensions after samples and channels, not {tuple(X.shape)}")
    return tuple(range(2, X.ndim))


@operator("GlobalAveragePool")
def global_average_pool(X: Tensor) -> Tensor:
    return X.mean(_all(X), True)


@operator("GlobalMaxPool")
def global_max_pool(X: Tensor) -> Tensor:
    return X.amax(_all(X), True)


@operator("GlobalLpPool")
def global_lp_pool(X: Tensor, *, p: float) -> Tensor:
    return X.abs().pow(p).sum(_all(X), True).pow(1 / p)
