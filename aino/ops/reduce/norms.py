"""Norms, and the product of vectors along an axis."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.primitive import cast
from aino.autograd.rules import reduce as rules
from aino.autograd.rules.complex import conj
from aino.autograd.tensor import Tensor
from aino.dtypes import as_dtype
from aino.errors import ArgumentError, ShapeError
from aino.ops.arguments import numpy_names, other_names, reduced
from aino.ops.half import widened
from aino.ops.linalg.spectral import spectral_norm
from aino.ops.out import into
from aino.ops.public import method
from aino.ops.reduce.extremes import amax, amin, nonempty
from aino.ops.reduce.reduction import only_floating, sum
from aino.types import DType

__all__ = ["norm"]

_ORDERS = {None: 2.0, "fro": 2.0, "inf": math.inf, "-inf": -math.inf}


@method
@numpy_names
def norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
) -> Any:
    """Return a norm over dimensions: (Σ |x|ᵖ)^(1/p).

    The gradient is 0 where the norm is. Raises ``DtypeError`` for integers, ``ValueError`` for
    another text than those below.

    Arguments:
        input: a tensor.
        p: the order: a number, or ``"fro"`` for 2; ∞ gives the largest |x|, -∞ the smallest, 0 how
            many are not zero; ``"nuc"``, of two dimensions, the sum of the singular values.
        dim: which dimensions: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.

    >>> import aino
    >>> aino.norm(aino.tensor([3.0, -4.0])), aino.norm(aino.tensor([3.0, -4.0]), 1)
    (tensor(5.), tensor(7.))
    """
    if dtype is not None:
        input = cast(input, as_dtype(dtype))
    only_floating(input, "norm")
    if p == "nuc":
        return spectral_norm("norm", input, p, dim, keepdim)
    if isinstance(p, str) and p not in _ORDERS:
        raise ArgumentError(f"norm: p must be a number, 'fro', 'nuc', inf or -inf, not {p!r}")
    order = _ORDERS[p] if p in _ORDERS else float(p)  # type: ignore[arg-type]
    axis = reduced(dim, input.array.ndim)
    if order in (math.inf, -math.inf):
        nonempty(input, axis, "norm")
    return widened(rules.norm, input, order, axis, keepdim)


def vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a norm of vectors: (Σ |x|ᵖ)^(1/p).

    The gradient is 0 where the norm is. Raises ``DtypeError`` for integers.

    Arguments:
        x: a tensor.
        ord: the order p; ∞ gives the largest |x|, -∞ the smallest, 0 how many are not zero.
        dim: the dimensions of which a vector is made: a number, several, or None for all.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.vector_norm(aino.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor(5.)
    """
    if isinstance(ord, str):
        raise TypeError(f"vector_norm: the order of vectors is a number, not {ord!r}")
    return into(out, norm(x, ord, dim, keepdim, dtype=dtype), "vector_norm")


@other_names(A="input")
def matrix_norm(
    input: Tensor,
    ord: Any = "fro",
    dim: Any = (-2, -1),
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a norm of matrices.

    Raises ``ShapeError`` where two dimensions are no matrix, ``ValueError`` for another order.

    Arguments:
        input: a tensor of at least two dimensions.
        ord: ``"fro"``, the root of the sum of squares; 1, the largest column sum of |x|, ∞, the
            largest row sum, -1 and -∞, the smallest; 2 and -2, the largest and the smallest
            singular value; ``"nuc"``, the sum of the singular values.
        dim: the two dimensions of which a matrix is made.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.matrix_norm(aino.tensor([[1.0, -2.0], [3.0, 4.0]]), 1)
    tensor(6.)
    """
    return into(out, _norm_of_matrices(input, ord, dim, keepdim, dtype), "matrix_norm")


def _norm_of_matrices(input, ord, dim, keepdim, dtype):
    rows, columns = dim
    if input.ndim < 2 or rows % input.ndim == columns % input.ndim:
        raise ShapeError(
            f"matrix_norm: axes {tuple(dim)} of shape {tuple(input.shape)} are no matrix"
        )
    if ord == "fro":
        return norm(input, 2, dim, keepdim, dtype=dtype)
    if ord not in (1, -1, 2, -2, math.inf, -math.inf, "nuc"):
        raise ArgumentError(
            f"matrix_norm: the order is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {ord!r}"
        )
    if ord in (2, -2, "nuc"):
        input = input if dtype is None else cast(input, as_dtype(dtype))
        return spectral_norm("matrix_norm", input, ord, dim, keepdim)
    along, across = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = norm(input, 1, along, True, dtype=dtype)
    largest = (amax if ord > 0 else amin)(sums, (along, across), True)
    if keepdim:
        return largest
    first, second = sorted((rows % input.ndim, columns % input.ndim))
    shape = tuple(input.shape)
    return largest.reshape(shape[:first] + shape[first + 1 : second] + shape[second + 1 :])


@other_names(A="input")
def any_norm(
    input: Tensor,
    ord: float | str | None = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: DType | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return a norm of a matrix where two dimensions are meant, else of a vector.

    Raises ``ShapeError`` where an order is given, but not one or two dimensions to take it of.

    Arguments:
        input: a tensor.
        ord: the order, as for ``matrix_norm`` or ``vector_norm``; for None that of a vector, 2.
        dim: one dimension for vectors, two for matrices; None for all, of a 1-D or 2-D tensor.
        keepdim: whether they stay, with length 1.
        dtype: what the elements are cast to first; None leaves them as they are.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.norm(aino.tensor([3.0, 4.0]))
    tensor(5.)
    """
    if ord is None:
        return vector_norm(input, 2, dim, keepdim, dtype=dtype, out=out)
    if dim is None and input.ndim == 2:
        dim = (0, 1)
    if isinstance(dim, (tuple, list)) and len(dim) == 2:
        return matrix_norm(input, ord, dim, keepdim, dtype=dtype, out=out)
    if isinstance(ord, str):
        raise ShapeError(
            f"linalg.norm: order {ord!r} is one of matrices, which have two axes, not dim {dim} of "
            f"shape {tuple(input.shape)}"
        )
    if dim is None and input.ndim != 1:
        raise ShapeError(
            f"linalg.norm: an order needs one axis, or two, or a tensor that has them; got shape "
            f"{tuple(input.shape)} without dim"
        )
    return vector_norm(input, ord, dim, keepdim, dtype=dtype, out=out)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1, out: Tensor | None = None) -> Tensor:
    """Return the products of vectors along a dimension, Σ conj(xᵢ) yᵢ.

    Arguments:
        x: a tensor.
        y: another, broadcast with it.
        dim: the dimension of the vectors.
        out: a tensor that is written and returned.

    >>> import aino
    >>> aino.linalg.vecdot(aino.ones(2, 3), aino.ones(3))
    tensor([3., 3.])
    """
    return into(out, sum((conj(x) if x.dtype.kind == "c" else x) * y, dim), "vecdot")
