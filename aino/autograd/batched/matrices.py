"""Products, NumPy's linear algebra and its Fourier transforms, over all samples at once."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.batched.array import BatchedArray, of
from aino.autograd.batched.registry import FUNCTIONS, numpy_function
from aino.autograd.batched.samples import (
    any_belongs,
    axes_in,
    axis_in,
    belongs,
    unbatched_memory,
)
from aino.autograd.batched.ufuncs import product
from aino.autograd.sums import sum_over
from aino.errors import LevelError


def _table(answering, room: Any, names: str) -> None:
    """Register ``answering(function)`` for the functions of these names in a room of NumPy's."""
    for name in names.split():
        function: Any = getattr(room, name)
        FUNCTIONS[function] = answering(function)


# Products


@numpy_function(np.dot)
def dot(level, a, b, out=None):
    if out is not None:
        raise unbatched_memory(level)
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    if np.ndim(b) <= 2:
        return BatchedArray(product(level, a, b), level)
    return np.tensordot(a, b, ((-1,), (-2,)))


@numpy_function(np.vdot)
def vdot(level, a, b):
    return np.dot(np.conjugate(np.ravel(a)), np.ravel(b))


@numpy_function(np.inner)
def inner(level, a, b):
    if not np.ndim(a) or not np.ndim(b):
        return np.multiply(a, b)
    return np.tensordot(a, b, ((-1,), (-1,)))


@numpy_function(np.outer)
def outer(level, a, b, out=None):
    return np.multiply(np.ravel(a)[:, None], np.ravel(b)[None, :])


@numpy_function(np.tensordot)
def tensordot(level, a, b, axes=2):
    if hasattr(axes, "__index__"):
        count = int(axes)
        axes = (tuple(range(np.ndim(a) - count, np.ndim(a))), tuple(range(count)))
    pair = [[one] if hasattr(one, "__index__") else list(one) for one in axes]
    first = [axis % np.ndim(a) for axis in pair[0]]
    second = [axis % np.ndim(b) for axis in pair[1]]
    rows = [axis for axis in range(np.ndim(a)) if axis not in first]
    columns = [axis for axis in range(np.ndim(b)) if axis not in second]
    shape = (*[a.shape[i] for i in rows], *[b.shape[i] for i in columns])
    count = math.prod([a.shape[i] for i in first])
    left = np.reshape(np.transpose(a, (*rows, *first)), (-1 if a.size else 0, count))
    right = np.reshape(np.transpose(b, (*second, *columns)), (count, -1 if b.size else 0))
    return np.reshape(np.matmul(left, right), shape)


@numpy_function(np.einsum)
def einsum(level, subscripts, *operands, **keywords):
    if not isinstance(subscripts, str):
        raise LevelError("np.einsum inside a transform takes its subscripts as a string")
    terms, _, result = subscripts.replace(" ", "").partition("->")
    if "->" not in subscripts:
        letters = sorted(set(terms) - {",", "."})
        result = "".join([x for x in letters if terms.count(x) == 1])
        result = ("..." if "." in terms else "") + result
    free = next(x for x in "ZYXWVUTSRQPONMLKJIHGFEDCBAzyxwvutsrqponmlkjihgfedcba"
                if x not in subscripts)  # fmt: skip
    parts = [
        free + term if belongs(operand, level) else term
        for term, operand in zip(terms.split(","), operands)
    ]
    values = [x.values if belongs(x, level) else x for x in operands]
    return BatchedArray(np.einsum(f"{','.join(parts)}->{free}{result}", *values, **keywords), level)


@numpy_function(np.cross)
def cross(level, a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    if axis is not None:
        axisa = axisb = axisc = axis
    a = np.moveaxis(a, axisa, -1)
    b = np.moveaxis(b, axisb, -1)
    x, y, z = (a[..., i] for i in range(3))
    u, v, w = (b[..., i] for i in range(3))
    return np.stack([y * w - z * v, z * u - x * w, x * v - y * u], axisc)


# Matrices: NumPy's own functions go over all axes but the last two


def _stack_of_matrices(function):
    def answer(level, a, *rest, **keywords):
        if any_belongs((rest, keywords), level):
            raise LevelError(f"np.linalg.{function.__name__} takes one matrix at a time")
        return of(level, function(a.values, *rest, **keywords))

    return answer


_table(
    _stack_of_matrices, np.linalg,
    "inv det slogdet cholesky eigh eigvalsh eig eigvals svd svdvals qr matrix_power",
)  # fmt: skip


@numpy_function(np.linalg.pinv)
def pinv(level, a, rcond=None, hermitian=False, *, rtol=None):
    limits = {key: value for key, value in (("rcond", rcond), ("rtol", rtol)) if value is not None}
    if any_belongs(limits.values(), level):
        raise LevelError("np.linalg.pinv takes one limit for all samples")
    return BatchedArray(np.linalg.pinv(a.values, hermitian=hermitian, **limits), level)


@numpy_function(np.linalg.solve)
def solve(level, a, b):
    vector = np.ndim(b) == 1
    if vector:
        b = b[:, None]
    rank = max(np.ndim(a), np.ndim(b))
    values = [
        x.values.reshape((x.values.shape[0], *(1,) * (rank - x.ndim), *x.shape))
        if belongs(x, level)
        else x
        for x in (a, b)
    ]
    found = np.linalg.solve(*values)
    return BatchedArray(found[..., 0] if vector else found, level)


@numpy_function(np.linalg.norm)
def norm(level, x, *rest, axis=None, keepdims=False, **keywords):
    order = rest[0] if rest else keywords.get("ord", None if "ord" not in keywords else 2)
    if len(rest) > 1:
        axis = rest[1]
    if axis is None and order is None:
        axis = tuple(range(x.ndim))
        return np.sqrt(sum_over(np.absolute(x) ** 2, axis, keepdims))
    axis = tuple(range(x.ndim)) if axis is None else axis
    return BatchedArray(np.linalg.norm(x.values, order, axes_in(axis, x.ndim), keepdims), level)


# Fourier transforms


def _transform(function):
    def answer(level, a, n=None, axis=-1, norm=None, out=None):
        return BatchedArray(function(a.values, n, axis_in(axis, a.ndim), norm), level)

    return answer


def _transforms(function):
    def answer(level, a, s=None, axes=None, norm=None, out=None):
        if axes is None:
            axes = range(-(len(s) if s is not None else a.ndim), 0)
        return BatchedArray(function(a.values, s, axes_in(axes, a.ndim), norm), level)

    return answer


_table(_transform, np.fft, "fft ifft rfft irfft hfft ihfft")
_table(_transforms, np.fft, "fftn ifftn rfftn irfftn")


def _shifted(function):
    def answer(level, x, axes=None):
        return BatchedArray(function(x.values, axes_in(axes, x.ndim)), level)

    return answer


_table(_shifted, np.fft, "fftshift ifftshift")
