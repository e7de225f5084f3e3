"""Functions of whole matrices and of tensors that stand for them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import index

import numpy as np

from aino.autograd.rules import exponential, matrices, shape
from aino.autograd.tensor import Tensor, make
from aino.dtypes import float16
from aino.errors import DtypeError, ShapeError
from aino.ops.arguments import dims_of
from aino.ops.half import in_float32
from aino.ops.linalg.shared import same_dtype, square
from aino.ops.out import into
from aino.ops.pointwise import pow
from aino.ops.reduce.scanning import cumprod
from aino.ops.shape.joining import cat
from aino.ops.shape.shaping import diagonal as diagonal_of

__all__ = ["matrix_exp", "vander"]


def matrix_exp(input: Tensor) -> Tensor:
    """Return the exponential of square matrices: ``eᴬ = 1 + A + A² / 2! + ...``.

    Arguments:
        input: matrices ``(..., n, n)``; float16 is computed in float32.

    Raises ``ShapeError`` where they are not square.

    >>> import aino
    >>> aino.matrix_exp(aino.zeros(2, 2))
    tensor([[1., 0.],
            [0., 1.]])
    """
    if input.dtype == float16:
        return in_float32(matrix_exp, input)
    return exponential.matrix_exp(square("matrix_exp", input))


def powers(x: Tensor, N: int | None = None) -> Tensor:
    """Return the Vandermonde matrix of the powers ``1, x, x², ...``: ``(..., n) -> (..., n, N)``.

    Arguments:
        x: numbers ``(..., n)``; a 0-d tensor is one number.
        N: how many powers, ``n`` if None.

    Raises ``ShapeError`` for N below 2, ``DtypeError`` for booleans.

    >>> import aino
    >>> aino.linalg.vander(aino.tensor([2, 3]), 3)
    tensor([[1, 2, 4],
            [1, 3, 9]])
    """
    if x.dtype.kind == "b":
        raise DtypeError("vander: expected numbers, not booleans")
    x = x if x.ndim else shape.reshape(x, (1,))
    N = x.shape[-1] if N is None else index(N)
    if N <= 1:
        raise ShapeError(f"vander: N has to be greater than 1, got {N}")
    column = shape.reshape(x, (*x.shape, 1))
    factors = shape.expand(column, (*x.shape, N - 1))
    ones = make(np.ones(column.shape, x.dtype))
    return cumprod(cat([ones, factors], -1), -1)


def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Return the Vandermonde matrix of a vector, its powers from the highest to 1.

    Arguments:
        x: a vector of ``n`` numbers.
        N: how many powers, ``n`` if None.
        increasing: whether the powers ascend.

    Raises ``ShapeError`` for anything but a vector, and for a negative N.

    >>> import aino
    >>> aino.vander(aino.tensor([2, 3]), 3)
    tensor([[4, 2, 1],
            [9, 3, 1]])
    """
    if x.ndim != 1:
        raise ShapeError(f"vander: expected a vector, got shape {tuple(x.shape)}")
    N = x.shape[0] if N is None else index(N)
    if N < 0:
        raise ShapeError(f"vander: N is not negative, got {N}")
    exponents = np.arange(N) if increasing else np.arange(N - 1, -1, -1)
    return pow(shape.reshape(x, (*x.shape, 1)), make(exponents))


def diagonal(A: Tensor, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """Return the diagonals of matrices, as a view: ``(..., m, n) -> (..., k)``.

    Arguments:
        A: matrices, in two dimensions of a tensor.
        offset: how far above the main diagonal; below it, if negative.
        dim1, dim2: the dimensions of rows and of columns.

    Raises ``IndexError`` for dimensions that are not there.

    >>> import aino
    >>> aino.linalg.diagonal(aino.tensor([[1, 2], [3, 4]]))
    tensor([1, 4])
    """
    return diagonal_of(A, offset, dim1, dim2)


# Tensors that stand for matrices: several dimensions are one


def tensorinv(A: Tensor, ind: int = 2, *, out: Tensor | None = None) -> Tensor:
    """Return the inverse in the sense of ``tensordot``: ``tensordot(A⁻¹, A, ind)`` is the identity.

    Arguments:
        A: a tensor whose first ``ind`` dimensions have as many elements as the others.
        ind: how many dimensions the rows of the matrix are made of.
        out: a tensor that is written and returned.

    Returns a tensor of shape ``A.shape[ind:] + A.shape[:ind]``. Raises ``ShapeError`` where the
    numbers of elements differ, ``LinAlgError`` where there is no inverse.

    >>> import aino
    >>> aino.linalg.tensorinv(aino.eye(6).reshape(2, 3, 6)).shape
    aino.Size([6, 2, 3])
    """
    ind = index(ind)
    if ind <= 0:
        raise ShapeError(f"tensorinv: ind has to be positive, got {ind}")
    rows, columns = tuple(A.shape[:ind]), tuple(A.shape[ind:])
    if math.prod(rows) != math.prod(columns):
        raise ShapeError(
            f"tensorinv: the first {ind} dimensions of shape {tuple(A.shape)} have "
            f"{math.prod(rows)} elements, the others {math.prod(columns)}"
        )
    matrix = shape.reshape(A, (math.prod(rows), math.prod(columns)))
    inverse = matrices.inv(square("tensorinv", matrix))
    return into(out, shape.reshape(inverse, (*columns, *rows)), "tensorinv")


def tensorsolve(
    A: Tensor, B: Tensor, dims: Sequence[int] | None = None, *, out: Tensor | None = None
) -> Tensor:
    """Return X with ``tensordot(A, X, X.ndim) = B``.

    Arguments:
        A: a tensor ``(*B.shape, *X.shape)``, X having as many elements as B.
        B: the right side, of any shape.
        dims: dimensions of A that are moved to its end first, None for none.
        out: a tensor that is written and returned.

    Raises ``ShapeError`` where the numbers of elements differ, ``LinAlgError`` where there is no
    solution, or more than one.

    >>> import aino
    >>> A = aino.eye(6).reshape(2, 3, 6)
    >>> aino.linalg.tensorsolve(A, aino.ones(2, 3)).shape
    aino.Size([6])
    """
    same_dtype("tensorsolve", A, B)
    if dims is not None:
        moved = dims_of(dims, A.ndim)
        kept = [axis for axis in range(A.ndim) if axis not in moved]
        A = shape.permute(A, (*kept, *moved))
    count, result = math.prod(B.shape), tuple(A.shape[B.ndim :])
    if math.prod(A.shape) != count * count or math.prod(result) != count:
        raise ShapeError(
            f"tensorsolve: A of shape {tuple(A.shape)} is no square matrix beside B of shape "
            f"{tuple(B.shape)}, with {count} elements"
        )
    matrix = square("tensorsolve", shape.reshape(A, (count, count)))
    X = matrices.solve(matrix, shape.reshape(B, (count, 1)))
    return into(out, shape.reshape(X, result), "tensorsolve")
