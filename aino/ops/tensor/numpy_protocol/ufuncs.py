"""``__array_ufunc__``: NumPy's elementwise functions and their methods, met by a tensor."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import REGISTRY
from aino.autograd.rules.constants import clip
from aino.autograd.tensor import Tensor, make
from aino.errors import DtypeError, GradientError
from aino.ops import pointwise
from aino.ops.linalg import linear
from aino.ops.pointwise import compare
from aino.ops.reduce import reduction, scanning
from aino.ops.shape import transposing
from aino.ops.tensor.numpy_protocol import reductions, scans, ufunc_methods
from aino.ops.tensor.numpy_protocol.table import (
    axes_of,
    axis_of,
    beside,
    cast_to,
    check_casting,
    into,
    numpy_dtype,
    tensor_of,
)

#: NumPy's loops for AVX-512 (2.4, 2.5) take eight numbers at once, though each waits for the one
#: before: ``np.power.reduce([2.0, 3.0, 0.5])`` is 1.41 there, and 2.83 elsewhere.
_FOLDED_AMISS = {np.power, np.arctan2}


def array_ufunc(self, ufunc, method, *inputs, out=None, **keywords):
    """Answer a NumPy ufunc, or one of its methods, that met a tensor."""
    if method == "__call__":
        function = UFUNCS.get(ufunc)
        if function is not None and not keywords and out is None:
            try:
                return function(*inputs)
            except DtypeError:
                if not any([isinstance(x, (list, tuple)) for x in inputs]):
                    raise
        return _call(function, ufunc, inputs, out, keywords)
    if method in ("reduce", "accumulate"):
        function = (REDUCES if method == "reduce" else ACCUMULATES).get(ufunc)
        if function is not None:
            return function(*inputs, out=out, **keywords)
    if method in ("reduce", "accumulate", "reduceat"):
        function = UFUNCS.get(ufunc)
        if function is not None and (ufunc in _FOLDED_AMISS or tensor_of(inputs[0]).requires_grad):
            fold = getattr(ufunc_methods, method)
            return fold(ufunc, function, *inputs, out=out, **keywords)
        return _on_arrays(ufunc, method, inputs, out, keywords)
    if method == "outer":
        first, second = (tensor_of(x) for x in inputs)
        first = first.reshape(tuple(first.shape) + (1,) * second.ndim)
        return array_ufunc(self, ufunc, "__call__", first, second, out=out, **keywords)
    if method == "at":
        return _at(ufunc, inputs)
    return _on_arrays(ufunc, method, inputs, out, keywords)


def _call(function, ufunc, inputs, out, keywords):
    """Call a ufunc's meaning with NumPy's options: each acts, or is refused by name."""
    name = ufunc.__name__
    where, dtype = keywords.pop("where", True), keywords.pop("dtype", None)
    casting = keywords.pop("casting", "same_kind")
    # The layout of the result in memory, and its class: tensors have both their own way.
    keywords.pop("order", None)
    keywords.pop("subok", None)
    if function is None:
        if dtype is not None:
            keywords |= {"dtype": dtype, "casting": casting}
        result = _on_arrays(ufunc, "__call__", inputs, None, keywords)
        return _delivered(result, out, where, name, casting)
    operands = [tensor_of(x) if isinstance(x, (list, tuple)) else x for x in inputs]
    if dtype is not None:
        dtype = numpy_dtype(dtype)
        operands = [_operand(x, dtype, casting, name) for x in operands]
    if ufunc.signature is not None:
        result = _generalized(function, ufunc, operands, keywords)
    else:
        for key in keywords:
            raise TypeError(f"np.{name} on tensors does not take {key}=")
        result = function(*operands)
    return _delivered(result, out, where, name, casting)


def _delivered(result, out, where, name, casting):
    """Return the result, or each ``out=`` that was filled with it where ``where`` holds."""
    if type(out) is not tuple or all([one is None for one in out]):
        if where is not True:
            raise TypeError(
                f"np.{name} on tensors takes where= beside out= only, as the elements that it "
                "leaves out would have no value; use np.where"
            )
        return result
    if type(result) is not tuple:
        return _filled(result, out[0], where, name, casting)
    return tuple(
        [part if one is None else _filled(part, one, where, name, casting)
         for part, one in zip(result, out)]
    )  # fmt: skip


def _filled(result, out, where, name, casting):
    result = tensor_of(result)
    if where is not True:
        result = pointwise.where(tensor_of(where), result, cast_to(tensor_of(out), result.dtype))
    if tuple(result.shape) != tuple(out.shape):
        result = result.expand(tuple(out.shape))
    return into(out, result, name, casting)


def _operand(x, dtype, casting, name):
    """Return an operand in the dtype that a ufunc was told to compute in."""
    if isinstance(x, (bool, int, float, complex)):
        return make(np.asarray(x, dtype))
    x = tensor_of(x)
    if dtype.kind == "b":  # the dtype of a comparison's result
        return x
    check_casting(x, dtype, casting, name)
    return cast_to(x, dtype)


def _generalized(function, ufunc, operands, keywords):
    """Call matmul or vecdot, over the last axes or those that were named."""
    name = ufunc.__name__
    axis, keepdims = keywords.pop("axis", -1), keywords.pop("keepdims", False)
    if "axes" in keywords:
        raise TypeError(f"np.{name} on tensors does not take axes=; move them with np.moveaxis")
    for key in keywords:
        raise TypeError(f"np.{name} on tensors does not take {key}=")
    if name != "vecdot":
        if axis != -1 or keepdims:
            raise TypeError(f"np.{name} on tensors does not take axis= and keepdims=")
        return function(*operands)
    result = function(*[transposing.movedim(tensor_of(x), axis, -1) for x in operands])
    rank = result.ndim + 1
    return result.unsqueeze(axis_of(axis, rank)) if keepdims else result


def _on_arrays(ufunc, method, inputs, out, keywords):
    """Call a ufunc that has no derivative here on the arrays, where none is wanted."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    operands: list[Any] = []
    for x in inputs:
        if isinstance(x, Tensor):
            if x.requires_grad:
                raise GradientError(
                    f"np.{name} has no derivative here, and one of its tensors requires a "
                    "gradient; tensor.detach() where the gradient may end"
                )
            x = x.array
        operands.append(x)
    for key in keywords:
        if isinstance(keywords[key], Tensor):
            keywords[key] = keywords[key].array
    result = getattr(ufunc, method)(*operands, **keywords)
    if result is NotImplemented:
        return NotImplemented
    if type(result) is not tuple:
        return into(out, tensor_of(result), name)
    parts = [tensor_of(part) for part in result]
    targets = (None,) * len(parts) if out is None else out
    return tuple([into(target, part, name) for target, part in zip(targets, parts)])


