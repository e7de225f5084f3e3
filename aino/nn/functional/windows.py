"""How windows lie over the dimensions of an input: what all kinds of pooling have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from aino.autograd.rules import pooling
from aino.autograd.rules.index import gather
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import ints_of

#: One number for all dimensions, or one for each.
Sizes: TypeAlias = int | Sequence[int]

_LETTERS = {1: "L", 2: "H, W", 3: "D, H, W"}


@dataclass(frozen=True)
class Windows:
    """Windows along one axis: ``count`` of them, ``size`` elements each, ``stride`` apart.

    ``dilation`` is the distance of the elements, ``padding`` how far the windows begin before
    the input, ``length`` that of the input.
    """

    axis: int
    length: int
    size: int
    stride: int
    padding: int
    dilation: int
    count: int

    def largest(self, x: Tensor) -> Tensor:
        """Return the largest element of each."""
        return pooling.window_max(
            x, self.axis, self.size, self.stride, self.dilation, self.count, self.padding
        )

    def winners(self, x: Tensor, y: Tensor) -> Any:
        """Return the number in each window of its largest element, y."""
        return pooling.winners(x, y, self.axis, self.size, self.stride, self.dilation, self.padding)

    def picked(self, x: Any, winner: Any) -> Any:
        """Return the element of this number in each."""
        return pooling.window_pick(
            x, winner, self.axis, self.size, self.stride, self.dilation, self.padding
        )

    def starts(self) -> Any:
        """Return where the windows begin, which is before the input for some."""
        return np.arange(self.count) * self.stride - self.padding

    def places(self, winner: Tensor) -> Tensor:
        """Return where the elements of these numbers stand along the axis."""
        starts = self.starts().reshape((self.count,) + (1,) * (winner.ndim - 1 - self.axis))
        return winner.long() * self.dilation + make(starts)


@dataclass(frozen=True)
class UnevenWindows:
    """Windows along one axis of which each has a length of its own: (first, end) in ``spans``."""

    axis: int
    length: int
    spans: tuple[tuple[int, int], ...]

    @property
    def count(self) -> int:
        return len(self.spans)

    def largest(self, x: Tensor) -> Tensor:
        """Return the largest element of each."""
        return pooling.span_max(x, self.axis, self.spans)

    def winners(self, x: Tensor, y: Tensor) -> Any:
        """Return where along the axis the largest element of each stands, y."""
        return pooling.span_winners(x, y, self.axis, self.spans)

    def picked(self, x: Any, winner: Any) -> Any:
        """Return the elements at these places."""
        return gather(x, winner, self.axis, False)

    def places(self, winner: Tensor) -> Tensor:
        """Return the places, which are those that were found."""
        return winner


def adaptive_windows(axis: int, length: int, count: int) -> Windows | UnevenWindows:
    """Return ``count`` windows that share an axis, overlapping where they don't divide it."""
    if count and length % count == 0:
        size = length // count
        return Windows(axis, length, size, size, 0, 1, count)
    spans = [(i * length // count, -(-(i + 1) * length // count)) for i in range(count)]
    return UnevenWindows(axis, length, tuple(spans))


def each(name: str, what: str, value: Any, n: int) -> tuple[int, ...]:
    """Return one integer for each of ``n`` dimensions.

    Raises ``DtypeError`` for what is no integer, ``ArgumentError`` for another number of them.
    """
    found = ints_of((value,))
    if len(found) not in (1, n):
        raise ArgumentError(
            f"{name}: {what} is one integer or {n} of them, one for each dimension, not {value!r}"
        )
    return found * n if len(found) == 1 else found


def check_rank(name: str, input: Any, n: int, empty: bool = False) -> None:
    """Raise ``ShapeError`` unless the input has ``n`` dimensions behind channels and a batch.

    Only the batch may be empty, unless ``empty`` is set.
    """
    shape = input.array.shape
    if len(shape) not in (n + 1, n + 2):
        raise ShapeError(
            f"{name} takes an input of shape (N, C, {_LETTERS[n]}) or (C, {_LETTERS[n]}), not "
            f"{tuple(shape)}"
        )
    if 0 in shape[len(shape) - n - 1 :] and not empty:
        raise ShapeError(f"{name}: only the batch may be empty, and the input has shape {shape}")


def check_dtype(name: str, input: Tensor, kinds: str) -> None:
    """Raise ``DtypeError`` for an input of a dtype that is none of ``kinds``, NumPy's letters."""
    dtype = input.array.dtype
    if dtype.kind not in kinds:
        raise DtypeError(f"{name} takes real numbers, not {dtype}")


def count_of(length: int, size: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """Return how many windows there are, rounded up where ``ceil`` is set.

    No window begins behind the input and the padding before it.
    """
    room = length + 2 * padding - dilation * (size - 1) - 1
    count = (-(-room // stride) if ceil else room // stride) + 1
    if ceil and (count - 1) * stride >= length + padding:
        count -= 1
    return count


def windows_of(
    name: str, input: Any, n: int, kernel_size: Any, stride: Any, padding: Any = 0,
    dilation: Any = 1, ceil_mode: bool = False,
) -> list[Windows]:  # fmt: skip
    """Return the windows along each of the last ``n`` axes, the last axis first."""
    check_rank(name, input, n)
    sizes = each(name, "kernel_size", kernel_size, n)
    # Of no stride the window's size is the stride.
    given = stride is not None and not (isinstance(stride, (tuple, list)) and not stride)
    strides = each(name, "stride", stride, n) if given else sizes
    paddings = each(name, "padding", padding, n)
    dilations = each(name, "dilation", dilation, n)
    for what, values, least in (
        ("kernel_size", sizes, 1), ("stride", strides, 1), ("dilation", dilations, 1),
        ("padding", paddings, 0),
    ):  # fmt: skip
        if min(values) < least:
            raise ArgumentError(f"{name}: {what} is at least {least}, not {values}")
    shape = input.array.shape
    found = []
    for i in range(n - 1, -1, -1):
        size, step, frame, apart = sizes[i], strides[i], paddings[i], dilations[i]
        axis = len(shape) - n + i
        reach = (size - 1) * apart + 1
        if frame > reach // 2:
            raise ArgumentError(
                f"{name}: padding is at most half of a window, {reach // 2}, not {frame}"
            )
        count = count_of(shape[axis], size, step, frame, apart, ceil_mode)
        if count < 1:
            raise ShapeError(
                f"{name}: a window of {reach} does not fit into dim {axis} of length "
                f"{shape[axis]} with padding {frame}"
            )
        found.append(Windows(axis, shape[axis], size, step, frame, apart, count))
    return found
