"""Norms under ``linalg``'s names, and the product of vectors along an axis."""

from __future__ import annotations

import math

from aino.autograd.primitive import cast
from aino.autograd.rules.complex import conj
from aino.dtypes import as_dtype
from aino.errors import ShapeError
from aino.ops.linalg.spectral import spectral_norm
from aino.ops.reduce.extremes import amax, amin
from aino.ops.reduce.reduction import norm, sum

__all__: list[str] = []


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """Return (Σ |x|ᵖ)^(1/p) over ``dim``, by default over all elements.

    >>> import aino
    >>> aino.linalg.vector_norm(aino.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    return norm(x, ord, dim, keepdim, dtype=dtype)


def matrix_norm(A, ord="fro", dim=(-2, -1), keepdim=False, *, dtype=None):
    """Return a norm of the matrices in two axes.

    ``"fro"``: the root of the sum of squares. 1: the largest sum of a column's sizes, ∞: of a
    row's; −1 and −∞: the smallest. 2 and −2: the largest and the smallest singular value,
    ``"nuc"``: their sum.

    >>> import aino
    >>> aino.linalg.matrix_norm(aino.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    rows, columns = dim
    if A.ndim < 2 or rows % A.ndim == columns % A.ndim:
        raise ShapeError(f"matrix_norm: axes {tuple(dim)} of shape {tuple(A.shape)} are no matrix")
    if ord == "fro":
        return norm(A, 2, dim, keepdim, dtype=dtype)
    if ord not in (1, -1, 2, -2, math.inf, -math.inf, "nuc"):
        raise ValueError(
            f"matrix_norm: the order is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {ord!r}"
        )
    if ord in (2, -2, "nuc"):
        A = A if dtype is None else cast(A, as_dtype(dtype))
        return spectral_norm("matrix_norm", A, ord, dim, keepdim)
    along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = norm(A, 1, along, True, dtype=dtype)
    largest = (amax if ord > 0 else amin)(sums, (along, across), True)
    if keepdim:
        return largest
    first, second = sorted((rows % A.ndim, columns % A.ndim))
    shape = tuple(A.shape)
    return largest.reshape(shape[:first] + shape[first + 1 : second] + shape[second + 1 :])


def any_norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """``linalg.norm``: a matrix norm where two axes are meant, else a vector norm.

    Without ``ord`` all elements of ``dim`` are one vector.

    >>> import aino
    >>> aino.linalg.norm(aino.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(A, 2, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim == 2:
        dim = (0, 1)
    if isinstance(dim, (tuple, list)) and len(dim) == 2:
        return matrix_norm(A, ord, dim, keepdim, dtype=dtype)
    if dim is None and A.ndim != 1:
        raise ShapeError(
            f"linalg.norm: an order needs one axis, or two, or a tensor that has them; got shape "
            f"{tuple(A.shape)} without dim"
        )
    return vector_norm(A, ord, dim, keepdim, dtype=dtype)


def vecdot(x, y, *, dim=-1):
    """Return Σ conj(xᵢ) yᵢ along an axis, the others being broadcast.

    >>> import aino
    >>> aino.linalg.vecdot(aino.ones(2, 3), aino.ones(3))
    tensor([3., 3.])
    """
    return sum((conj(x) if x.dtype.kind == "c" else x) * y, dim)
