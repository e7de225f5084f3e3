"""The array standard's extension for linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino import linalg
from aino.array_api.given import checked, summed, together, xp
from aino.array_api.linear import matmul, matrix_transpose, tensordot, vecdot
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh", "inv", "matmul",
    "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose", "outer", "pinv", "qr",
    "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """Return the triangular L with L Lᴴ = x.

    Arguments:
        x: Hermitian positive-definite matrices.
        upper: return the upper triangular U with Uᴴ U = x.
    """
    return linalg.cholesky(checked("cholesky", x), upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Return the cross product of vectors of length 3.

    Arguments:
        x1, x2: tensors that broadcast.
        axis: where the vectors lie.
    """
    checked("cross", x1, "x1"), checked("cross", x2, "x2")
    return linalg.cross(*together("cross", x1, x2), dim=axis)


def det(x: Tensor, /) -> Tensor:
    """Return the determinants of matrices."""
    return linalg.det(checked("det", x))


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """Return the diagonals of matrices.

    Arguments:
        x: matrices.
        offset: which: above the main one for > 0, below it for < 0.
    """
    return checked("diagonal", x).diagonal(offset, -2, -1)


def eig(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues and eigenvectors of square matrices, complex, by these names."""
    return linalg.eig(checked("eig", x))


def eigh(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues, in ascending order, and eigenvectors of Hermitian matrices."""
    return linalg.eigh(checked("eigh", x))


def eigvals(x: Tensor, /) -> Tensor:
    """Return the eigenvalues of square matrices, which are complex."""
    return linalg.eigvals(checked("eigvals", x))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Return the eigenvalues of Hermitian matrices, in ascending order."""
    return linalg.eigvalsh(checked("eigvalsh", x))


def inv(x: Tensor, /) -> Tensor:
    """Return the inverses of square matrices."""
    return linalg.inv(checked("inv", x))


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return the norms of matrices.

    Arguments:
        x: matrices.
        keepdims: keep their axes, with length 1.
        ord: which norm: 'fro', 'nuc', 1, 2, inf, -1, -2 or -inf.
    """
    x = checked("matrix_norm", x)
    return linalg.matrix_norm(x, "fro" if ord is None else ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Return the n-th powers of square matrices.

    Arguments:
        x: matrices.
        n: the exponent; a negative one inverts them.
    """
    return linalg.matrix_power(checked("matrix_power", x), n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """Return the ranks of matrices.

    Arguments:
        x: matrices.
        rtol: singular values below this part of the largest count as 0.
    """
    return linalg.matrix_rank(checked("matrix_rank", x), rtol=rtol)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Return the products of each element of a vector with each of another.

    Arguments:
        x1, x2: vectors.
    """
    checked("outer", x1, "x1"), checked("outer", x2, "x2")
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(f"outer: expected vectors, got shapes {x1.shape} and {x2.shape}")
    return xp.outer(*together("outer", x1, x2))


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """Return the Moore-Penrose inverses of matrices.

    Arguments:
        x: matrices.
        rtol: singular values below this part of the largest count as 0.
    """
    return linalg.pinv(checked("pinv", x), rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """Return matrices as products of an orthonormal and an upper triangular one.

    Arguments:
        x: matrices.
        mode: 'reduced', or 'complete' for a square orthonormal matrix.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode is 'reduced' or 'complete', not {mode!r}")
    return linalg.qr(checked("qr", x), mode)


def slogdet(x: Tensor, /) -> tuple[Tensor, Tensor]:
    """Return sign and logarithm of the determinants of matrices."""
    return linalg.slogdet(checked("slogdet", x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Return the x with x1 x = x2.

    Arguments:
        x1: square matrices.
        x2: a vector, or matrices.
    """
    checked("solve", x1, "x1"), checked("solve", x2, "x2")
    first, second = together("solve", x1, x2)
    if second.ndim == 1:
        return linalg.solve(first, second[:, None])[..., 0]
    # As many dimensions as x1: else a batch of vectors could be meant.
    batch = np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    return linalg.solve(
        first.expand(*batch, *first.shape[-2:]), second.expand(*batch, *second.shape[-2:])
    )


def svd(x: Tensor, /, *, full_matrices: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """Return the singular value decompositions of matrices, x = U diag(S) Vh.

    Arguments:
        x: matrices.
        full_matrices: square U and Vh.
    """
    return linalg.svd(checked("svd", x), full_matrices)


def svdvals(x: Tensor, /) -> Tensor:
    """Return the singular values of matrices, the largest first."""
    return linalg.svdvals(checked("svdvals", x))


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Return the sums along the diagonals of matrices.

    Arguments:
        x: matrices.
        offset: which: above the main one for > 0, below it for < 0.
        dtype: the dtype to sum in; for None 64 bits for integers, else that of ``x``.
    """
    x = checked("trace", x).diagonal(offset, -2, -1)
    return xp.sum(x, axis=-1, dtype=summed(dtype, x))


def vector_norm(x: Tensor, /, *, axis: Any = None, keepdims: bool = False,
                ord: float = 2) -> Tensor:  # fmt: skip
    """Return the norms of vectors.

    Arguments:
        x: a tensor.
        axis: where the vectors lie, an axis or several; None is all of them.
        keepdims: keep these axes, with length 1.
        ord: which norm: a number, inf or -inf.
    """
    return linalg.vector_norm(checked("vector_norm", x), ord, axis, keepdims)


def __dir__() -> list[str]:
    return __all__
