"""What a saved program may call besides NumPy: functions whose source is written into its file.

They use nothing but ``np`` and ``math``.
"""

from __future__ import annotations

import math  # noqa: F401  (a saved program imports it)

import numpy as np


def generator_at(state):
    """Return NumPy's generator in a given state."""
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)


def manual_seed(generator, seed):
    """Start a generator anew."""
    generator.bit_generator.state = np.random.PCG64(seed % (1 << 64)).state


def draw(generator, kind, shape, dtype, *parameters):
    """Return random numbers, the same as AINO draws."""
    if kind == "integers":
        if dtype.kind in "iub":
            return generator.integers(*parameters, shape, dtype)
        return generator.integers(*parameters, shape).astype(dtype)
    if kind == "permutation":
        return generator.permutation(*parameters).astype(dtype, copy=False)
    if kind in ("poisson", "gamma", "binomial"):
        name = "standard_gamma" if kind == "gamma" else kind
        return np.asarray(getattr(generator, name)(*parameters, shape)).astype(dtype)
    name = "random" if kind == "uniform" else f"standard_{kind}"
    function = getattr(generator, name)
    if dtype.kind == "c":
        part = np.float32 if dtype == np.complex64 else np.float64
        parts = function((*shape, 2), part)
        return (parts * part(0.5**0.5) if kind == "normal" else parts).view(dtype)[..., 0]
    if dtype.itemsize == 2:
        if kind == "uniform":
            return (generator.integers(0, 2048, shape) / 2048.0).astype(dtype)
        return function(shape, np.float32).astype(dtype)
    return np.asarray(function(shape, dtype))


def run_chain(chain, lanes, scratch, *arrays):
    """Run the blocks of a chain, one after the other."""
    for lane in lanes:
        for start, stop in lane:
            chain(start, stop, scratch[0], *arrays)


def class_places(labels, shape):
    """Return where the score of each row's class lies in the flat matrix."""
    return np.ravel_multi_index((np.arange(shape[0]), labels), shape)


def clip(x, low, high, out=None):
    """Return x within [low, high], NaN where x is."""
    within = np.where(x < low, low, np.where(x > high, high, x))
    if out is None:
        return within
    out[...] = within
    return out


#: By the names of the functions for which they stand.
STANDALONE = {f.__name__: f for f in (draw, manual_seed, run_chain, class_places, clip)}
