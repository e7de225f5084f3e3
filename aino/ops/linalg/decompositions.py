"""Eigenvalues, singular values, and orthogonal factors, with the vectors that belong to them.

Every function takes a matrix or a stack of them, ``(..., m, n)``, of float32, float64, complex64
or complex128.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules import decompositions as rules
from aino.autograd.rules import join
from aino.autograd.rules.index import getitem
from aino.autograd.rules.matrices import singular_values
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError
from aino.ops.linalg import return_types
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.shared import adjoint, matrices_of, square
from aino.ops.out import all_into, into

__all__ = ["svd", "qr", "geqrf"]


def _triangle(name: str, UPLO: str) -> str:
    if UPLO not in ("L", "U", "l", "u"):
        raise ArgumentError(f"{name}: UPLO is 'L' or 'U', not {UPLO!r}")
    return UPLO.upper()


def eigh(A: Tensor, UPLO: str = "L", *, out: Sequence[Tensor] | None = None) -> Any:
    """Return the eigenvalues and eigenvectors of a Hermitian matrix: ``A = V diag(λ) Vᴴ``.

    The eigenvalues are real, in ascending order; the eigenvectors are the columns of V. They are
    determined up to their sign, or a factor ``exp(iφ)``, and have no derivative where two
    eigenvalues are the same.

    Arguments:
        A: Hermitian or symmetric matrices ``(..., n, n)``.
        UPLO: which triangle of A is read, ``"L"`` the lower or ``"U"`` the upper one.
        out: two tensors that are written and returned, ``(..., n)`` and ``(..., n, n)``.

    Raises ``LinAlgError`` where the algorithm does not converge; the gradient raises
    ``GradientError`` where it does not exist.

    >>> import aino
    >>> aino.linalg.eigh(aino.tensor([[2.0, 0.0], [0.0, 1.0]])).eigenvalues
    tensor([1., 2.])
    """
    found = rules.eigh(square("eigh", A), _triangle("eigh", UPLO))
    return all_into(out, return_types.linalg_eigh(*found), "eigh")


def eigvalsh(A: Tensor, UPLO: str = "L", *, out: Tensor | None = None) -> Tensor:
    """Return the eigenvalues of a Hermitian matrix, real and in ascending order.

    Arguments:
        A: Hermitian or symmetric matrices ``(..., n, n)``.
        UPLO: which triangle of A is read, ``"L"`` the lower or ``"U"`` the upper one.
        out: a real tensor ``(..., n)`` that is written and returned.

    Raises ``LinAlgError`` where the algorithm does not converge.

    >>> import aino
    >>> aino.linalg.eigvalsh(aino.tensor([[2.0, 0.0], [0.0, 1.0]]))
    tensor([1., 2.])
    """
    found = rules.eigvalsh(square("eigvalsh", A), _triangle("eigvalsh", UPLO))
    return into(out, found, "eigvalsh")


def eig(A: Tensor, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return the eigenvalues and eigenvectors of a square matrix: ``A V = V diag(λ)``.

    Both are complex, also for a real matrix. The eigenvectors are columns of length 1, determined
    up to a factor ``exp(iφ)``; they have no derivative where two eigenvalues are the same.

    Arguments:
        A: square matrices ``(..., n, n)``.
        out: two complex tensors that are written and returned, ``(..., n)`` and ``(..., n, n)``.

    Raises ``LinAlgError`` where the algorithm does not converge; the gradient raises
    ``GradientError`` where it does not exist.

    >>> import aino
    >>> aino.linalg.eig(aino.tensor([[0.0, 1.0], [-1.0, 0.0]])).eigenvalues
    tensor([0.+1.j, 0.-1.j])
    """
    found = rules.eig(square("eig", A))
    return all_into(out, return_types.linalg_eig(*found), "eig")