def _at(ufunc, inputs):
    """Write into a tensor, on record; let an array be written with a tensor's values."""
    target, *others = inputs
    if isinstance(target, Tensor):
        if ufunc not in (np.add, np.subtract):
            function = UFUNCS.get(ufunc)
            if function is None:
                raise TypeError(f"np.{ufunc.__name__}.at does not write into a tensor")
            ufunc_methods.at(ufunc, function, target, *others)
            return
        index, values = others
        values = cast_to(tensor_of(values), target.array.dtype)
        index = index if isinstance(index, tuple) else (index,)
        target.index_put_(
            tuple([make(np.asarray(i)) if isinstance(i, (int, list)) else i for i in index]),
            -values if ufunc is np.subtract else values,
            accumulate=True,
        )
        return
    if any([isinstance(x, Tensor) and x.requires_grad for x in others]):
        raise GradientError(
            f"np.{ufunc.__name__}.at writes into an array, where the gradient would be lost"
        )
    ufunc.at(target, *[x.array if isinstance(x, Tensor) else x for x in others])


def _vecdot(a, b):
    a, b = tensor_of(a), tensor_of(b)
    return reduction.sum((a.conj() if a.dtype.kind == "c" else a) * b, -1)


def _matmul(a, b):
    # Arrays stay what they are: beside one the dtypes promote, beside a tensor they do not.
    operands: list = [x if isinstance(x, np.ndarray) else tensor_of(x) for x in (a, b)]
    return linear.matmul(*operands)


