"""The frequencies of a transform, and the order in which they stand."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

import numpy as np

from aino.autograd.rules.shape import roll
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import dim_of
from aino.ops.creation.from_data import born
from aino.ops.out import into
from aino.types import DeviceLike, DType

__all__ = ["fftfreq", "rfftfreq", "fftshift", "ifftshift"]


def fftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the frequencies of ``fft``: ``[0, 1, ..., -2, -1] / (n d)``, the negative ones last.

    Arguments:
        n: the number of points.
        d: the time between two points.
        out: a tensor that is written and returned.
        dtype: a floating-point dtype, the default one if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    Raises ``DtypeError`` for a dtype that isn't floating, ``ShapeError`` for n below 0.

    >>> import aino
    >>> aino.fft.fftfreq(4, 0.5)
    tensor([ 0.0000,  0.5000, -1.0000, -0.5000])
    """
    n = _count("fftfreq", n)
    order = np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)])
    return into(
        out, _steps("fftfreq", order, n * d, dtype, device, requires_grad, layout), "fftfreq"
    )


def rfftfreq(
    n: int,
    d: float = 1.0,
    *,
    out: Tensor | None = None,
    dtype: DType | None = None,
    layout: Any = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
) -> Tensor:
    """Return the frequencies of ``rfft``: ``[0, 1, ..., n // 2] / (n d)``.

    Arguments:
        n: the number of points.
        d: the time between two points.
        out: a tensor that is written and returned.
        dtype: a floating-point dtype, the default one if none is given.
        layout: ``aino.strided``, which None means, too.
        device: where the tensor is made: ``"cpu"``, which None means, too.
        requires_grad: whether the result wants a gradient.

    Raises ``DtypeError`` for a dtype that isn't floating, ``ShapeError`` for n below 0.

    >>> import aino
    >>> aino.fft.rfftfreq(4, 0.5)
    tensor([0.0000, 0.5000, 1.0000])
    """
    n = _count("rfftfreq", n)
    order = np.arange(n // 2 + 1)
    return into(
        out, _steps("rfftfreq", order, n * d, dtype, device, requires_grad, layout), "rfftfreq"
    )


def _count(name: str, n) -> int:
    n = index(n)
    if n < 0:
        raise ShapeError(f"{name}: the number of points is 0 or more, not {n}")
    return n


def _steps(name: str, order, span, dtype, device, requires_grad, layout) -> Tensor:
    """Return whole numbers as fractions of a span."""
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if dtype.kind != "f":
        raise DtypeError(f"{name} requires a floating-point dtype, not {dtype}")
    if isinstance(span, Tensor):
        raise ArgumentError(f"{name}: d is a number, not a tensor; its item() is one")
    with np.errstate(divide="ignore", invalid="ignore"):
        return born((order / np.float64(span)).astype(dtype), device, requires_grad, layout)


def fftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return a spectrum in the order of its frequencies, 0 in the middle.

    Arguments:
        input: what ``fft`` or ``fftfreq`` gave.
        dim: the dimensions that are put in order, by default all.

    >>> import aino
    >>> aino.fft.fftshift(aino.tensor([0, 1, -2, -1]))
    tensor([-2, -1,  0,  1])
    """
    return _shifted(input, dim, lambda length: length // 2)


def ifftshift(input: Tensor, dim: int | Sequence[int] | None = None) -> Tensor:
    """Return a spectrum in the order of ``fft``, frequency 0 first: the inverse of ``fftshift``.

    Arguments:
        input: a spectrum with frequency 0 in the middle.
        dim: the dimensions that are put in order, by default all.

    >>> import aino
    >>> aino.fft.ifftshift(aino.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    return _shifted(input, dim, lambda length: (length + 1) // 2)


def _shifted(input: Tensor, dim, by) -> Tensor:
    shape = input.array.shape
    if dim is None:
        axes = tuple(range(len(shape)))
    else:
        dims = (dim,) if hasattr(dim, "__index__") else tuple(dim)
        axes = tuple([dim_of(one, len(shape)) for one in dims])
    return roll(input, tuple([by(shape[axis]) for axis in axes]), axes) if shape else input
