"""Padding: an input in a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ShapeError
from aino.nn import functional as F
from aino.nn.base.module import TensorModule
from aino.nn.functional.windows import Sizes

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d",
    "ConstantPad3d", "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d",
    "ReplicationPad2d", "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _Pad(TensorModule):
    """What all kinds of padding have: the widths of the frame, and how it is filled."""

    #: How many dimensions have a frame, and in which mode ``nn.functional.pad`` fills it.
    _dimensions: int
    _mode: str
    padding: Sequence[int]

    def __init__(self, padding: Sizes) -> None:
        super().__init__()
        sides = 2 * self._dimensions
        self.padding = (padding,) * sides if isinstance(padding, int) else tuple(padding)
        if len(self.padding) != sides:
            raise ValueError(
                f"{type(self).__name__}: padding is one integer or {sides} of them, (before, "
                f"after) of the last dimension first, not {padding!r}"
            )

    def forward(self, input: Tensor) -> Tensor:
        """Return the input in its frame."""
        ranks = self._dimensions + 1, self._dimensions + 2
        if input.ndim not in ranks:
            raise ShapeError(
                f"{type(self).__name__} takes an input of {ranks[0]} or {ranks[1]} dimensions, "
                f"not of shape {tuple(input.shape)}"
            )
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    value: Any
    _mode = "constant"

    def __init__(self, padding: Sizes, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        """Return the input in its frame."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPad):
    def __init__(self, padding: Sizes) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_ConstantPad):
    """Puts a frame of one value around a signal.

    Input (N, C, L) or (C, L). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right).
        value: what the frame is filled with.

    >>> import aino
    >>> aino.nn.ConstantPad1d((1, 2), 7.0)(aino.tensor([[1.0, 2.0]]))
    tensor([[7., 1., 2., 7., 7.]])
    """

    _dimensions = 1


class ConstantPad2d(_ConstantPad):
    """Puts a frame of one value around an image.

    Input (N, C, H, W) or (C, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom).
        value: what the frame is filled with.
    """

    _dimensions = 2


class ConstantPad3d(_ConstantPad):
    """Puts a frame of one value around a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom, front, back).
        value: what the frame is filled with.
    """

    _dimensions = 3


class ZeroPad1d(_ZeroPad):
    """Puts a frame of zeros around a signal.

    Input (N, C, L) or (C, L). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right).

    >>> import aino
    >>> aino.nn.ZeroPad1d(1)(aino.tensor([[1.0, 2.0]]))
    tensor([[0., 1., 2., 0.]])
    """

    _dimensions = 1


class ZeroPad2d(_ZeroPad):
    """Puts a frame of zeros around an image.

    Input (N, C, H, W) or (C, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom).
    """

    _dimensions = 2


class ZeroPad3d(_ZeroPad):
    """Puts a frame of zeros around a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom, front, back).
    """

    _dimensions = 3


class _ReflectionPad(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """Mirrors a signal at its outermost elements.

    Input (N, C, L) or (C, L). Negative widths cut off. Raises ``ShapeError`` in a call for a frame
    as wide as the input or wider.

    Arguments:
        padding: how wide the frame is, one number or (left, right).

    >>> import aino
    >>> aino.nn.ReflectionPad1d(2)(aino.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2., 1.]])
    """

    _dimensions = 1


class ReflectionPad2d(_ReflectionPad):
    """Mirrors an image at its outermost elements.

    Input (N, C, H, W) or (C, H, W). Negative widths cut off. Raises ``ShapeError`` in a call for a
    frame as wide as the input or wider.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom).
    """

    _dimensions = 2


class ReflectionPad3d(_ReflectionPad):
    """Mirrors a volume at its outermost elements.

    Input (N, C, D, H, W) or (C, D, H, W). Negative widths cut off. Raises ``ShapeError`` in a call
    for a frame as wide as the input or wider.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom, front, back).
    """

    _dimensions = 3


class _ReplicationPad(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """Repeats the outermost elements of a signal.

    Input (N, C, L) or (C, L). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right).

    >>> import aino
    >>> aino.nn.ReplicationPad1d(2)(aino.tensor([[1.0, 2.0]]))
    tensor([[1., 1., 1., 2., 2., 2.]])
    """

    _dimensions = 1


class ReplicationPad2d(_ReplicationPad):
    """Repeats the outermost elements of an image.

    Input (N, C, H, W) or (C, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom).
    """

    _dimensions = 2


class ReplicationPad3d(_ReplicationPad):
    """Repeats the outermost elements of a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Negative widths cut off.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom, front, back).
    """

    _dimensions = 3


class _CircularPad(_Pad):
    _mode = "circular"


class CircularPad1d(_CircularPad):
    """Goes on at the other end of a signal.

    Input (N, C, L) or (C, L). Negative widths cut off. Raises ``ShapeError`` in a call for a frame
    wider than the input.

    Arguments:
        padding: how wide the frame is, one number or (left, right).

    >>> import aino
    >>> aino.nn.CircularPad1d(1)(aino.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    _dimensions = 1


class CircularPad2d(_CircularPad):
    """Goes on at the other end of an image.

    Input (N, C, H, W) or (C, H, W). Negative widths cut off. Raises ``ShapeError`` in a call for a
    frame wider than the input.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom).
    """

    _dimensions = 2


class CircularPad3d(_CircularPad):
    """Goes on at the other end of a volume.

    Input (N, C, D, H, W) or (C, D, H, W). Negative widths cut off. Raises ``ShapeError`` in a call
    for a frame wider than the input.

    Arguments:
        padding: how wide the frame is, one number or (left, right, top, bottom, front, back).
    """

    _dimensions = 3
