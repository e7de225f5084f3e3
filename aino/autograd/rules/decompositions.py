"""Eigenvalues, singular values and orthogonal factors, with the vectors that belong to them.

Vectors are determined up to a sign, of complex matrices up to a phase, and not even that far where
two values are the same: there they have no derivative, and a rule says so. The formulas are
written in PyTorch's convention, between two conjugations (``aino.autograd.rules.complex``).

Sources: Giles, An extended collection of matrix derivative results (2008); Townsend,
Differentiating the singular value decomposition (2016); Walter and Lehmann, Algorithmic
differentiation of linear algebra functions (2010).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.matrices import computed, solve
from aino.autograd.rules.shape import triu
from aino.autograd.tensor import Tensor
from aino.errors import GradientError
from aino.tracing import checked


def conj(x):
    """Return the conjugate; of real numbers they themselves, without a copy."""
    return np.conjugate(x) if x.dtype.kind == "c" else x


def adjoint(x):
    """Return xᴴ."""
    return conj(x).mT


def _skew(x):
    return x - adjoint(x)


def on_diagonal(x):
    """Return matrices with these vectors along their diagonals."""
    return np.where(np.eye(x.shape[-1], dtype=bool), x[..., None, :], 0.0)


def diagonal(x):
    """Return the diagonals of square matrices, as columns beside one another: ``(..., 1, n)``."""
    return np.add.reduce(np.where(np.eye(x.shape[-1], dtype=bool), x, 0.0), axis=-2, keepdims=True)


def _check(check, x, *words) -> None:
    """Check values, be they in an array, a tensor or a trace."""
    checked(check, x.array if isinstance(x, Tensor) else x, *words)


def _distinct(gaps, what) -> None:
    if gaps.size and not gaps.all():
        raise GradientError(
            f"{what} coincide, so that the vectors that belong to them can be turned into one "
            "another, and have no derivative; only the values have one"
        )


def _nonzero(values, what) -> None:
    if values.size and not values.all():
        raise GradientError(f"{what} is 0: the derivative of this decomposition divides by it")


def _without_phase(along, what) -> None:
    if along.size and np.abs(along).max() > 1e-2:
        raise GradientError(
            f"{what} of a complex matrix are determined up to a factor exp(iφ), and what is "
            "differentiated depends on it: use absolute values, or products in which it cancels"
        )


def _gaps(values, what):
    """Return vⱼ − vᵢ off the diagonal and 1 on it; raise where two values are the same."""
    gaps = values[..., None, :] - values[..., :, None]
    gaps = np.where(np.eye(gaps.shape[-1], dtype=bool), 1.0, gaps)
    _check(_distinct, gaps, what)
    return gaps


# Hermitian matrices


def _eigh_slope(gw, gv, w, v):
    vh = adjoint(v)
    if gv is None:
        return conj((v * gw[..., None, :]) @ vh)
    inner = vh @ conj(gv)
    if inner.dtype.kind == "c":
        _check(_without_phase, diagonal(inner).imag, "eigenvectors")
    inner = 0.5 * _skew(inner) / _gaps(w, "eigh: two eigenvalues")
    unit = np.eye(w.shape[-1], dtype=bool)
    inner = np.where(unit, 0.0 if gw is None else gw[..., None, :], inner)
    return conj(v @ inner @ vh)


eigh = primitive(
    "eigh", lambda x, triangle: computed("eigh", np.linalg.eigh, x, triangle), outputs="w v",
    formula="w and v with x = v diag(w) vᴴ", x=_eigh_slope,
)  # fmt: skip

eigvalsh = primitive(
    "eigvalsh", lambda x, triangle: computed("eigvalsh", np.linalg.eigvalsh, x, triangle),
    formula="w with x v = v w",
    x=lambda g, x, triangle: _eigh_slope(g, None, *eigh(x, triangle)),
)  # fmt: skip


# General square matrices: what they have is complex


def _complex(x):
    return x.astype(np.result_type(x.dtype, np.complex64))


def _eig(x):
    w, v = computed("eig", np.linalg.eig, x)
    return _complex(w), _complex(v)


def _eig_slope(gw, gv, w, v, x_dtype):
    vh = adjoint(v)
    if gv is None:
        inner = on_diagonal(conj(gw))
    else:
        inner = vh @ conj(gv)
        along = diagonal(inner)
        _check(_without_phase, along.imag, "eigenvectors")
        inner = inner - (vh @ v) * along.real
        inner = inner / conj(_gaps(w, "eig: two eigenvalues"))
        unit = np.eye(w.shape[-1], dtype=bool)
        inner = np.where(unit, 0.0 if gw is None else conj(gw)[..., None, :], inner)
    slope = conj(solve(vh, inner @ vh))
    return slope if x_dtype.kind == "c" else slope.real


eig = primitive("eig", _eig, outputs="w v", formula="w and v with x v = v diag(w)", x=_eig_slope)


def _eigvals_slope(g, x, x_dtype):
    w, v = eig(x)
    return _eig_slope(g, None, w, v, x_dtype)


eigvals = primitive(
    "eigvals", lambda x: _complex(computed("eigvals", np.linalg.eigvals, x)),
    formula="w with x v = v w",
    x=_eigvals_slope,
)  # fmt: skip


# Singular values and vectors


def _no_basis(gradient) -> None:
    if gradient.size and gradient.any():
        raise GradientError(
            "svd: with full_matrices=True the last columns of U, or rows of Vh, are any basis of "
            "what the matrix leaves out, and have no derivative; use the first ones, or "
            "full_matrices=False"
        )


def _narrowed(gu, gs, gvh, u, s, vh):
    """Leave out the vectors that belong to no singular value."""
    count = s.shape[-1]
    if gu is not None:
        _check(_no_basis, gu[..., count:])
        gu = gu[..., :count]
    if gvh is not None:
        _check(_no_basis, gvh[..., count:, :])
        gvh = gvh[..., :count, :]
    return gu, gs, gvh, u[..., :count], s, vh[..., :count, :]


def _svd_slope(gu, gs, gvh, u, s, vh, full):
    if full:
        gu, gs, gvh, u, s, vh = _narrowed(gu, gs, gvh, u, s, vh)
    if gu is None and gvh is None:
        return conj((u * gs[..., None, :]) @ vh)
    uh, v = adjoint(u), adjoint(vh)
    row, column = s[..., None, :], s[..., :, None]
    unit = np.eye(s.shape[-1], dtype=bool)
    gaps = _gaps(s, "svd: two singular values")
    gaps = np.where(unit, 1.0, gaps * (row + column))
    _check(_distinct, gaps, "svd: two singular values")
    inner: Any = 0.0
    phase: Any = 0.0
    if gu is not None:
        gu = conj(gu)
        turned = _skew(uh @ gu)
        inner, phase = turned / gaps * row, diagonal(turned)
    if gvh is not None:
        gv = adjoint(conj(gvh))
        turned = _skew(vh @ gv)
        inner, phase = inner + column * (turned / gaps), phase + diagonal(turned)
    if u.dtype.kind == "c":
        _check(_without_phase, phase.imag, "singular vectors")
        # Where only one of U and V turns with a phase, that of the other follows from it.
        along = phase if gu is None else diagonal(_skew(uh @ gu))
        _check(_nonzero, s, "svd: a singular value")
        inner = np.where(unit, along / (2.0 * row), inner)
    else:
        inner = np.where(unit, 0.0, inner)
    if gs is not None:
        inner = inner + on_diagonal(gs)
    outside = [gu is not None and u.shape[-2] > s.shape[-1],
               gvh is not None and vh.shape[-1] > s.shape[-1]]  # fmt: skip
    if any(outside):
        _check(_nonzero, s, "svd: a singular value")
    left = u @ inner
    if outside[0]:
        left = left + (gu - u @ (uh @ gu)) / row
    slope = left @ vh
    if outside[1]:
        slope = slope + u @ (adjoint(gv - v @ (vh @ gv)) / column)
    return conj(slope)


svd = primitive(
    "svd", lambda x, full: computed("svd", np.linalg.svd, x, full), outputs="u s vh",
    formula="u, s and vᴴ with x = u diag(s) vᴴ", x=_svd_slope,
)  # fmt: skip

# Orthogonal and triangular factors


def _qr_slope(gq, gr, q, r):
    inner: Any = 0.0
    if gr is not None:
        inner = conj(gr) @ adjoint(r)
    if gq is not None:
        gq = conj(gq)
        inner = inner - adjoint(q) @ gq
    above = triu(inner, 1)
    unit = np.eye(r.shape[-1], dtype=bool)
    inner = np.where(unit, inner.real, above + adjoint(above))
    _check(_nonzero, diagonal(r), "qr: an element of the diagonal of R")
    slope = q @ inner
    if gq is not None:
        slope = gq + slope
    return conj(adjoint(solve(r, adjoint(slope))))


qr = primitive(
    "qr", lambda x: computed("qr", np.linalg.qr, x), outputs="q r",
    formula="q and r with x = q r, qᴴ q = 1", x=_qr_slope,
)  # fmt: skip


def _complete_slope(gq, gr, q, r):
    if gq is not None:
        raise GradientError(
            "qr: with mode='complete' and more rows than columns the last columns of Q are any "
            "basis of what the matrix leaves out, and have no derivative; use mode='reduced'"
        )
    n = r.shape[-1]
    return _qr_slope(None, gr[..., :n, :], q[..., :n], r[..., :n, :])


def _geqrf(x):
    a, tau = computed("geqrf", np.linalg.qr, x, "raw")
    return a.mT, tau


def _no_slope(what, instead):
    raise GradientError(f"{what} has no derivative: use {instead}")


geqrf = primitive(
    "geqrf", _geqrf, outputs="a tau", formula="r and the reflections of q, with x = q r",
    x=lambda ga, gtau: _no_slope("geqrf", "linalg.qr"),
)  # fmt: skip

qr_complete = primitive(
    "qr_complete", lambda x: computed("qr", np.linalg.qr, x, "complete"), outputs="q r",
    formula="q and r with x = q r, q square", x=_complete_slope,
)  # fmt: skip
