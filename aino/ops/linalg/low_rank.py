"""Singular values and vectors of large matrices of low rank, by random projections.

Source: Halko, Martinsson and Tropp, Finding structure with randomness (2009), algorithms 4.4, 5.1.
"""

from __future__ import annotations

from operator import index

from aino.autograd.rules import elementwise
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError
from aino.ops.linalg.decompositions import qr_of, svd_h
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.shared import adjoint, matrices_of
from aino.ops.random.sampling import randn
from aino.ops.reduce.reduction import mean

__all__ = ["pca_lowrank", "svd_lowrank"]


def _basis(A: Tensor, q: int, niter: int) -> Tensor:
    """Return columns that are orthonormal and nearly span those of A."""
    Q = qr_of(matmul(A, randn(A.shape[-1], q, dtype=A.dtype))).Q
    for _ in range(niter):
        Q = qr_of(matmul(adjoint(A), Q)).Q
        Q = qr_of(matmul(A, Q)).Q
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the largest singular values of a matrix and their vectors: ``A ≈ U diag(S) Vᴴ``.

    ``(U, S, V)`` of shapes ``(..., m, q)``, ``(..., q)``, ``(..., n, q)``. Random numbers are drawn
    from the default generator; where the rank of A is not above q, the result does not depend on
    them.

    Arguments:
        A: matrices ``(..., m, n)``.
        q: how many singular values, a few more than the rank of A; 6 for None.
        niter: how many times the basis is improved; more where singular values decay slowly.
        M: what is subtracted from A first, a tensor that can be broadcast to it.

    Raises ``ArgumentError`` for a negative q or niter.

    >>> import aino
    >>> U, S, V = aino.svd_lowrank(aino.ones(4, 3), q=2)
    >>> S[0]
    tensor(3.4641)
    """
    m, n = matrices_of("svd_lowrank", A).shape[-2:]
    q, niter = _counts("svd_lowrank", 6 if q is None else q, niter)
    if M is not None:
        A = elementwise.sub(A, M)
    A = adjoint(A) if m < n else A
    Q = _basis(A, q, niter)
    u, s, vh = svd_h(matmul(adjoint(Q), A), False)
    U, V = matmul(Q, u), adjoint(vh)
    return (V, s, U) if m < n else (U, s, V)


def _counts(name: str, q, niter) -> tuple[int, int]:
    q, niter = index(q), 2 if niter is None else index(niter)
    if q < 0 or niter < 0:
        raise ArgumentError(f"{name}: q and niter are not negative, got {q} and {niter}")
    return q, niter


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the principal components of the rows of a matrix: ``(U, S, V)``.

    The columns of V are the principal directions, ``S² / (m − 1)`` the variances along them, and
    ``matmul(A, V[:, :k])`` projects the rows to the first k.

    Arguments:
        A: samples in rows, ``(..., m, n)``.
        q: how many components, a few more than the rank of A; ``min(6, m, n)`` for None.
        center: whether the mean of the rows is subtracted first.
        niter: how many times the basis is improved.

    Raises ``ArgumentError`` for q above ``min(m, n)`` or a negative niter.

    >>> import aino
    >>> U, S, V = aino.pca_lowrank(aino.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]), q=1)
    >>> S
    tensor([2.])
    """
    m, n = matrices_of("pca_lowrank", A).shape[-2:]
    q, niter = _counts("pca_lowrank", min(6, m, n) if q is None else q, niter)
    if q > min(m, n):
        raise ArgumentError(
            f"pca_lowrank: {q} components are more than {m} rows of {n} numbers have (q={q})"
        )
    return svd_lowrank(A, q, niter, mean(A, -2, True) if center else None)
