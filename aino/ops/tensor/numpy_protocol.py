"""NumPy's functions on tensors: ``np.exp(t)``, ``np.add.reduce(t)``, ``np.concatenate([t, u])``.

NumPy asks a tensor what its functions mean (NEP 13 and NEP 18); these tables answer, with
NumPy's names, arguments and defaults. The rules of the calculus are written in NumPy, so it is
through here that they meet tensors and become differentiable again.
"""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError
from aino.ops import pointwise
from aino.ops.index import indexing, sorting
from aino.ops.linalg import contraction, linear
from aino.ops.pointwise import compare
from aino.ops.reduce import extremes, reduction, scanning
from aino.ops.shape import arranging, joining, shaping, transposing
from aino.ops.tensor.inplace import copy_


def array_ufunc(self, ufunc, method, *inputs, out=None, **keywords):
    """Answer a NumPy ufunc, or one of its methods, that met a tensor."""
    if method == "__call__":
        function = UFUNCS.get(ufunc)
        if function is None:
            return NotImplemented
        dtype = keywords.pop("dtype", None)
        _refuse(ufunc.__name__, keywords)
        result = function(*inputs)
        if dtype is not None:
            result = result.to(dtype)
    elif method in ("reduce", "accumulate"):
        function = (REDUCES if method == "reduce" else ACCUMULATES).get(ufunc)
        if function is None:
            return NotImplemented
        result = function(*inputs, **keywords)
    elif method == "outer":
        first, second = (x if isinstance(x, Tensor) else make(np.asarray(x)) for x in inputs)
        first = first.reshape(tuple(first.shape) + (1,) * second.ndim)
        return array_ufunc(self, ufunc, "__call__", first, second, out=out, **keywords)
    else:
        return NotImplemented
    return result if out is None else _into(out[0], result)


def _into(out, result):
    if isinstance(out, Tensor):
        return copy_(out, result)
    if result.requires_grad:
        raise GradientError("out= is an array, where the gradient of the result would be lost")
    out[...] = result.array
    return out


def _refuse(name: str, keywords) -> None:
    """Raise for an argument that would be ignored."""
    keywords.pop("casting", None)
    for key, value in keywords.items():
        if value not in (None, True) or key not in ("where", "order", "subok"):
            raise DtypeError(f"np.{name} on a tensor does not take {key}={value!r}")


def array_function(self, function, types, arguments, keywords):
    """Answer a NumPy function that met a tensor."""
    implementation = FUNCTIONS.get(function)
    if implementation is None:
        raise TypeError(
            f"np.{function.__name__} has no meaning for tensors here; "
            "use tensor.detach().numpy() for its array"
        )
    return implementation(*arguments, **keywords)


# Ufuncs: every primitive that has one for a kernel, and the few that are composed.

UFUNCS = {
    declared.kernel: declared.function
    for declared in REGISTRY.values()
    if isinstance(declared.kernel, np.ufunc)
} | {
    np.matmul: linear.matmul,
    np.power: pointwise.pow,
    np.floor_divide: pointwise.floor_divide,
    np.remainder: pointwise.remainder,
    np.fmod: pointwise.fmod,
    np.reciprocal: pointwise.reciprocal,
    np.conjugate: pointwise.conj,
    np.positive: pointwise.positive,
    np.absolute: pointwise.abs,
    np.fabs: pointwise.abs,
    np.sign: pointwise.sgn,
    np.square: pointwise.square,
    np.deg2rad: pointwise.deg2rad,
    np.rad2deg: pointwise.rad2deg,
    np.radians: pointwise.deg2rad,
    np.degrees: pointwise.rad2deg,
    np.rint: pointwise.round,
    np.floor: pointwise.floor,
    np.ceil: pointwise.ceil,
    np.trunc: pointwise.trunc,
    np.heaviside: lambda x, values: pointwise.heaviside(_beside(x, values), _beside(values, x)),
    np.float_power: pointwise.float_power,
    np.vecdot: lambda a, b: reduction.sum(pointwise.conj(_tensor(a)) * b, -1),
    np.isnan: compare.isnan,
    np.isinf: compare.isinf,
    np.isfinite: compare.isfinite,
}


def _tensor(x) -> Tensor:
    return x if isinstance(x, Tensor) else make(np.asarray(x))


def _beside(x, other) -> Tensor:
    """Return an operand as a tensor; a number has the dtype of the other operand."""
    return x if isinstance(x, Tensor) else make(np.asarray(x, other.dtype))


def _numpy_reduction(function):
    """Return NumPy's form of a reduction over ``axis``."""

    def reduce(a, axis=None, dtype=None, out=None, keepdims=False, **keywords):
        _refuse(function.__name__, {k: v for k, v in keywords.items() if v is not np._NoValue})
        keepdims = False if keepdims is np._NoValue else keepdims
        options = {} if dtype is None else {"dtype": dtype}
        if axis is None:
            axis = tuple(range(a.ndim))
        result = function(a, axis, bool(keepdims), **options)
        return result if out is None else _into(out[0] if type(out) is tuple else out, result)

    return reduce


