"""NumPy's products, and ``np.linalg``."""

from __future__ import annotations

import math

import numpy as np

from aino.dtypes import get_default_dtype
from aino.errors import ShapeError
from aino.ops.linalg import chains, contraction, linear, matrices
from aino.ops.reduce import norms
from aino.ops.shape import broadcasting, shaping
from aino.ops.tensor.numpy_protocol.reductions import sum_over
from aino.ops.tensor.numpy_protocol.table import (
    axes_of,
    axis_of,
    cast_to,
    into,
    numpy_dtype,
    numpy_function,
    tensor_of,
)


def _pair(a, b):
    """Return two operands as tensors of one dtype."""
    a, b = tensor_of(a), tensor_of(b)
    if a.array.dtype is not b.array.dtype:
        dtype = np.result_type(a.dtype, b.dtype)
        a, b = cast_to(a, dtype), cast_to(b, dtype)
    return a, b


# Products


@numpy_function("dot")
def dot(a, b, out=None):
    a, b = _pair(a, b)
    if not a.ndim or not b.ndim:
        result = a * b
    elif a.ndim <= 2 and b.ndim <= 2:
        result = linear.matmul(a, b)
    else:
        result = contraction.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))
    return result if out is None else into(out, result, "dot")


@numpy_function("vdot")
def vdot(a, b, /):
    a, b = _pair(a, b)
    return linear.vdot(shaping.ravel(a), shaping.ravel(b))


@numpy_function("inner")
def inner(a, b, /):
    return contraction.inner(*_pair(a, b))


@numpy_function("outer")
def outer(a, b, out=None):
    a, b = _pair(a, b)
    return into(out, linear.outer(shaping.ravel(a), shaping.ravel(b)), "outer")


@numpy_function("linalg.outer")
def linalg_outer(x1, x2, /):
    return linear.outer(*_pair(x1, x2))


@numpy_function("kron")
def kron(a, b):
    return linear.kron(*_pair(a, b))


@numpy_function("cross")
def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    a, b = _pair(a, b)
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    flat = a.shape[-1] == 2 and b.shape[-1] == 2
    a, b = (np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, 1)]) if x.shape[-1] == 2 else x
            for x in (a, b))  # fmt: skip
    a, b = broadcasting.broadcast_tensors(a, b)
    product = linear.vector_product(a, b, dim=-1)
    return product[..., 2] if flat else np.moveaxis(product, -1, axisc)  # type: ignore[type-var]


@numpy_function("linalg.cross")
def linalg_cross(x1, x2, /, *, axis=-1):
    x1, x2 = _pair(x1, x2)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ShapeError(
            f"np.linalg.cross: axis {axis} has to have length 3, got shapes {tuple(x1.shape)} "
            f"and {tuple(x2.shape)}"
        )
    return cross(x1, x2, axis=axis)


@numpy_function("tensordot")
def tensordot(a, b, axes=2):
    a, b = _pair(a, b)
    return contraction.tensordot(a, b, axes)


@numpy_function("linalg.tensordot")
def linalg_tensordot(x1, x2, /, *, axes=2):
    return tensordot(x1, x2, axes)


@numpy_function("linalg.matmul")
def linalg_matmul(x1, x2, /):
    return linear.matmul(*_pair(x1, x2))


@numpy_function("linalg.vecdot")
def linalg_vecdot(x1, x2, /, *, axis=-1):
    x1, x2 = _pair(x1, x2)
    return norms.vecdot(x1, x2, dim=axis)


