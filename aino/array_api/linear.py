"""Products of matrices and vectors, in the words of the array standard."""

from __future__ import annotations

from typing import Any

from aino.array_api.given import checked, together, xp
from aino.autograd.tensor import Tensor
from aino.errors import ShapeError

__all__ = ["matmul", "matrix_transpose", "tensordot", "vecdot"]


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """Return the product of matrices.

    Arguments:
        x1, x2: matrices, batches of them, or vectors.
    """
    checked("matmul", x1, "x1"), checked("matmul", x2, "x2")
    return xp.matmul(*together("matmul", x1, x2))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """Return matrices with rows and columns exchanged."""
    x = checked("matrix_transpose", x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose: expected matrices, got shape {tuple(x.shape)}")
    return x.mT


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """Return the sum of products over axes.

    Arguments:
        x1, x2: tensors.
        axes: how many, the last of ``x1`` and the first of ``x2``; or which, a sequence for each.
    """
    checked("tensordot", x1, "x1"), checked("tensordot", x2, "x2")
    return xp.tensordot(*together("tensordot", x1, x2), axes=axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Return Σ conj(x1) · x2 over an axis.

    Arguments:
        x1, x2: tensors that broadcast, but for the axis, which is equally long in both.
        axis: the axis, counted from the last, such as -1.
    """
    checked("vecdot", x1, "x1"), checked("vecdot", x2, "x2")
    return xp.vecdot(*together("vecdot", x1, x2), axis=axis)
