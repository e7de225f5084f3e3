"""Ranks and condition numbers, inverses of any matrix, and systems without one solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import unmoved
from aino.autograd.rules import decompositions, elementwise, shape
from aino.autograd.rules import least_squares as rules
from aino.autograd.rules.compare import where
from aino.autograd.rules.index import getitem
from aino.autograd.rules.matrices import LinAlgError, inverse_or_inf, singular_values
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.ops.arguments import wrapped
from aino.ops.linalg import return_types
from aino.ops.linalg.shared import is_vector, matrices_of, real_of, same_dtype, square
from aino.ops.out import into
from aino.ops.reduce.norms import matrix_norm, vecdot
from aino.tracing import checked

__all__ = ["pinverse"]


def _tolerances(name: str, A: Tensor, atol, rtol) -> tuple[Any, Any]:
    """Return what is small, absolutely and beside the largest, as arrays for each matrix.

    Without ``rtol`` it is max(m, n) · eps, but 0 beside an ``atol`` that is above 0.
    """
    dtype = real_of(A.dtype)
    found: list[Any] = []
    for value in (atol, rtol):
        value = value.array if isinstance(value, Tensor) else value
        if getattr(value, "dtype", np.dtype(float)).kind == "c" or isinstance(value, complex):
            raise DtypeError(f"{name}: tolerances are real numbers, not complex ones")
        if value is not None and not hasattr(value, "astype"):
            value = np.asarray(value)
        found.append(None if value is None else value.astype(dtype))
    absolute, relative = found
    if relative is None:
        usual = np.asarray(max(A.shape[-2:]) * np.finfo(dtype).eps, dtype)
        if absolute is None:
            relative = usual
        else:
            relative = np.where(absolute > 0, np.zeros_like(usual), usual)
    if absolute is None:
        absolute = np.zeros((), dtype)
    return absolute, relative


def pinv(
    A: Tensor,
    rcond: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return the pseudoinverse A⁺ of Moore and Penrose: ``(..., m, n) -> (..., n, m)``.

    Singular values up to ``max(atol, rtol · σ₁)`` count as zero. The gradient holds as long as the
    rank does not change.

    Arguments:
        A: matrices ``(..., m, n)``.
        rcond: NumPy's name of ``rtol``.
        hermitian: whether A is Hermitian, which makes it faster; the lower triangle is read.
        atol: the absolute tolerance, a number or a tensor ``(...)``; 0 for None.
        rtol: the relative tolerance; None for ``max(m, n)`` times the precision of the dtype, or
            0 where ``atol`` is given.
        out: a tensor that is written and returned.

    Raises ``LinAlgError`` where the singular values can't be found.

    >>> import aino
    >>> aino.linalg.pinv(aino.tensor([[2.0, 0.0], [0.0, 0.0]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    (square if hermitian else matrices_of)("pinv", A)
    atol, rtol = _tolerances("pinv", A, atol, rcond if rtol is None else rtol)
    return into(out, rules.pinv(A, atol, rtol, bool(hermitian)), "pinv")


def pinverse(input: Tensor, rcond: float = 1e-15) -> Tensor:
    """Return the pseudoinverse, as ``linalg.pinv`` does.

    Arguments:
        input: matrices ``(..., m, n)``.
        rcond: how small a singular value counts as zero, beside the largest.

    >>> import aino
    >>> aino.pinverse(aino.tensor([[2.0], [0.0]]))
    tensor([[0.5000, 0.0000]])
    """
    return pinv(input, rcond)


def matrix_rank(
    A: Tensor,
    tol: Any = None,
    hermitian: bool = False,
    *,
    atol: Any = None,
    rtol: Any = None,
    out: Tensor | None = None,
) -> Tensor:
    """Return how many singular values are above ``max(atol, rtol · σ₁)``: ``(..., m, n) -> (...)``.

    Arguments:
        A: matrices ``(..., m, n)``.
        tol: NumPy's name of ``atol``, with ``rtol=0``.
        hermitian: whether A is Hermitian, which makes it faster; the lower triangle is read.
        atol: the absolute tolerance, a number or a tensor ``(...)``; 0 for None.
        rtol: the relative tolerance; None for ``max(m, n)`` times the precision of the dtype, or
            0 where ``atol`` is given.
        out: an int64 tensor that is written and returned.

    Raises ``LinAlgError`` where the singular values can't be found.

    >>> import aino
    >>> aino.linalg.matrix_rank(aino.tensor([[1.0, 2.0], [2.0, 4.0]]))
    tensor(1)
    """
    (square if hermitian else matrices_of)("matrix_rank", A)
    if tol is not None:
        atol, rtol = tol, 0.0
    atol, rtol = _tolerances("matrix_rank", A, atol, rtol)
    if hermitian:
        values = np.abs(decompositions.eigvalsh(A.array, "L"))
    else:
        values = singular_values(A.array)
    largest = np.maximum.reduce(values, axis=-1, initial=0.0)
    above = values > np.maximum(atol, rtol * largest)[..., None]
    rank = np.add.reduce(above, axis=-1, dtype=np.int64)
    return into(out, wrapped(rank), "matrix_rank")


def cond(A: Tensor, p: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Return the condition number, ``‖A‖ₚ ‖A⁻¹‖ₚ``; infinite where A is singular.

    Arguments:
        A: matrices ``(..., m, n)``; square ones unless p is None, 2 or −2.
        p: the norm: None or 2: the largest singular value beside the smallest; −2: the smallest
            beside the largest; else ``"fro"``, ``"nuc"``, 1, −1, ∞ or −∞, as for
            ``linalg.matrix_norm``.
        out: a real tensor ``(...)`` that is written and returned.

    Raises ``ArgumentError`` for another p.

    >>> import aino
    >>> aino.linalg.cond(aino.tensor([[2.0, 0.0], [0.0, 4.0]]))
    tensor(2.)
    """
    if p not in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"):
        raise ArgumentError(f"cond: p is None, 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, not {p!r}")
    singular = p in (None, 2, -2)
    (matrices_of if singular else square)("cond", A)
    if not A.array.size:
        found = unmoved(make(np.zeros(A.shape[:-2], real_of(A.dtype))), A)
    elif singular:
        values = singular_values(A)
        first, last = getitem(values, (..., 0)), getitem(values, (..., -1))
        found = elementwise.div(last, first) if p == -2 else elementwise.div(first, last)
    else:
        inverse = inverse_or_inf(A)
        product = elementwise.mul(matrix_norm(A, p), matrix_norm(inverse, p))
        found = where(make(np.isinf(inverse.array[..., 0, 0])), np.inf, product)
    return into(out, found, "cond")


