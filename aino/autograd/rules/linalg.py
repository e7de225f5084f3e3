"""Products of vectors and matrices, and what is solved with them."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.errors import DtypeError, ShapeError


def product(a, b):
    """``np.matmul``, which neither mixes dtypes nor speaks of core dimensions."""
    if a.dtype is not b.dtype and a.dtype != b.dtype:
        raise DtypeError(
            f"matmul: both operands need the same dtype, got {a.dtype} (shape {a.shape}) and "
            f"{b.dtype} (shape {b.shape})"
        )
    try:
        return np.matmul(a, b)
    except ValueError:
        raise ShapeError(
            f"matmul: shapes {a.shape} and {b.shape} do not fit together: the last axis of the "
            "first meets the last but one (or only) axis of the second"
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
    "mm", product, formula="a b",
    a=lambda g, b: g @ b.mT,
    b=lambda g, a: a.mT @ g,
)  # fmt: skip

bmm = primitive(
    "bmm", product, formula="aᵢ bᵢ", broadcasts=True,
    a=lambda g, b: g @ b.mT,
    b=lambda g, a: a.mT @ g,
)  # fmt: skip

rows_mm = primitive(
    "rows_mm", _rows_product, formula="aᵢ b",
    a=lambda g, b: rows_mm(g, b.mT),
    b=lambda g, a: _as_rows(a).mT @ _as_rows(g),
)  # fmt: skip

mv = primitive(
    "mv", product, formula="a v",
    a=lambda g, b: g[..., None] * b,
    b=lambda g, a: _as_rows(a).mT @ g.reshape(math.prod(g.shape)),
)  # fmt: skip

dot = primitive(
    "dot", product, formula="Σ aᵢ bᵢ",
    a=lambda g, b: g * b,
    b=lambda g, a: g * a,
)  # fmt: skip
