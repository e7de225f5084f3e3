"""Products of Householder reflections ``1 − τ v vᴴ``, as ``geqrf`` returns them.

k of them are one matrix ``1 − V T Vᴴ``, of which ``T⁻¹`` is known without a loop.

Source: Joffrain, Low, Quintana-Ortí, van de Geijn and Van Zee, Accumulating Householder
transformations, revisited (2006).
"""

from __future__ import annotations

import numpy as np

from aino.autograd.rules import elementwise, shape
from aino.autograd.rules.complex import conj
from aino.autograd.rules.index import getitem
from aino.autograd.rules.triangular import solve_triangular
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.ops.arguments import other_names
from aino.ops.linalg.linear import matmul
from aino.ops.linalg.shared import adjoint, matrices_of, same_dtype
from aino.ops.out import into
from aino.ops.public import takes_out

__all__ = ["orgqr", "ormqr"]


def _reflections(name: str, A: Tensor, tau: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return V, the unit triangle ``1 + diag(τ) Vᴴ V`` above its diagonal, and τ as a column."""
    same_dtype(name, matrices_of(name, A), tau)
    rows, columns = A.shape[-2:]
    count = tau.shape[-1] if tau.ndim else -1
    if not 0 <= count <= min(rows, columns) or A.shape[:-2] != tau.shape[:-1]:
        raise ShapeError(
            f"{name}: expected vectors (..., m, n) and k factors (..., k), k at most m and n; got "
            f"shapes {tuple(A.shape)} and {tuple(tau.shape)}"
        )
    unit = make(np.eye(rows, count, dtype=A.dtype))
    V = elementwise.add(shape.tril(getitem(A, (..., slice(0, count))), -1), unit)
    scale = shape.reshape(tau, (*tau.shape, 1))
    return V, elementwise.mul(scale, matmul(adjoint(V), V)), scale


def _applied(V: Tensor, triangle: Tensor, scale: Tensor, C: Tensor, turned: bool) -> Tensor:
    """Return ``Q C``, or ``Qᴴ C``."""
    inner = matmul(adjoint(V), C)
    if turned:
        inner = solve_triangular(adjoint(triangle), inner, False, True)
        inner = elementwise.mul(conj(scale) if scale.dtype.kind == "c" else scale, inner)
    else:
        inner = solve_triangular(triangle, elementwise.mul(scale, inner), True, True)
    return elementwise.sub(C, matmul(V, inner))


def householder_product(A: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the first columns of a product of reflections ``1 − τᵢ vᵢ vᵢᴴ``.

    Arguments:
        A: matrices ``(..., m, n)`` with ``m >= n``; below its diagonal stand the vectors, without
            the 1 that each has on it.
        tau: the factors, ``(..., k)`` with ``k <= n``.
        out: a tensor ``(..., m, n)`` that is written and returned.

    Raises ``ShapeError`` where the shapes do not fit together.

    >>> import aino
    >>> Q = aino.linalg.householder_product(*aino.geqrf(aino.tensor([[3.0], [4.0]])))
    >>> Q.abs()
    tensor([[0.6000],
            [0.8000]])
    """
    V, triangle, scale = _reflections("householder_product", A, tau)
    if A.shape[-2] < A.shape[-1]:
        raise ShapeError(
            f"householder_product: Q has {A.shape[-2]} columns, fewer than the {A.shape[-1]} that "
            f"A of shape {tuple(A.shape)} asks for"
        )
    unit = make(np.eye(*A.shape[-2:], dtype=A.dtype))
    return into(out, _applied(V, triangle, scale, unit, False), "householder_product")


@other_names(input2="tau")
@takes_out
def orgqr(input: Tensor, tau: Tensor, *, out: Tensor | None = None) -> Tensor:
    """Return the first columns of a product of reflections, as ``linalg.householder_product`` does.

    Arguments:
        input: matrices ``(..., m, n)`` with the vectors below their diagonals.
        tau: the factors, ``(..., k)``.

    >>> import aino
    >>> aino.orgqr(*aino.geqrf(aino.tensor([[3.0], [4.0]]))).shape
    aino.Size([2, 1])
    """
    return householder_product(input, tau)


@other_names(input2="tau", input3="other")
def ormqr(
    input: Tensor,
    tau: Tensor,
    other: Tensor,
    left: bool = True,
    transpose: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """Return the product of a matrix with all of Q, ``(m, m)``, which its reflections tell.

    Arguments:
        input: matrices ``(..., m, n)`` with the vectors below their diagonals, as of ``geqrf``.
        tau: the factors, ``(..., k)``.
        other: matrices ``(..., m, p)``, or ``(..., p, m)`` on the left of Q.
        left: whether Q stands on the left of ``other``.
        transpose: whether Qᴴ stands for Q.
        out: a tensor that is written and returned.

    Raises ``ShapeError`` where the shapes do not fit together.

    >>> import aino
    >>> a, tau = aino.geqrf(aino.tensor([[3.0], [4.0]]))
    >>> aino.ormqr(a, tau, aino.tensor([[3.0], [4.0]]), transpose=True).abs()
    tensor([[5.],
            [0.]])
    """
    V, triangle, scale = _reflections("ormqr", input, tau)
    same_dtype("ormqr", input, other)
    if (
        other.ndim != input.ndim
        or other.shape[:-2] != input.shape[:-2]
        or other.shape[-2 if left else -1] != input.shape[-2]
    ):
        raise ShapeError(
            f"ormqr: Q has {input.shape[-2]} rows and columns, for input of shape "
            f"{tuple(input.shape)}; other of shape {tuple(other.shape)} does not fit it"
        )
    if left:
        found = _applied(V, triangle, scale, other, bool(transpose))
    else:
        found = adjoint(_applied(V, triangle, scale, adjoint(other), not transpose))
    return into(out, found, "ormqr")