def _reduce_first(function):
    """Return the form of ``ufunc.reduce``, which reduces the first axis unless told."""
    numpy_form = _numpy_reduction(function)

    def reduce(a, axis=0, dtype=None, out=None, keepdims=False, **keywords):
        return numpy_form(a, axis, dtype, out, keepdims, **keywords)

    return reduce


def _product(a, axis, keepdims, dtype=None):
    """Multiply over several axes: ``prod`` takes one."""
    axes = sorted((axis % a.ndim,) if isinstance(axis, int) else [x % a.ndim for x in axis])
    if dtype is not None:
        a = a.to(dtype)
    for position in reversed(axes):
        a = reduction.prod(a, position, keepdims)
    return a


def _moment(function):
    """Return NumPy's form of a variance: divided by n - ddof, with ddof 0."""

    def reduce(a, axis=None, dtype=None, out=None, ddof=0, keepdims=False, **keywords):
        _refuse(function.__name__, {k: v for k, v in keywords.items() if v is not np._NoValue})
        axis = tuple(range(a.ndim)) if axis is None else axis
        keepdims = False if keepdims is np._NoValue else keepdims
        result = function(a, axis, correction=ddof, keepdim=bool(keepdims))
        return result if out is None else _into(out, result)

    return reduce


def _along(function):
    """Return NumPy's form of a scan or search: without an axis it goes over the flat array."""

    def scan(a, axis=None, **keywords):
        return function(a.reshape(-1), 0) if axis is None else function(a, axis)

    return scan


REDUCES = {
    np.add: _reduce_first(reduction.sum),
    np.multiply: _reduce_first(_product),
    np.maximum: _reduce_first(extremes.amax),
    np.minimum: _reduce_first(extremes.amin),
    np.logical_and: _reduce_first(reduction.all),
    np.logical_or: _reduce_first(reduction.any),
}

ACCUMULATES = {
    np.add: lambda a, axis=0: scanning.cumsum(a, axis),
    np.multiply: lambda a, axis=0: scanning.cumprod(a, axis),
}


def _clip(a, a_min=None, a_max=None, out=None, *, min=None, max=None):
    low, high = (a_min if min is None else min), (a_max if max is None else max)
    result = pointwise.clamp(a, low, high)
    return result if out is None else _into(out, result)


def _like(function):
    """Return NumPy's ``*_like``: another shape may be asked for."""

    def create(a, *fill, dtype=None, order="K", subok=True, shape=None, device=None):
        return make(function(a.array, *fill, dtype=dtype, order=order, shape=shape))

    return create


def _where(condition, x=None, y=None):
    if x is None and y is None:
        return indexing.nonzero(condition, as_tuple=True)
    return pointwise.where(_tensor(condition), x, y)


def _transpose(a, axes=None):
    return transposing.permute(a, tuple(reversed(range(a.ndim))) if axes is None else axes)


def _sort(a, axis=-1, kind=None, order=None, *, stable=None):
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis)
    return sorting.sort(a, axis)[0]


def _take(a, indices, axis=None, out=None, mode="raise"):
    index = _tensor(indices)
    if axis is None:
        return a.reshape(-1)[index]
    return a[(slice(None),) * (axis % a.ndim) + (index,)]


def _repeat(a, repeats, axis=None):
    return arranging.repeat_interleave(a, repeats, axis)


def _split(a, indices_or_sections, axis=0):
    return list(joining.tensor_split(a, indices_or_sections, axis))


def _squeeze(a, axis=None):
    return shaping.squeeze(a) if axis is None else shaping.squeeze(a, axis)


def _norm(x, ord=None, axis=None, keepdims=False):
    if axis is None and ord is None:
        return reduction.norm(x.reshape(-1))
    return reduction.norm(x, 2 if ord is None else ord, axis, keepdims)


def _expand_dims(a, axis):
    for position in sorted((axis,) if isinstance(axis, int) else axis):
        a = shaping.unsqueeze(a, position)
    return a


