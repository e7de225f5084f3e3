"""The outermost eigenvalues of a symmetric matrix, by iteration.

Source: Knyazev, "Toward the optimal preconditioned eigensolver: locally optimal block
preconditioned conjugate gradient method" (2001).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.decompositions import _eigh_slope, adjoint, eigh
from aino.autograd.sums import sum_over
from aino.tracing import opaque, over_leading


@opaque
@over_leading
def _iterated(c, start, precondition, k, niter, tol, largest, watch):
    """Return k eigenvalues and vectors: those of a subspace that every step improves.

    It is spanned by the vectors that are there, by what they lack, and by the way that led to
    them. QR keeps what spans it orthonormal. ``watch(state)`` is called after each step.
    """
    n = start.shape[-1]
    size = np.linalg.norm(c, axis=(-2, -1))[..., None]
    basis, way = np.linalg.qr(start)[0], None
    for step in itertools.count(1):
        w, u = np.linalg.eigh(adjoint(basis) @ (c @ basis))
        if largest:
            w, u = w[..., ::-1], u[..., ::-1]
        w, u = w[..., :n], u[..., :n]
        x = basis @ u
        if step > 1:
            way = basis[..., n:] @ u[..., n:, :]
        lacking = c @ x - x * w[..., None, :]
        length = np.linalg.norm(lacking, axis=-2)
        error = length / (size + np.abs(w))
        done = (error[..., :k] < tol).all() or step == niter
        if watch is not None:
            done |= watch(step, w, x, basis, lacking, error)
        if done:
            return w[..., :k].copy(), x[..., :k].copy()
        if precondition.size:
            lacking = precondition @ lacking
            length = np.linalg.norm(lacking, axis=-2)
        lacking = lacking / np.where(length == 0, 1, length)[..., None, :]
        parts = [x, lacking] if way is None else [x, lacking, way]
        basis = np.linalg.qr(np.concatenate(parts, -1))[0]
    raise AssertionError("the loop ends by a return")


def _outermost(c, start, precondition, k, niter, tol, largest, watch):
    return _iterated(c, start, precondition, k, niter, tol, largest, watch)


def _padded(g, largest, count):
    """Return a cotangent of the outermost values or vectors as one of all, in eigh's order."""
    others = np.zeros_like(g, shape=(*g.shape[:-1], count - g.shape[-1]))
    return np.concatenate([others, g[..., ::-1]] if largest else [g, others], -1)


def _slope(gw, gv, c, v, largest):
    every, vectors = eigh(c, "L")
    count, k = c.shape[-1], v.shape[-1]
    own = vectors[..., ::-1][..., :k] if largest else vectors[..., :k]
    # The same vectors, but for a sign, or for a phase.
    turn = sum_over(np.conjugate(own) * v, v.ndim - 2, True)
    turn = turn / np.absolute(turn)
    gv = None if gv is None else _padded(gv * turn, largest, count)
    return _eigh_slope(None if gw is None else _padded(gw, largest, count), gv, every, vectors)


lobpcg: Any = primitive(
    "lobpcg", _outermost, inputs="c start precondition", outputs="w v",
    formula="the outermost w and v with c v = v diag(w)", c=_slope,
)  # fmt: skip
