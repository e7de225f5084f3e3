"""Discrete Fourier transforms: four linear maps, each the rule of another.

The matrix of ``fft`` is symmetric, so its transpose, which carries cotangents, is ``fft`` itself;
``ifft`` likewise. A real transform keeps half of the frequencies; the others are their conjugates,
so that in the transpose of ``rfft`` what stands for two counts half, and in that of ``irfft``
twice. Every other transform is composed of these, of ``conj`` and of ``pad``.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from aino.autograd.primitive import cast, primitive

#: Scales are NumPy's: "backward" divides in the inverse alone, "forward" in the transform alone.
#: Among maps that are transposed, the other of the two has the same scale.
TURNED = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _fft(x, axes, norm):
    if len(axes) == 1:
        return np.fft.fft(x, axis=axes[0], norm=norm)
    return np.fft.fftn(x, axes=axes, norm=norm)


def _ifft(x, axes, norm):
    if len(axes) == 1:
        return np.fft.ifft(x, axis=axes[0], norm=norm)
    return np.fft.ifftn(x, axes=axes, norm=norm)


@functools.cache
def _counted(n, inner, axis, ndim, dtype):
    """Return how often each kept frequency counts: ``inner`` times, but 0 and the middle once."""
    counts = np.full(n // 2 + 1, inner, dtype)
    counts[0] = 1.0
    if n % 2 == 0:
        counts[-1] = 1.0
    counts.flags.writeable = False
    return counts.reshape((-1,) + (1,) * (ndim - 1 - axis))


def _weighted(x, n, inner, axis):
    return x * _counted(n, inner, axis, x.ndim, np.finfo(x.dtype).dtype)


def _like(g, dtype):
    """Return a cotangent as its input is: real inputs have the real part."""
    return g if g.dtype == dtype else cast(g, dtype)


fft: Any = primitive(
    "fft", _fft, formula="yₖ = Σ xⱼ e^(-2πijk/n)", promotes="float",
    x=lambda g, axes, norm, x_dtype: _like(fft(g, axes, norm), x_dtype),
)  # fmt: skip

ifft: Any = primitive(
    "ifft", _ifft, formula="xⱼ = 1/n Σ yₖ e^(2πijk/n)", promotes="float",
    x=lambda g, axes, norm, x_dtype: _like(ifft(g, axes, norm), x_dtype),
)  # fmt: skip


def _rfft_to_x(g, axis, norm, x_shape, x_dtype):
    n = x_shape[axis]
    half = _weighted(np.conjugate(g), n, 0.5, axis)
    return _like(irfft(half, n, axis, TURNED[norm]), x_dtype)


rfft: Any = primitive(
    "rfft", lambda x, axis, norm: np.fft.rfft(x, axis=axis, norm=norm),
    formula="yₖ = Σ xⱼ e^(-2πijk/n), k ≤ n/2", promotes="float", x=_rfft_to_x,
)  # fmt: skip


def _irfft_to_x(g, n, axis, norm):
    return _weighted(np.conjugate(rfft(g, axis, TURNED[norm])), n, 2.0, axis)


irfft: Any = primitive(
    "irfft", lambda x, n, axis, norm: np.fft.irfft(x, n=n, axis=axis, norm=norm),
    formula="xⱼ = 1/n Σ yₖ e^(2πijk/n), y₋ₖ = ȳₖ", x=_irfft_to_x,
)  # fmt: skip