FUNCTIONS = {
    np.sum: _numpy_reduction(reduction.sum),
    np.prod: _numpy_reduction(_product),
    np.mean: _numpy_reduction(reduction.mean),
    np.max: _numpy_reduction(extremes.amax),
    np.min: _numpy_reduction(extremes.amin),
    np.all: _numpy_reduction(reduction.all),
    np.any: _numpy_reduction(reduction.any),
    np.var: _moment(reduction.var),
    np.std: _moment(reduction.std),
    np.cumsum: _along(scanning.cumsum),
    np.cumprod: _along(scanning.cumprod),
    np.argmax: _along(extremes.argmax),
    np.argmin: _along(extremes.argmin),
    np.count_nonzero: reduction.count_nonzero,
    np.sort: _sort,
    np.argsort: lambda a, axis=-1, kind=None, order=None, *, stable=None: sorting.argsort(a, axis),
    np.where: _where,
    np.clip: _clip,
    np.zeros_like: _like(np.zeros_like),
    np.ones_like: _like(np.ones_like),
    np.full_like: _like(np.full_like),
    np.empty_like: _like(np.empty_like),
    np.copy: lambda a, order="K", subok=False: shaping.clone(a),
    np.shape: lambda a: tuple(a.shape),
    np.ndim: lambda a: a.ndim,
    np.size: lambda a, axis=None: a.array.size if axis is None else a.shape[axis],
    np.real: pointwise.real,
    np.imag: pointwise.imag,
    np.angle: lambda z, deg=False: (
        pointwise.rad2deg(pointwise.angle(z)) if deg else pointwise.angle(z)
    ),
    np.round: lambda a, decimals=0, out=None: pointwise.round(a, decimals=decimals),
    np.nan_to_num: lambda x, copy=True, nan=0.0, posinf=None, neginf=None: pointwise.nan_to_num(
        x, nan, posinf, neginf
    ),
    np.reshape: lambda a, /, shape, order="C", **_: shaping.reshape(a, shape),
    np.ravel: lambda a, order="C": shaping.reshape(a, -1),
    np.transpose: _transpose,
    np.matrix_transpose: lambda x: x.mT,
    np.swapaxes: transposing.transpose,
    np.moveaxis: transposing.movedim,
    np.squeeze: _squeeze,
    np.expand_dims: _expand_dims,
    np.broadcast_to: lambda array, shape, subok=False: shaping.broadcast_to(array, shape),
    np.broadcast_arrays: lambda *args, subok=False: shaping.broadcast_tensors(*args),
    np.flip: lambda m, axis=None: arranging.flip(m, tuple(range(m.ndim)) if axis is None else axis),
    np.roll: lambda a, shift, axis=None: arranging.roll(a, shift, axis),
    np.tile: arranging.tile,
    np.repeat: _repeat,
    np.tril: arranging.tril,
    np.triu: arranging.triu,
    np.diagonal: shaping.diagonal,
    np.diag: arranging.diag,
    np.concatenate: lambda arrays, /, axis=0, out=None, **_: joining.cat(
        [_tensor(x) for x in arrays], axis
    ),
    np.stack: lambda arrays, axis=0, out=None, **_: joining.stack(
        [_tensor(x) for x in arrays], axis
    ),
    np.vstack: lambda tup, **_: joining.vstack([_tensor(x) for x in tup]),
    np.hstack: lambda tup, **_: joining.hstack([_tensor(x) for x in tup]),
    np.split: _split,
    np.array_split: _split,
    np.take: _take,
    np.take_along_axis: lambda arr, indices, axis=-1: indexing.take_along_dim(arr, indices, axis),
    np.nonzero: lambda a: indexing.nonzero(a, as_tuple=True),
    np.dot: lambda a, b, out=None: _dot(_tensor(a), _tensor(b)),
    np.outer: lambda a, b, out=None: linear.outer(_tensor(a).reshape(-1), _tensor(b).reshape(-1)),
    np.inner: lambda a, b: contraction.inner(_tensor(a), _tensor(b)),
    np.tensordot: lambda a, b, axes=2: contraction.tensordot(_tensor(a), _tensor(b), axes),
    np.einsum: lambda subscripts, *operands, **_: contraction.einsum(
        subscripts, *[_tensor(x) for x in operands]
    ),
    np.trace: lambda a: linear.trace(a),
    np.linalg.norm: _norm,
    np.allclose: lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: bool(
        np.allclose(_tensor(a).array, _tensor(b).array, rtol, atol, equal_nan)
    ),
    np.isclose: lambda a, b, rtol=1e-5, atol=1e-8, equal_nan=False: make(
        np.isclose(_tensor(a).array, _tensor(b).array, rtol, atol, equal_nan)
    ),
    np.array_equal: lambda a1, a2, equal_nan=False: bool(
        np.array_equal(_tensor(a1).array, _tensor(a2).array, equal_nan)
    ),
    np.result_type: lambda *operands: np.result_type(*[getattr(x, "array", x) for x in operands]),
    np.array_repr: lambda arr, *_, **__: repr(arr),
    np.array_str: lambda a, *_, **__: str(a),
}


def _dot(a, b):
    if not a.ndim or not b.ndim:
        return a * b
    if a.ndim <= 2 and b.ndim <= 2:
        return linear.matmul(a, b)
    return contraction.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))
