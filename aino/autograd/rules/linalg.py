"""Products of vectors and matrices, and what is solved with them."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.errors import DtypeError, ShapeError


def product(a, b):
    """``np.matmul``, which neither mixes dtypes nor speaks of core dimensions.

    Two matrices go through ``np.dot``: the same BLAS call, found in half the time.
    """
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        raise DtypeError(
            f"matmul: both operands need the same dtype, got {a.dtype} (shape {a.shape}) and "
            f"{b.dtype} (shape {b.shape})"
        )
    try:
        return np.dot(a, b) if a.ndim == 2 == b.ndim else np.matmul(a, b)
    except ValueError:
        inner = a.shape[-1], b.shape[max(b.ndim - 2, 0)]
        why = "inner lengths {} and {} differ" if inner[0] != inner[1] else "leading axes differ"
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit together: {why.format(*inner)}"
        ) from None


def _rows_product(a, b):
    """Multiply every row of ``a`` by one matrix, as one large product."""
    rows, inner = math.prod(a.shape[:-1]), a.shape[-1]
    if inner != b.shape[0]:
        return product(a, b)
    return product(a.reshape(rows, inner), b).reshape((*a.shape[:-1], b.shape[-1]))


def _as_rows(x):
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


mm = primitive(
    "mm", product, formula="a b", jacobian="multilinear",
    a=lambda g, b: np.dot(g, b.mT),
    b=lambda g, a: np.dot(a.mT, g),
)  # fmt: skip

bmm = primitive(
    "bmm", product, formula="aᵢ bᵢ", jacobian="multilinear", broadcasts=True,
    a=lambda g, b: g @ b.mT,
    b=lambda g, a: a.mT @ g,
)  # fmt: skip

rows_mm = primitive(
    "rows_mm", _rows_product, formula="aᵢ b", jacobian="multilinear",
    a=lambda g, b: rows_mm(g, b.mT),
    b=lambda g, a: _as_rows(a).mT @ _as_rows(g),
)  # fmt: skip

mv = primitive(
    "mv", product, formula="a v", jacobian="multilinear",
    a=lambda g, b: g[..., None] * b,
    b=lambda g, a: _as_rows(a).mT @ g.reshape(math.prod(g.shape)),
)  # fmt: skip

dot = primitive(
    "dot", product, formula="Σ aᵢ bᵢ", jacobian="multilinear",
    a=lambda g, b: g * b,
    b=lambda g, a: g * a,
)  # fmt: skip


def _cross(a, b, axis):
    def part(x, i):
        return x[(slice(None),) * axis + (i,)]

    a0, a1, a2 = part(a, 0), part(a, 1), part(a, 2)
    b0, b1, b2 = part(b, 0), part(b, 1), part(b, 2)
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis)


cross = primitive(
    "cross", _cross, formula="a × b", jacobian="multilinear", broadcasts=True, promotes="common",
    a=lambda g, b, axis: cross(b, g, axis),
    b=lambda g, a, axis: cross(g, a, axis),
)  # fmt: skip
