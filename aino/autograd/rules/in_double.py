"""Kernels of special functions: computed in float64, rounded once, in blocks that stay in cache."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aino.autograd.duck import elementwise
from aino.errors import DtypeError, MissingExtraError
from aino.tracing import opaque, untraced

_BLOCK = 8192


def in_double(compute):
    """Return an elementwise kernel that computes in float64, whatever real dtype it is given.

    ``compute`` gets flat arrays of one length, and may divide them up by what they hold: a trace
    records the kernel as one call.
    """

    @elementwise
    @opaque
    @untraced
    def kernel(*inputs):
        arrays = [np.asarray(x) for x in inputs]
        dtype = np.result_type(*[array.dtype for array in arrays])
        if dtype.kind == "c":
            raise DtypeError(f"expected a real tensor, got {dtype}: not known of complex numbers")
        shape = np.broadcast_shapes(*[array.shape for array in arrays])
        flat = [
            np.broadcast_to(array, shape).astype(np.float64, copy=False).reshape(-1)
            for array in arrays
        ]
        y = np.empty(shape, dtype if dtype.kind == "f" else np.float64)
        into = y.reshape(-1)
        with np.errstate(all="ignore"):
            for start in range(0, into.size, _BLOCK):
                block = slice(start, start + _BLOCK)
                into[block] = compute(*[x[block] for x in flat])
        return y

    return kernel


def pieces(x, *parts):
    """Return a function by pieces: ``parts`` are a condition and what to compute where it holds.

    The first that holds decides. Nothing is computed for elements that are not there.
    """
    y = np.full_like(x, np.nan)
    rest = np.ones(x.shape, bool)
    for condition, compute in parts:
        chosen = rest & condition
        if chosen.any():
            y[chosen] = compute(x[chosen])
        rest &= ~condition
    return y


def chebyshev(coefficients, t):
    """Return ``Σ' cₖ Tₖ(t)``, the first term half, by Clenshaw's recurrence."""
    twice = t + t
    below = before = np.zeros_like(t)
    for coefficient in coefficients[:0:-1]:
        below, before = before, twice * before - below + coefficient
    return t * before - below + 0.5 * coefficients[0]


def power_series(coefficients, z):
    """Return ``Σ cₖ zᵏ``."""
    y = np.multiply(z, coefficients[-1])
    for coefficient in coefficients[-2:0:-1]:
        y += coefficient
        y *= z
    y += coefficients[0]
    return y


@functools.cache
def _scipy_special() -> Any:
    try:
        from scipy import special
    except ImportError:
        return None
    return special


def of_scipy(name: str) -> Any:
    """Return SciPy's function; raises ``MissingExtraError`` where SciPy is not installed."""
    found = _scipy_special()
    if found is None:
        raise MissingExtraError(
            f"this function is computed by scipy.special.{name}, and SciPy is not installed: "
            "pip install 'aino[scipy]'"
        )
    return getattr(found, name)