@numpy_function("einsum")
def einsum(*operands, out=None, optimize=False, **kwargs):
    dtype, casting = kwargs.pop("dtype", None), kwargs.pop("casting", "safe")
    kwargs.pop("order", None)
    for key in kwargs:
        raise TypeError(f"np.einsum on tensors does not take {key}=")
    if isinstance(operands[0], str):
        arguments = [operands[0], *_in_one_dtype(operands[1:], dtype)]
    else:
        arguments = list(operands)
        arguments[: len(operands) // 2 * 2 : 2] = _in_one_dtype(
            operands[: len(operands) // 2 * 2 : 2], dtype
        )
    return into(out, contraction.einsum(*arguments), "einsum", casting)


def _in_one_dtype(operands, dtype):
    tensors = [tensor_of(x) for x in operands]
    dtype = np.result_type(*[x.dtype for x in tensors]) if dtype is None else numpy_dtype(dtype)
    return [cast_to(x, dtype) for x in tensors]


@numpy_function("trace")
def trace(a, offset=0, axis1=0, axis2=1, dtype=None, out=None):
    diagonal = shaping.diagonal(tensor_of(a), offset, axis1, axis2)
    return into(out, sum_over(diagonal, -1, dtype), "trace")


@numpy_function("linalg.trace")
def linalg_trace(x, /, *, offset=0, dtype=None):
    return trace(x, offset, -2, -1, dtype)


@numpy_function("linalg.multi_dot")
def multi_dot(arrays, *, out=None):
    return into(out, chains.multi_dot(_in_one_dtype(arrays, None)), "linalg.multi_dot")


# Square matrices


def _floating(a):
    a = tensor_of(a)
    return a if a.array.dtype.kind in "fc" else cast_to(a, get_default_dtype())


@numpy_function("linalg.inv")
def inv(a):
    return matrices.inv(_floating(a))


@numpy_function("linalg.det")
def det(a):
    return matrices.det(_floating(a))


@numpy_function("linalg.slogdet")
def slogdet(a):
    return matrices.slogdet(_floating(a))


@numpy_function("linalg.cholesky")
def cholesky(a, /, *, upper=False):
    a = _floating(a)
    # Of the upper triangle NumPy reads no more than that.
    return matrices.cholesky(a.mH).mH if upper else matrices.cholesky(a)


@numpy_function("linalg.solve")
def solve(a, b):
    a, b = _pair(_floating(a), _floating(b))
    if b.ndim == 1:
        return matrices.solve(a, b)
    if b.ndim < 2:
        raise ShapeError("np.linalg.solve: b has at least one axis")
    lead = broadcasting.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    a = a.expand((*lead, *a.shape[-2:]))
    # A stack of matrices, never one of vectors, whatever their shapes.
    columns = b.expand((*lead, *b.shape[-2:]))
    if a.ndim - 1 == columns.ndim and a.shape[:-1] == columns.shape:
        raise ShapeError(f"np.linalg.solve: {tuple(a.shape)} does not fit {tuple(b.shape)}")
    return matrices.solve(a, columns)


@numpy_function("linalg.matrix_power")
def matrix_power(a, n):
    return matrices.matrix_power(tensor_of(a) if n >= 0 else _floating(a), n)


@numpy_function("linalg.tensorinv")
def tensorinv(a, ind=2):
    if ind <= 0:
        raise ValueError(f"np.linalg.tensorinv: ind must be positive, got {ind}")
    shape = tuple(a.shape)
    inverse = inv(shaping.reshape(a, (math.prod(shape[:ind]), -1)))
    return shaping.reshape(inverse, shape[ind:] + shape[:ind])


@numpy_function("linalg.tensorsolve")
def tensorsolve(a, b, axes=None):
    a, b = tensor_of(a), tensor_of(b)
    if axes is not None:
        moved = [axis_of(axis, a.ndim) for axis in axes]
        a = a.permute((*[i for i in range(a.ndim) if i not in moved], *moved))
    shape = tuple(a.shape)[b.ndim :]
    rows = shaping.reshape(a, (b.array.size, math.prod(shape)))
    return shaping.reshape(solve(rows, shaping.ravel(b)), shape)


# Norms


@numpy_function("linalg.norm")
def norm(x, ord=None, axis=None, keepdims=False):
    x = _floating(x)
    axes = axes_of(axis, x.ndim)
    if ord is None or (axis is None and x.ndim > 2):
        if ord is not None:
            raise ShapeError(
                f"np.linalg.norm: an order needs one axis or two, or an array that has them; got "
                f"shape {tuple(x.shape)} without axis"
            )
        if not axes and x.ndim:
            raise ShapeError("np.linalg.norm: axis is one axis, or two, not ()")
        return norms.norm(x, 2, axes or None, keepdims)
    if len(axes) == 1:
        _check_order(ord)
        return norms.norm(x, ord, axes, keepdims)
    if len(axes) != 2:
        raise ShapeError(f"np.linalg.norm: a matrix has two axes, got {axis}")
    return _matrix_norm(x, ord, axes, keepdims)


def _check_order(ord) -> None:
    if isinstance(ord, str):
        raise ValueError(f"np.linalg: {ord!r} is an order of matrices, not of vectors")


def _matrix_norm(x, ord, axes, keepdims):
    if ord == "f":
        ord = "fro"
    if isinstance(ord, bool) or ord not in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
        raise ValueError(
            "np.linalg.norm: an order of matrices is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, "
            f"not {ord!r}"
        )
    return norms.matrix_norm(x, ord, axes, keepdims)


@numpy_function("linalg.matrix_norm")
def matrix_norm(x, /, *, keepdims=False, ord="fro"):
    return norm(x, ord, (-2, -1), keepdims)


@numpy_function("linalg.vector_norm")
def vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    x, axes = _floating(x), axes_of(axis, x.ndim)
    _check_order(ord)
    if not axes and x.ndim:  # each number by itself
        x, axes = x.unsqueeze(-1), (-1,)
        keepdims = False
    return norms.norm(x, ord, axes or None, keepdims)
