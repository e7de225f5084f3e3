"""Inverses of matrices that have none, and solutions of systems that have none or many."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.decompositions import adjoint, conj
from aino.autograd.rules.matrices import computed, weighted_vectors
from aino.autograd.sums import sum_to_shape


def _cut(s, atol, rtol):
    """Return 1 / s, and 0 for what is no larger than max(atol, rtol · the largest)."""
    size = np.abs(s)
    largest = np.maximum.reduce(size, axis=-1, keepdims=True, initial=0.0)
    kept = size > np.maximum(atol[..., None], rtol[..., None] * largest)
    return np.where(kept, 1.0 / np.where(kept, s, 1.0), 0.0), kept


def _pinv(x, atol, rtol, hermitian):
    if hermitian:
        w, v = computed("pinv", np.linalg.eigh, x)
        return (v * _cut(w, atol, rtol)[0][..., None, :]) @ adjoint(v)
    u, s, vh = computed("pinv", np.linalg.svd, x, False)
    return (adjoint(vh) * _cut(s, atol, rtol)[0][..., None, :]) @ adjoint(u)


def _pinv_slope(g, x, y):
    """Differentiate x⁺ where the rank does not change.

    Source: Golub and Pereyra, The differentiation of pseudo-inverses (1973).
    """
    gh, yh = g.mT, adjoint(y)
    if x.shape[-2] <= x.shape[-1]:
        inner = gh @ y
        outer = inner @ yh
        slope = (yh @ y) @ (gh - inner @ x) + outer - (x @ y) @ outer - adjoint(y @ inner)
    else:
        inner = y @ gh
        outer = yh @ inner
        slope = ((gh - x @ inner) @ y) @ yh + outer - (outer @ y) @ x - adjoint(inner @ y)
    return conj(slope)


pinv = primitive(
    "pinv", _pinv, inputs="x atol rtol", formula="x⁺", broadcasts=True,
    x=lambda g, x, y: _pinv_slope(g, x, y),
)  # fmt: skip


def _least_squares(a, b, atol, rtol):
    u, s, vh = computed("lstsq", np.linalg.svd, a, False)
    inverse, kept = _cut(s, atol, rtol)
    x = adjoint(vh) @ (inverse[..., :, None] * (adjoint(u) @ b))
    return x, np.add.reduce(kept, axis=-1, dtype=np.int64), s


def _slope_of_a(gx, gr, gs, a, b, atol, rtol, a_shape):
    slope = 0.0
    if gx is not None:
        slope = sum_to_shape(_pinv_slope(gx @ b.mT, a, pinv(a, atol, rtol, False)), a_shape)
    return slope if gs is None else slope + conj(weighted_vectors(a, gs))


def _slope_of_b(gx, gr, gs, a, atol, rtol, b_shape):
    if gx is None:
        return None
    return sum_to_shape(pinv(a, atol, rtol, False).mT @ gx, b_shape)


least_squares = primitive(
    "least_squares", _least_squares, inputs="a b atol rtol", outputs="x rank s",
    formula="the shortest x with ‖a x − b‖ least", a=_slope_of_a, b=_slope_of_b,
)  # fmt: skip