def _full(rank, full) -> None:
    if rank.size and rank.min() < full:
        raise LinAlgError(
            f"lstsq: driver 'gels' needs full rank, and a matrix has rank {rank.min()}, not "
            f"{full}; the other drivers take any rank"
        )


def lstsq(A: Tensor, B: Tensor, rcond: float | None = None, *, driver: str | None = None) -> Any:
    """Return X with ``‖A X − B‖`` least, the shortest where there are several.

    ``(solution, residuals, rank, singular_values)``. The gradient holds as long as the rank does
    not change. Leading dimensions are broadcast.

    Arguments:
        A: matrices ``(..., m, n)``.
        B: matrices ``(..., m, k)``, or vectors ``(..., m)``.
        rcond: how small a singular value counts as zero, beside the largest; None for
            ``max(m, n)`` times the precision of the dtype.
        driver: what is returned beside the solution. ``"gelsy"`` (None): the rank. ``"gelsd"``
            and ``"gelss"``: the rank, the singular values, and where A has more rows than columns
            and full rank, the residuals ``Σ |A X − B|²`` of each column. ``"gels"``: the
            residuals; A has to have full rank, and ``rcond`` counts for nothing. What is not
            returned is an empty tensor.

    Raises ``ShapeError`` where A and B do not fit together, ``ArgumentError`` for another driver,
    ``LinAlgError`` where ``"gels"`` meets a matrix without full rank.

    >>> import aino
    >>> A = aino.tensor([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]])
    >>> aino.linalg.lstsq(A, aino.tensor([1.0, 3.0, 5.0])).solution
    tensor([1.0000, 2.0000])
    """
    if driver not in (None, "gels", "gelsy", "gelsd", "gelss"):
        raise ArgumentError(f"lstsq: driver is 'gels', 'gelsy', 'gelsd' or 'gelss', not {driver!r}")
    matrices_of("lstsq", A)
    same_dtype("lstsq", A, B)
    vector = is_vector(A, B)
    if not B.ndim or not 0 <= A.ndim - B.ndim <= 1 or B.shape[-1 if vector else -2] != A.shape[-2]:
        raise ShapeError(
            f"lstsq: A of shape {tuple(A.shape)} does not fit B of shape {tuple(B.shape)}"
        )
    if vector:
        B = shape.reshape(B, (*B.shape, 1))
    dtype = real_of(A.dtype)
    relative = rcond
    if rcond is None or driver == "gels":
        relative = max(A.shape[-2:]) * np.finfo(dtype).eps
    X, rank, values = rules.least_squares(A, B, np.zeros((), dtype), np.asarray(relative, dtype))
    rows, columns = A.shape[-2:]
    if driver == "gels":
        checked(_full, rank.array, min(rows, columns))
    residuals = make(np.zeros(0, dtype))
    tall = rows > columns and driver not in (None, "gelsy")
    if tall and (driver == "gels" or bool((rank.array == columns).all())):
        rest = elementwise.sub(A @ X, B)
        residuals = vecdot(rest, rest, dim=-2)
        residuals = residuals.real if residuals.dtype.kind == "c" else residuals
    if driver == "gels":
        rank = make(np.zeros(0, np.int64))
    if driver not in ("gelsd", "gelss"):
        values = make(np.zeros(0, dtype))
    if vector:
        X = shape.reshape(X, tuple(X.shape[:-1]))
    return return_types.linalg_lstsq(X, residuals, rank, values)
