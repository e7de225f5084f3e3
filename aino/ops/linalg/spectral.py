"""Norms made of singular values."""

from __future__ import annotations

import numpy as np

from aino.autograd.rules import matrices, reduce
from aino.autograd.rules.shape import permute
from aino.errors import DtypeError, ShapeError
from aino.ops.arguments import dims_of

__all__: list[str] = []


def spectral_norm(name, A, ord, dim, keepdim):
    """Return the largest singular value (``ord`` 2), the smallest (-2) or their sum ("nuc")."""
    if A.dtype not in (np.float32, np.float64, np.complex64, np.complex128):
        raise DtypeError(f"{name}: order {ord!r} needs float32, float64 or complex, not {A.dtype}")
    axes = dims_of(range(A.ndim) if dim is None else dim, A.ndim)
    if len(axes) != 2:
        raise ShapeError(
            f"{name}: order {ord!r} is a norm of matrices, which have two axes, not {dim} of "
            f"shape {tuple(A.shape)}"
        )
    others = tuple([axis for axis in range(A.ndim) if axis not in axes])
    values = matrices.singular_values(permute(A, (*others, *axes)))
    if ord == "nuc" or (ord == 2 and not values.shape[-1]):
        result = reduce.sum(values, len(others))
    elif not values.shape[-1]:
        raise ShapeError(f"{name}: an empty matrix, of shape {tuple(A.shape)}, has no order -2")
    else:
        result = (reduce.amax if ord == 2 else reduce.amin)(values, len(others))
    if not keepdim:
        return result
    return result.reshape(tuple([1 if i in axes else n for i, n in enumerate(A.shape)]))
