"""Windows with PyTorch's older names, by default one period of what repeats: ``hann_window``."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.ops.windows import shapes
from aino.types import DeviceLike, DType

__all__ = [
    "bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window",
]  # fmt: skip

_DTYPES = "float16 float32 float64"


def bartlett_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return Bartlett's window, a triangle that begins with 0: ``1 - |2k / n - 1|``.

    Arguments:
        window_length: the number of points k, 0 or more.
        periodic: whether n is the number of points, so that it repeats, or one less, so that
            both ends are alike.
        dtype: a floating-point dtype, the default one if none is given.
        layout, device, pin_memory: as for ``zeros``.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.bartlett_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    shape = shapes.triangle
    options = dtype, device, requires_grad, layout, pin_memory, _DTYPES
    return shapes.window("bartlett_window", window_length, not periodic, shape, *options)


def blackman_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return Blackman's window: ``0.42 - 0.5 cos(2πk / n) + 0.08 cos(4πk / n)``.

    Arguments:
        window_length: the number of points k, 0 or more.
        periodic: whether n is the number of points, so that it repeats, or one less, so that
            both ends are alike.
        dtype: a floating-point dtype, the default one if none is given.
        layout, device, pin_memory: as for ``zeros``.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.blackman_window(4)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    shape = shapes.cosines(shapes.BLACKMAN)
    options = dtype, device, requires_grad, layout, pin_memory, _DTYPES
    return shapes.window("blackman_window", window_length, not periodic, shape, *options)


def hamming_window(
    window_length: int,
    periodic: bool = True,
    alpha: float = 0.54,
    beta: float = 0.46,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return Hamming's window: ``alpha - beta cos(2πk / n)``.

    Arguments:
        window_length: the number of points k, 0 or more.
        periodic: whether n is the number of points, so that it repeats, or one less, so that
            both ends are alike.
        alpha, beta: the weights of the constant and of the cosine.
        dtype: a floating-point dtype, the default one if none is given.
        layout, device, pin_memory: as for ``zeros``.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.hamming_window(4)
    tensor([0.0800, 0.5400, 1.0000, 0.5400])
    """
    shape = shapes.cosines((alpha, beta))
    options = dtype, device, requires_grad, layout, pin_memory, _DTYPES
    return shapes.window("hamming_window", window_length, not periodic, shape, *options)


def hann_window(
    window_length: int,
    periodic: bool = True,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return Hann's window: ``½ - ½ cos(2πk / n) = sin²(πk / n)``.

    Arguments:
        window_length: the number of points k, 0 or more.
        periodic: whether n is the number of points, so that it repeats, or one less, so that
            both ends are alike.
        dtype: a floating-point dtype, the default one if none is given.
        layout, device, pin_memory: as for ``zeros``.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.hann_window(4)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    shape = shapes.cosines((0.5, 0.5))
    options = dtype, device, requires_grad, layout, pin_memory, _DTYPES
    return shapes.window("hann_window", window_length, not periodic, shape, *options)


def kaiser_window(
    window_length: int,
    periodic: bool = True,
    beta: float = 12.0,
    *,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """Return Kaiser's window: ``I₀(β √(1 - (2k / n - 1)²)) / I₀(β)``.

    Arguments:
        window_length: the number of points k, 0 or more.
        periodic: whether n is the number of points, so that it repeats, or one less, so that
            both ends are alike.
        beta: β: the larger, the narrower it is.
        dtype: a floating-point dtype, the default one if none is given.
        layout, device, pin_memory: as for ``zeros``.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.kaiser_window(4)
    tensor([5.2773e-05, 2.1567e-01, 1.0000e+00, 2.1567e-01])
    """
    shape = shapes.kaiser(beta)
    options = dtype, device, requires_grad, layout, pin_memory, _DTYPES
    return shapes.window("kaiser_window", window_length, not periodic, shape, *options)