# Every primitive that has a ufunc for a kernel, and the few that are composed.

UFUNCS = {
    declared.kernel: declared.function
    for declared in REGISTRY.values()
    if isinstance(declared.kernel, np.ufunc)
} | {
    np.matmul: _matmul,
    clip: pointwise.clamp,
    np.power: pointwise.pow,
    np.logaddexp: pointwise.logaddexp,
    np.floor_divide: pointwise.floor_divide,
    np.remainder: pointwise.remainder,
    np.fmod: pointwise.fmod,
    np.divmod: lambda a, b: (pointwise.floor_divide(a, b), pointwise.remainder(a, b)),
    np.modf: lambda x: (x - pointwise.trunc(x), pointwise.trunc(x)),
    np.reciprocal: pointwise.reciprocal,
    np.conjugate: pointwise.conj,
    np.positive: pointwise.positive,
    np.absolute: pointwise.abs,
    np.fabs: pointwise.abs,
    np.square: pointwise.square,
    np.deg2rad: pointwise.deg2rad,
    np.rad2deg: pointwise.rad2deg,
    np.radians: pointwise.deg2rad,
    np.degrees: pointwise.rad2deg,
    np.rint: pointwise.round,
    np.floor: pointwise.floor,
    np.ceil: pointwise.ceil,
    np.trunc: pointwise.trunc,
    np.heaviside: lambda x, values: pointwise.heaviside(beside(x, values), beside(values, x)),
    np.float_power: pointwise.float_power,
    np.vecdot: _vecdot,
    np.isnan: compare.isnan,
    np.isinf: compare.isinf,
    np.isfinite: compare.isfinite,
}


def _reduce(function):
    """Return the form of ``ufunc.reduce``, which reduces the first axis unless told."""

    def reduce(a, axis=0, dtype=None, out=None, keepdims=False, initial=None, where=True):
        return function(a, axis, dtype, out, keepdims, initial, where)

    return reduce


def _logaddexp_reduce(a, axis=0, dtype=None, out=None, keepdims=False, **keywords):
    if keywords:
        fold = UFUNCS[np.logaddexp]
        return ufunc_methods.reduce(
            np.logaddexp, fold, a, axis, dtype, out, keepdims, **keywords
        )  # fmt: skip
    a, axes = cast_to(a, dtype), axes_of(axis, a.ndim)
    result = reduction.logsumexp(a, axes, keepdims) if axes or not a.ndim else a.clone()
    return into(out, result, "logaddexp.reduce")


REDUCES = {
    np.add: _reduce(reductions.sum_over),
    np.multiply: _reduce(reductions.product_over),
    np.maximum: _reduce(reductions.largest_over),
    np.minimum: _reduce(reductions.smallest_over),
    np.logical_and: _reduce(reductions.all_over),
    np.logical_or: _reduce(reductions.any_over),
    np.logaddexp: _logaddexp_reduce,
}


def _accumulate(function):
    """Return the form of ``ufunc.accumulate``, along the first axis unless told."""

    def accumulate(a, axis=0, dtype=None, out=None):
        return function(a, axis, dtype, out)

    return accumulate


ACCUMULATES = {
    np.add: _accumulate(scans.cumsum),
    np.multiply: _accumulate(scans.cumprod),
    np.maximum: _accumulate(scans.along(lambda a, axis: scanning.cummax(a, axis).values)),
    np.minimum: _accumulate(scans.along(lambda a, axis: scanning.cummin(a, axis).values)),
    np.logaddexp: _accumulate(scans.along(scanning.logcumsumexp)),
}
