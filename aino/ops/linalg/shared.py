"""What functions of matrices share: questions to their arguments, xᴴ."""

from __future__ import annotations

import numpy as np

from aino.autograd.rules import shape
from aino.autograd.rules.complex import conj
from aino.autograd.rules.matrices import LinAlgError
from aino.autograd.tensor import Tensor
from aino.errors import DtypeError, ShapeError

_DTYPES = (np.float32, np.float64, np.complex64, np.complex128)


def matrices_of(name: str, x: Tensor) -> Tensor:
    """Return ``x`` if it is made of matrices of a dtype that can be divided in.

    Raises ``ShapeError`` for fewer than two dimensions, ``DtypeError`` for integers and float16.
    """
    if x.ndim < 2:
        raise ShapeError(f"{name}: expected matrices, (..., m, n), got shape {tuple(x.shape)}")
    if x.dtype not in _DTYPES:
        raise DtypeError(
            f"{name}: expected float32, float64, complex64 or complex128, not {x.dtype}"
        )
    return x


def square(name: str, x: Tensor) -> Tensor:
    """Return ``x`` if it is made of square matrices of a dtype that can be divided in."""
    matrices_of(name, x)
    if x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name}: expected square matrices, got shape {tuple(x.shape)}")
    return x


def same_dtype(name: str, *tensors: Tensor) -> None:
    """Raise ``DtypeError`` unless the tensors have one dtype."""
    dtypes = [x.dtype for x in tensors]
    if any([dtype != dtypes[0] for dtype in dtypes]):
        listed = " and ".join(map(str, dtypes))
        raise DtypeError(f"{name}: the operands need the same dtype, got {listed}")


def nonsingular(info, what: str) -> None:
    """Raise ``LinAlgError`` where LAPACK's info says that a factorisation met a zero."""
    if info.size and info.any():
        where = f", the one at {np.argwhere(info)[0].tolist()}" if info.ndim else ""
        raise LinAlgError(f"{what}{where} (info {info[info != 0][0] if info.ndim else info})")


def real_of(dtype) -> np.dtype:
    """Return the dtype of the absolute values of a dtype."""
    return np.empty(0, dtype).real.dtype


def right_side(name: str, A: Tensor, B: Tensor, left: bool) -> None:
    """Raise unless B is made of matrices that can stand on the right side of a system with A."""
    same_dtype(name, A, B)
    if B.ndim < 2 or B.shape[-2 if left else -1] != A.shape[-1]:
        raise ShapeError(
            f"{name}: B has to be made of matrices that fit A of shape {tuple(A.shape)}, got shape "
            f"{tuple(B.shape)}"
        )


def is_vector(a: Tensor, b: Tensor) -> bool:
    """Tell whether the right side of a system is made of vectors, not of matrices."""
    return b.ndim == 1 or (a.ndim - 1 == b.ndim and a.shape[:-1] == b.shape)


def adjoint(x: Tensor) -> Tensor:
    """Return xᴴ, of complex numbers in memory of its own."""
    x = shape.transposed(x)
    return conj(x) if x.dtype.kind == "c" else x
