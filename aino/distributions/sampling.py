"""Random numbers in a given shape and dtype, without gradient unless their names say otherwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import dtypes
from aino.autograd.rules.gamma_samples import log_gamma_sample
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError
from aino.ops.random.generator import draw
from aino.type_info import finfo


def _check_floating(dtype: Any) -> None:
    if dtype.kind != "f":
        raise DtypeError(
            f"samples have the dtype of the parameters, which is {dtype}: give them as floats"
        )


def _drawn(kind: str, shape: Any, dtype: Any) -> Tensor:
    """Return random numbers of the parameters' dtype."""
    _check_floating(dtype)
    return make(draw(None, kind, tuple(shape), dtype))


def standard_normal(shape: Any, dtype: Any) -> Tensor:
    """Return numbers of mean 0 and variance 1."""
    return _drawn("normal", shape, dtype)


def standard_uniform(shape: Any, dtype: Any) -> Tensor:
    """Return numbers from [0, 1)."""
    return _drawn("uniform", shape, dtype)


def standard_exponential(shape: Any, dtype: Any) -> Tensor:
    """Return positive numbers of mean 1."""
    return _drawn("exponential", shape, dtype).clamp(finfo(dtype).tiny)


def random_sign(shape: Any, dtype: Any) -> Tensor:
    """Return 1 or -1, each as often as the other."""
    return 1 - 2 * make(draw(None, "integers", tuple(shape), dtype, 0, 2))


def log_gamma(concentration: Tensor, shape: Any) -> Tensor:
    """Return logarithms of gamma-distributed numbers, with a gradient for the concentration.

    ``ln z = ln z₊ + ln(u) / a``, where z₊ is of concentration a + 1 and u uniform: where a is
    small, z itself would be rounded to 0.
    """
    concentration = concentration.expand(tuple(shape))
    _check_floating(concentration.dtype)
    a = concentration.array
    larger = draw(None, "gamma", a.shape, dtypes.float64, a + 1.0)
    waits = draw(None, "exponential", a.shape, dtypes.float64)
    drawn = np.log(larger) - waits / a
    return log_gamma_sample(concentration, make(drawn.astype(concentration.dtype)))


def standard_gamma(concentration: Tensor, shape: Any) -> Tensor:
    """Return gamma-distributed numbers of rate 1, with a gradient for the concentration."""
    return log_gamma(concentration, shape).exp().clamp(finfo(concentration.dtype).tiny)