def eigvals(A: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the eigenvalues of a square matrix, complex and in no order.

    Arguments:
        A: square matrices ``(..., n, n)``.
        out: a complex tensor ``(..., n)`` that is written and returned.

    Raises ``LinAlgError`` where the algorithm does not converge.

    >>> import aino
    >>> aino.linalg.eigvals(aino.tensor([[0.0, 1.0], [-1.0, 0.0]]))
    tensor([0.+1.j, 0.-1.j])
    """
    return into(out, rules.eigvals(square("eigvals", A)), "eigvals")


def _no_driver(name: str, driver) -> None:
    if driver is not None:
        raise ArgumentError(
            f"{name}: driver= chooses among algorithms of CUDA, and the CPU has one: leave it "
            f"None, not {driver!r}"
        )


def svd_h(
    A: Tensor,
    full_matrices: bool = True,
    *,
    driver: str | None = None,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return the singular value decomposition: ``A = U diag(S) Vᴴ``, as ``(U, S, Vh)``.

    The singular values are real, in descending order. The singular vectors are determined up to
    their sign, or a factor ``exp(iφ)``, and have no derivative where two singular values are the
    same.

    Arguments:
        A: matrices ``(..., m, n)``.
        full_matrices: whether U is ``(..., m, m)`` and Vh ``(..., n, n)``, completed by vectors
            that belong to no singular value and have no derivative; else they have
            ``k = min(m, n)`` columns and rows.
        driver: None; PyTorch's drivers are CUDA's.
        out: three tensors that are written and returned.

    Raises ``LinAlgError`` where the algorithm does not converge; the gradient raises
    ``GradientError`` where it does not exist.

    >>> import aino
    >>> aino.linalg.svd(aino.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    _no_driver("svd", driver)
    matrices_of("svd", A)
    full = bool(full_matrices) and A.shape[-1] != A.shape[-2]
    return all_into(out, return_types.linalg_svd(*rules.svd(A, full)), "svd")


def svdvals(A: Tensor, *, driver: str | None = None, out: Tensor | None = None) -> Tensor:
    """Return the singular values, real and in descending order: ``(..., m, n) -> (..., k)``.

    Arguments:
        A: matrices ``(..., m, n)``.
        driver: None; PyTorch's drivers are CUDA's.
        out: a real tensor that is written and returned.

    Raises ``LinAlgError`` where the algorithm does not converge.

    >>> import aino
    >>> aino.linalg.svdvals(aino.tensor([[3.0, 0.0], [0.0, 4.0]]))
    tensor([4., 3.])
    """
    _no_driver("svdvals", driver)
    return into(out, singular_values(matrices_of("svdvals", A)), "svdvals")


def svd(
    input: Tensor,
    some: bool = True,
    compute_uv: bool = True,
    *,
    out: Sequence[Tensor] | None = None,
) -> Any:
    """Return the singular value decomposition ``input = U diag(S) Vᴴ``, as ``(U, S, V)``.

    ``linalg.svd`` is the newer name; it returns Vᴴ.

    Arguments:
        input: matrices ``(..., m, n)``.
        some: whether U and V have ``k = min(m, n)`` columns; else they are square.
        compute_uv: whether U and V are wanted; else they are full of zeros.
        out: three tensors that are written and returned.

    >>> import aino
    >>> aino.svd(aino.tensor([[3.0, 0.0], [0.0, 4.0]])).S
    tensor([4., 3.])
    """
    if compute_uv:
        u, s, vh = svd_h(input, not some)
        found = return_types.svd(u, s, adjoint(vh))
    else:
        s = singular_values(matrices_of("svd", input))
        *batch, m, n = input.shape
        found = return_types.svd(
            make(np.zeros((*batch, m, m), input.dtype)), s,
            make(np.zeros((*batch, n, n), input.dtype)),
        )  # fmt: skip
    return all_into(out, found, "svd")


def qr_of(A: Tensor, mode: str = "reduced", *, out: Sequence[Tensor] | None = None) -> Any:
    """Return an orthogonal and an upper triangular factor: ``A = Q R`` with ``Qᴴ Q = 1``.

    Arguments:
        A: matrices ``(..., m, n)``.
        mode: ``"reduced"``: Q is ``(..., m, k)`` and R ``(..., k, n)`` with ``k = min(m, n)``;
            ``"complete"``: Q is ``(..., m, m)``, R ``(..., m, n)``; ``"r"``: R of the reduced
            form, and Q without elements.
        out: two tensors that are written and returned.

    The gradient exists where the first k columns are linearly independent, and not for the Q of
    ``"complete"`` with more rows than columns: there it raises ``GradientError``.

    >>> import aino
    >>> aino.linalg.qr(aino.tensor([[3.0, 1.0], [4.0, 2.0]])).R.abs()
    tensor([[5.0000, 2.2000],
            [0.0000, 0.4000]])
    """
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    rows, columns = matrices_of("qr", A).shape[-2:]
    if mode == "complete" and rows > columns:
        found = rules.qr_complete(A)
    elif rows >= columns:
        found = rules.qr(A)
    else:  # Q is that of the first columns, and tells the others their coordinates.
        q, r = rules.qr(getitem(A, (..., slice(0, rows))))
        rest = matmul(adjoint(q), getitem(A, (..., slice(rows, None))))
        found = q, join.cat([r, rest], r.ndim - 1)
    if mode == "r":
        found = make(np.zeros(0, A.dtype)), found[1]
    return all_into(out, return_types.linalg_qr(*found), "qr")


def qr(input: Tensor, some: bool = True, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return an orthogonal and an upper triangular factor, as ``linalg.qr`` does.

    Arguments:
        input: matrices ``(..., m, n)``.
        some: whether the factors are reduced; else they are complete.
        out: two tensors that are written and returned.

    >>> import aino
    >>> aino.qr(aino.tensor([[3.0], [4.0]])).R.abs()
    tensor([[5.]])
    """
    found = qr_of(input, "reduced" if some else "complete")
    return all_into(out, return_types.qr(*found), "qr")


def geqrf(input: Tensor, *, out: Sequence[Tensor] | None = None) -> Any:
    """Return R and the Householder reflections that make up Q, as LAPACK does: ``(a, tau)``.

    R is the upper triangle of ``a``; below it stand the vectors of the reflections, without their
    first element 1. ``linalg.householder_product(a, tau)`` is Q. It has no derivative.

    Arguments:
        input: matrices ``(..., m, n)``.
        out: two tensors that are written and returned, ``(..., m, n)`` and ``(..., k)``.

    The gradient raises ``GradientError``: ``linalg.qr`` has one.

    >>> import aino
    >>> aino.geqrf(aino.tensor([[3.0], [4.0]])).a.shape
    aino.Size([2, 1])
    """
    found = rules.geqrf(matrices_of("geqrf", input))
    return all_into(out, return_types.geqrf(*found), "geqrf")
