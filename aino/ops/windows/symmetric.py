"""Windows that are symmetric, or one period of what repeats: ``torch.signal.windows``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError
from aino.ops.windows import shapes
from aino.types import DeviceLike, DType

__all__ = [
    "bartlett", "blackman", "cosine", "exponential", "gaussian", "general_cosine",
    "general_hamming", "hamming", "hann", "kaiser", "nuttall",
]  # fmt: skip


def bartlett(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Bartlett's window, a triangle that is 0 at its ends: ``1 - |2k / n - 1|``.

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.bartlett(4)
    tensor([0.0000, 0.6667, 0.6667, 0.0000])
    """
    shape = shapes.triangle
    return shapes.window("bartlett", M, sym, shape, dtype, device, requires_grad, layout)


def blackman(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Blackman's window: ``0.42 - 0.5 cos(2πk / n) + 0.08 cos(4πk / n)``.

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return shapes.window(
        "blackman", M, sym, shapes.cosines(shapes.BLACKMAN), dtype, device, requires_grad, layout
    )


def cosine(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the cosine window, half a wave: ``sin(π (k + ½) / (n + 1))``.

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.cosine(4)
    tensor([0.3827, 0.9239, 0.9239, 0.3827])
    """
    shape = shapes.half_wave
    return shapes.window("cosine", M, sym, shape, dtype, device, requires_grad, layout)


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the exponential window: ``e^(-|k - center| / tau)``.

    Arguments:
        M: the number of points k, 0 or more.
        center: where it is 1, the middle by default; only of a window that is not symmetric.
        tau: how far it reaches, more than 0.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.exponential(4)
    tensor([0.2231, 0.6065, 0.6065, 0.2231])
    """
    if tau <= 0:
        raise ArgumentError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ArgumentError("Center must be None for symmetric windows")
    return shapes.window(
        "exponential", M, sym, shapes.decay(center, tau), dtype, device, requires_grad, layout
    )


def gaussian(
    M: int,
    *,
    std: float = 1.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the Gaussian window: ``e^(-½ ((k - n / 2) / std)²)``.

    Arguments:
        M: the number of points k, 0 or more.
        std: the standard deviation, more than 0, in points.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.gaussian(4)
    tensor([0.3247, 0.8825, 0.8825, 0.3247])
    """
    if std <= 0:
        raise ArgumentError(f"Standard deviation must be positive, got: {std} instead.")
    shape = shapes.bell(std)
    return shapes.window("gaussian", M, sym, shape, dtype, device, requires_grad, layout)


def general_cosine(
    M: int,
    *,
    a: Iterable,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return a sum of cosines: ``Σᵢ (-1)ⁱ aᵢ cos(2πik / n)``.

    Arguments:
        M: the number of points k, 0 or more.
        a: the weights, a list of numbers.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.general_cosine(4, a=[0.5, 0.5])
    tensor([0.0000, 0.7500, 0.7500, 0.0000])
    """
    if not isinstance(a, Iterable):
        raise DtypeError("Coefficients must be a list/tuple")
    a = tuple(a)
    if not a:
        raise ArgumentError("Coefficients cannot be empty")
    shape = shapes.cosines(a)
    return shapes.window("general_cosine", M, sym, shape, dtype, device, requires_grad, layout)


def general_hamming(
    M: int,
    *,
    alpha: float = 0.54,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the general Hamming window: ``alpha - (1 - alpha) cos(2πk / n)``.

    Arguments:
        M: the number of points k, 0 or more.
        alpha: the weight of the constant.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.general_hamming(4)
    tensor([0.0800, 0.7700, 0.7700, 0.0800])
    """
    return shapes.window(
        "general_hamming",
        M,
        sym,
        shapes.cosines((alpha, 1.0 - alpha)),
        dtype,
        device,
        requires_grad,
        layout,
    )


def hamming(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Hamming's window: ``0.54 - 0.46 cos(2πk / n)``.

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.hamming(4)
    tensor([0.0800, 0.7700, 0.7700, 0.0800])
    """
    return shapes.window(
        "hamming", M, sym, shapes.cosines((0.54, 0.46)), dtype, device, requires_grad, layout
    )


def hann(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Hann's window: ``½ - ½ cos(2πk / n) = sin²(πk / n)``.

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.hann(4)
    tensor([0.0000, 0.7500, 0.7500, 0.0000])
    """
    shape = shapes.cosines((0.5, 0.5))
    return shapes.window("hann", M, sym, shape, dtype, device, requires_grad, layout)


def kaiser(
    M: int,
    *,
    beta: float = 12.0,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Kaiser's window: ``I₀(β √(1 - (2k / n - 1)²)) / I₀(β)``.

    Arguments:
        M: the number of points k, 0 or more.
        beta: β, 0 or more: the larger, the narrower it is.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.kaiser(4)
    tensor([5.2773e-05, 5.1884e-01, 5.1884e-01, 5.2773e-05])
    """
    if beta < 0:
        raise ArgumentError(f"beta must be non-negative, got: {beta} instead.")
    shape = shapes.kaiser(beta)
    return shapes.window("kaiser", M, sym, shape, dtype, device, requires_grad, layout)


def nuttall(
    M: int,
    *,
    sym: bool = True,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return Nuttall's window, of least sidelobes: ``Σᵢ (-1)ⁱ aᵢ cos(2πik / n)`` of four terms.

    Nuttall, "Some windows with very good sidelobe behavior" (1981).

    Arguments:
        M: the number of points k, 0 or more.
        sym: whether n is M - 1, so that both ends are alike, or M, one period of what repeats.
        dtype: float32 or float64, the default dtype if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    >>> import aino
    >>> aino.signal.windows.nuttall(4)
    tensor([3.6280e-04, 5.2923e-01, 5.2923e-01, 3.6280e-04])
    """
    return shapes.window(
        "nuttall", M, sym, shapes.cosines(shapes.NUTTALL), dtype, device, requires_grad, layout
    )
