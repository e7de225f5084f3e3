"""What is linear in NumPy, which acts on the value and on the tangent alike.

A product is linear in one operand: two duals in it are refused, and left to the primitive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.dual.array import any_returning, apart, belongs, duals_in, leveled, of
from aino.autograd.dual.registry import FUNCTIONS, UFUNCS
from aino.errors import LevelError
from aino.pytree import rebuild


def _replaced(items, level, tangents: bool, others_vanish: bool) -> Any:
    """Return nested operands with the values, or the tangents, of the duals among them."""
    if isinstance(items, (tuple, list)):
        return rebuild(type(items), [_replaced(x, level, tangents, others_vanish) for x in items])
    if isinstance(items, dict):
        return {k: _replaced(x, level, tangents, others_vanish) for k, x in items.items()}
    if belongs(items, level):
        return items.tangent if tangents else items.primal
    if tangents and others_vanish:
        if hasattr(items, "shape"):
            return np.zeros_like(items)
        return 0 * items
    return items


def _one(level, function, arguments, keywords):
    """Answer for a function that is linear in the one operand that is a dual."""
    duals = duals_in((arguments, keywords), level)
    if len(duals) > 1:
        raise LevelError(f"np.{function.__name__} of several duals is not linear")
    (dual,) = duals
    for place, x in enumerate(arguments):
        if x is dual:  # mostly it stands by itself among the arguments
            before, behind = arguments[:place], arguments[place + 1 :]
            primal = function(*before, dual.primal, *behind, **keywords)
            tangent = function(*before, dual.tangent, *behind, **keywords)
            return of(level, primal, tangent, dual.returning)
    primal, tangent = [
        function(*_replaced(arguments, level, moving, False),
                 **_replaced(keywords, level, moving, False))
        for moving in (False, True)
    ]  # fmt: skip
    return of(level, primal, tangent, dual.returning)


def _sum(level, function, operands, keywords):
    """Answer for what is linear in all of its operands together."""
    if duals_in((keywords,), level):
        raise LevelError(f"np.{function.__name__} takes settings that are plain")
    duals = duals_in(operands, level)
    primal = function(*_replaced(operands, level, False, True), **keywords)
    tangent = function(*_replaced(operands, level, True, True), **keywords)
    return of(level, primal, tangent, any_returning(duals))


def _table(answer, names: str, room: Any = np) -> None:
    for name in names.split():
        FUNCTIONS[getattr(room, name)] = answer


_table(
    _one,
    "reshape ravel transpose permute_dims matrix_transpose swapaxes moveaxis expand_dims squeeze "
    "broadcast_to atleast_1d diagonal trace tril triu rot90 fliplr flipud flip roll tile repeat "
    "array_split split take take_along_axis copy sum cumsum diff real imag dot inner outer "
    "tensordot einsum cross vdot",
)
_table(_one, "sliding_window_view", np.lib.stride_tricks)
_table(_one, "fft ifft rfft irfft hfft ihfft fftn ifftn rfftn irfftn fftshift ifftshift", np.fft)
_table(_one, "diagonal", np.linalg)


def _first(level, function, arguments, keywords):
    """Join arrays, given as a list, along an axis that comes behind them."""
    arrays, *rest = arguments
    return _sum(
        level, lambda *xs, **options: function(xs, *rest, **options), tuple(arrays), keywords
    )


_table(_first, "concatenate stack")


def _broadcast(level, function, arguments, keywords):
    shape = np.broadcast_shapes(*[np.shape(x) for x in arguments])
    return tuple([np.broadcast_to(x, shape) for x in arguments])


FUNCTIONS[np.broadcast_arrays] = _broadcast


def _where(level, function, arguments, keywords):
    condition, *choices = arguments
    if belongs(condition, level) or len(choices) != 2:
        raise LevelError("np.where asks for the values of a dual")
    return _sum(level, lambda a, b: np.where(condition, a, b), tuple(choices), keywords)


FUNCTIONS[np.where] = _where


def _pad(level, function, arguments, keywords):
    array, width, *mode = arguments
    mode = mode[0] if mode else keywords.get("mode", "constant")
    if mode != "constant" or belongs(width, level):
        raise LevelError("np.pad of a dual takes constants alone")
    fill = keywords.get("constant_values", 0)
    return of(
        level,
        np.pad(array.primal, width, constant_values=fill),
        np.pad(array.tangent, width),
        array.returning,
    )


FUNCTIONS[np.pad] = _pad


def _copyto(level, function, arguments, keywords):
    target, source, *rest = arguments
    if not belongs(target, level):
        raise LevelError(f"np.copyto inside {level.name} writes into a tensor that is not of it")
    own = belongs(source, level)
    np.copyto(target.primal, source.primal if own else source, *rest, **keywords)
    np.copyto(target.tangent, source.tangent if own else 0, *rest, **keywords)


FUNCTIONS[np.copyto] = _copyto


# Made like one: of zeros both parts can be written; what else is in them does not move


def _like(level, function, arguments, keywords):
    a, *rest = arguments
    if not belongs(a, level) or duals_in((rest, keywords), level):
        raise LevelError(f"np.{function.__name__} takes one dual, after which it makes another")
    primal = function(a.primal, *rest, **keywords)
    if primal.dtype.kind not in "fc":
        return primal
    return of(level, primal, leveled(zeros_after(a.tangent, primal), primal), a.returning)


def zeros_after(tangent, primal):
    """Return the tangent of what does not move: zeros, of the levels of another tangent."""
    return np.zeros_like(tangent, shape=primal.shape, dtype=primal.dtype)


_table(_like, "zeros_like ones_like empty_like full_like")


# What only looks at shapes and dtypes, or has no slope


def _looks(level, function, arguments, keywords):
    if function is np.result_type:
        # Arrays of one element tell as much as those that NumPy takes for numbers.
        arguments = [np.empty(0, x.dtype) if belongs(x, level) else x for x in arguments]
        return np.result_type(*arguments)
    return function(*_replaced(arguments, level, False, False), **keywords)


_table(
    _looks,
    "argsort argmax argmin argpartition shape ndim size result_type can_cast iscomplexobj "
    "isrealobj may_share_memory shares_memory",
)


# Ufuncs


def _product(level, ufunc, inputs, keywords):
    return _one(level, ufunc, inputs, keywords)


def _quotient(level, ufunc, inputs, keywords):
    if belongs(inputs[1], level):
        raise LevelError("a quotient is not linear in what it is divided by")
    return _one(level, ufunc, inputs, keywords)


def _added(level, ufunc, inputs, keywords):
    if "where" in keywords:
        raise LevelError(f"np.{ufunc.__name__} with where= takes plain arrays")
    a, b = inputs
    if belongs(a, level) and belongs(b, level):
        tangent = ufunc(a.tangent, b.tangent, **keywords)
    elif belongs(a, level):
        tangent = a.tangent
    else:
        tangent = b.tangent if ufunc is np.add else np.negative(b.tangent)
    values = [x.primal if belongs(x, level) else x for x in inputs]
    primal = ufunc(*values, **keywords)
    if tangent.shape != primal.shape:
        tangent = np.broadcast_to(tangent, primal.shape)
    if tangent.dtype != primal.dtype:
        tangent = tangent.astype(primal.dtype)
    duals = [x for x in inputs if belongs(x, level)]
    primal, tangent = apart(primal, tangent, [x.tangent for x in duals])
    return of(level, primal, tangent, any_returning(duals))


def _method(name: str):
    def answer(level, ufunc, inputs, keywords):
        if duals_in((inputs[1:], keywords), level):
            raise LevelError(f"np.{ufunc.__name__}.{name} takes plain settings")
        return _one(level, getattr(ufunc, name), inputs, keywords)

    return answer


def _at(level, ufunc, inputs, keywords):
    target, index, values = inputs
    if not belongs(target, level):
        raise LevelError(f"np.{ufunc.__name__}.at writes into a tensor that is not of {level.name}")
    own = belongs(values, level)
    ufunc.at(target.primal, index, values.primal if own else values)
    if own:
        ufunc.at(target.tangent, index, values.tangent)


UFUNCS.update({(ufunc, "__call__"): _product for ufunc in
               (np.multiply, np.matmul, np.negative, np.positive, np.conjugate)})  # fmt: skip
UFUNCS.update({(ufunc, "__call__"): _added for ufunc in (np.add, np.subtract)})
UFUNCS.update({(ufunc, "__call__"): _looks for ufunc in
               (np.isfinite, np.isinf, np.isnan)})  # fmt: skip
UFUNCS[np.divide, "__call__"] = _quotient
UFUNCS.update({(np.add, name): _method(name) for name in ("reduce", "accumulate", "reduceat")})
UFUNCS[np.multiply, "outer"] = _method("outer")
UFUNCS[np.add, "at"] = UFUNCS[np.subtract, "at"] = _at
