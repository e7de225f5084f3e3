"""The formulas of windows, in NumPy and in float64: arrays of their samples."""

from __future__ import annotations

import math
from operator import index
from typing import Any

import numpy as np

from aino.autograd.rules.modified_bessel import i0
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype, get_default_dtype
from aino.errors import ArgumentError, DtypeError
from aino.ops.creation.from_data import born
from aino.types import DeviceLike, DType

#: Nuttall, "Some windows with very good sidelobe behavior" (1981), and Blackman's weights.
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)
BLACKMAN = (0.42, 0.5, 0.08)


def window(
    name: str,
    length: int,
    symmetric: bool,
    shape: Any,
    dtype: DType | None,
    device: DeviceLike,
    requires_grad: bool,
    layout: Any,
    pin_memory: bool = False,
    dtypes: str = "float32 float64",
) -> Tensor:
    """Return the window of a shape: ``shape(places, steps)`` of the places 0 .. length - 1.

    ``steps`` lie between the ends of the whole window, of which one that isn't symmetric is all
    but the last point. Raises ``ArgumentError`` for a negative length or another dtype.
    """
    length = index(length)
    if length < 0:
        raise ArgumentError(f"{name} requires a non-negative window length, got {length}")
    dtype = get_default_dtype() if dtype is None else as_dtype(dtype)
    if dtype.name not in dtypes.split():
        error = ArgumentError if dtypes.startswith("float32") else DtypeError
        raise error(f"{name} expects one of the dtypes {dtypes}, got {dtype}")
    if length < 2:
        samples = np.ones(length)
    else:
        samples = shape(np.arange(length, dtype=np.float64), length - symmetric)
    return born(samples.astype(dtype), device, requires_grad, layout, pin_memory)


def cosines(weights):
    """Return the shape ``Σᵢ (-1)ⁱ wᵢ cos(2πik / n)``."""

    def shape(k, steps):
        angles = k * (2.0 * math.pi / steps)
        signed = [(-1) ** i * weight for i, weight in enumerate(weights)]
        return sum(weight * np.cos(i * angles) for i, weight in enumerate(signed))

    return shape


def triangle(k, steps):
    return 1.0 - np.absolute(k * (2.0 / steps) - 1.0)


def half_wave(k, steps):
    return np.sin((k + 0.5) * (math.pi / (steps + 1)))


def decay(center, tau):
    """Return the shape ``e^(-|k - center| / tau)``; in the middle where there is no center."""

    def shape(k, steps):
        middle = 0.5 * steps if center is None else center
        return np.exp(-np.absolute(k - middle) / tau)

    return shape


def bell(std):
    """Return the shape ``e^(-½ ((k - n / 2) / std)²)``."""
    return lambda k, steps: np.exp(-0.5 * np.square((k - 0.5 * steps) / std))


def kaiser(beta):
    """Return the shape ``I₀(β √(1 - (2k / n - 1)²)) / I₀(β)``."""

    def shape(k, steps):
        place = k * (2.0 / steps) - 1.0
        inside = np.sqrt(np.maximum((1.0 - place) * (1.0 + place), 0.0))
        return i0(beta * inside) / i0(np.asarray(float(beta)))

    return shape
