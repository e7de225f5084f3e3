"""Random numbers in a given shape and dtype, without gradient unless their names say otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.rules.gamma_samples import log_gamma_sample
from aino.autograd.tensor import Tensor, make
from aino.ops.random.generator import draw
from aino.type_info import finfo
from aino.types import DType


def standard_normal(shape: Any, dtype: DType) -> Tensor:
    """Return numbers of mean 0 and variance 1."""
    return make(draw(None, "normal", tuple(shape), dtype))


def standard_uniform(shape: Any, dtype: DType) -> Tensor:
    """Return numbers from [0, 1)."""
    return make(draw(None, "uniform", tuple(shape), dtype))


def standard_exponential(shape: Any, dtype: DType) -> Tensor:
    """Return positive numbers of mean 1."""
    return make(draw(None, "exponential", tuple(shape), dtype)).clamp(finfo(dtype).tiny)


def random_sign(shape: Any, dtype: DType) -> Tensor:
    """Return 1 or -1, each as often as the other."""
    return 1 - 2 * make(draw(None, "integers", tuple(shape), dtype, 0, 2))


def log_gamma(concentration: Tensor, shape: Any) -> Tensor:
    """Return logarithms of gamma-distributed numbers, with a gradient for the concentration.

    ``ln z = ln z₊ + ln(u) / a``, where z₊ is of concentration a + 1 and u uniform: where a is
    small, z itself would be rounded to 0.
    """
    concentration = concentration.expand(tuple(shape))
    a = concentration.array
    larger = draw(None, "gamma", a.shape, dtypes.float64, a + 1.0)
    waits = draw(None, "exponential", a.shape, dtypes.float64)
    drawn = np.log(larger) - waits / a
    return log_gamma_sample(concentration, make(drawn.astype(concentration.dtype)))


def standard_gamma(concentration: Tensor, shape: Any) -> Tensor:
    """Return gamma-distributed numbers of rate 1, with a gradient for the concentration."""
    return log_gamma(concentration, shape).exp().clamp(finfo(concentration.dtype).tiny)
