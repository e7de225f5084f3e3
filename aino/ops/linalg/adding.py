"""Products of matrices and vectors, added to a tensor."""

from __future__ import annotations

from aino.autograd.primitive import cast
from aino.autograd.rules import elementwise, reduce
from aino.autograd.tensor import Tensor
from aino.dtypes import result_type
from aino.errors import DtypeError, ShapeError
from aino.ops.linalg.linear import bmm, mm, mv, outer
from aino.ops.public import method, takes_out

__all__ = ["addmm", "addmv", "addbmm", "baddbmm", "addr"]


def _added(name, input, product, beta, alpha):
    """Return beta · input + alpha · product; the input is broadcast to the product, or refused."""
    if input.dtype != product.dtype:
        raise DtypeError(
            f"{name}: the operands need the same dtype, got {input.dtype} and {product.dtype}"
        )
    if input.dtype.kind in "iub":
        whole = bool if input.dtype.kind == "b" else int
        beta, alpha = whole(beta), whole(alpha)
    own, full = input.shape, product.shape
    fits = len(own) <= len(full)
    for n, m in zip(reversed(own), reversed(full)):
        fits = fits and n in (1, m)
    if not fits:
        raise ShapeError(
            f"{name}: an input of shape {tuple(own)} can't be broadcast to the product's "
            f"{tuple(full)}"
        )
    if alpha != 1:
        product = elementwise.mul(product, alpha)
    if beta == 0:  # what is not read may be nan
        return product
    if beta != 1:
        input = elementwise.mul(input, beta)
    return elementwise.add(input, product)


@method(inplace=True)
@takes_out
def addmm(
    input: Tensor,
    mat1: Tensor,
    mat2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return beta · input + alpha · (mat1 @ mat2): ``(n, m), (n, k), (k, m) -> (n, m)``.

    Raises ``ShapeError`` where shapes do not fit, ``DtypeError`` where the dtypes differ.

    Arguments:
        input: what is added to, broadcast.
        mat1: the left matrix.
        mat2: the right one.
        beta: what ``input`` is multiplied by; with 0 it is not read.
        alpha: what the product is multiplied by.

    >>> import aino
    >>> aino.addmm(aino.ones(2), aino.eye(2), aino.eye(2), alpha=3)
    tensor([[4., 1.],
            [1., 4.]])
    """
    return _added("addmm", input, mm(mat1, mat2), beta, alpha)


@method(inplace=True)
@takes_out
def addmv(
    input: Tensor,
    mat: Tensor,
    vec: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return beta · input + alpha · (mat @ vec): ``(n,), (n, k), (k,) -> (n,)``.

    Raises ``ShapeError`` where shapes do not fit, ``DtypeError`` where the dtypes differ.

    Arguments:
        input: what is added to, broadcast.
        mat: the matrix.
        vec: the vector.
        beta: what ``input`` is multiplied by; with 0 it is not read.
        alpha: what the product is multiplied by.

    >>> import aino
    >>> aino.addmv(aino.ones(2), aino.eye(2), aino.tensor([1.0, 2.0]), alpha=3)
    tensor([4., 7.])
    """
    return _added("addmv", input, mv(mat, vec), beta, alpha)


@method(inplace=True)
@takes_out
def addr(
    input: Tensor,
    vec1: Tensor,
    vec2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return beta · input + alpha · vec1 ⊗ vec2: ``(n, m), (n,), (m,) -> (n, m)``.

    The dtypes promote; of booleans, ``or`` is the sum and ``and`` the product. Raises
    ``ShapeError`` where shapes do not fit, ``DtypeError`` for a fractional ``alpha`` of integers.

    Arguments:
        input: what is added to, broadcast.
        vec1: the vector of rows.
        vec2: the vector of columns.
        beta: what ``input`` is multiplied by; with 0 it is not read.
        alpha: what the product is multiplied by.

    >>> import aino
    >>> aino.addr(aino.zeros(2, 2), aino.tensor([1.0, 2.0]), aino.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    dtype = result_type(input, vec1, vec2)
    if dtype.kind in "biu" and isinstance(alpha, float | complex):
        raise DtypeError(f"addr: of integers alpha must be an integer too, not {alpha!r}")
    operands = [x if x.dtype == dtype else cast(x, dtype) for x in (input, vec1, vec2)]
    return _added("addr", operands[0], outer(operands[1], operands[2]), beta, alpha)


@method(inplace=True)
@takes_out
def baddbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return beta · input + alpha · (batch1 @ batch2), ``(b, n, k), (b, k, m) -> (b, n, m)``.

    Raises ``ShapeError`` where shapes do not fit, ``DtypeError`` where the dtypes differ.

    Arguments:
        input: what is added to, broadcast.
        batch1: the left matrices.
        batch2: the right ones.
        beta: what ``input`` is multiplied by; with 0 it is not read.
        alpha: what the product is multiplied by.

    >>> import aino
    >>> aino.baddbmm(aino.ones(2), aino.ones(1, 2, 3), aino.ones(1, 3, 2))
    tensor([[[4., 4.],
             [4., 4.]]])
    """
    return _added("baddbmm", input, bmm(batch1, batch2), beta, alpha)


@method(inplace=True)
@takes_out
def addbmm(
    input: Tensor,
    batch1: Tensor,
    batch2: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
    out: Tensor | None = None,
) -> Tensor:
    """Return beta · input + alpha · Σᵢ batch1ᵢ @ batch2ᵢ: ``(b, n, k), (b, k, m) -> (n, m)``.

    Raises ``ShapeError`` where shapes do not fit, ``DtypeError`` where the dtypes differ.

    Arguments:
        input: what is added to, broadcast.
        batch1: the left matrices.
        batch2: the right ones.
        beta: what ``input`` is multiplied by; with 0 it is not read.
        alpha: what the product is multiplied by.

    >>> import aino
    >>> aino.addbmm(aino.ones(2), aino.ones(2, 2, 3), aino.ones(2, 3, 2))
    tensor([[7., 7.],
            [7., 7.]])
    """
    total = reduce.sum(bmm(batch1, batch2), 0)
    return _added("addbmm", input, cast(total, batch1.dtype), beta, alpha)
