"""Element by element: NumPy's ufuncs, activations, where, clip, casts, copies."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules.constants import clip
from aino.compiler.backends.c.builder import Builder
from aino.compiler.backends.c.numbers import literal
from aino.compiler.backends.c.table import (
    CALLS,
    DeclinedError,
    RefusedError,
    function,
    method,
    ufunc,
    whole,
)
from aino.compiler.ir.program import Call
from aino.compiler.ir.regions import Region
from aino.nn import functional as F

#: What a ufunc of real numbers is in C, and the functions of the file that it needs.
_REAL: dict[Any, tuple[str, tuple[str, ...]]] = {
    np.add: ("{0} + {1}", ()), np.subtract: ("{0} - {1}", ()),
    np.multiply: ("{0} * {1}", ()), np.divide: ("{0} / {1}", ()),
    np.negative: ("-{0}", ()), np.positive: ("{0}", ()), np.conjugate: ("{0}", ()),
    np.square: ("{0} * {0}", ()), np.reciprocal: ("1.0 / {0}", ()),
    np.absolute: ("fabs({0})", ()), np.fabs: ("fabs({0})", ()),
    np.sign: ("sign_of({0})", ("sign_of",)),
    np.maximum: ("larger({0}, {1})", ("larger",)), np.minimum: ("smaller({0}, {1})", ("smaller",)),
    np.power: ("pow({0}, {1})", ()), np.fmod: ("fmod({0}, {1})", ()),
    np.remainder: ("remainder_of({0}, {1})", ("remainder_of",)),
    np.logaddexp: ("log_sum({0}, {1})", ("log_sum",)),
    np.copysign: ("copysign({0}, {1})", ()),
    **{getattr(np, name): (f"{name}({{0}})", ()) for name in (
        "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sqrt", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "floor", "ceil", "trunc", "rint")},
    **{getattr(np, f"arc{name}"): (f"a{name}({{0}})", ()) for name in (
        "sin", "cos", "tan", "sinh", "cosh", "tanh")},
    np.arctan2: ("atan2({0}, {1})", ()), np.hypot: ("hypot({0}, {1})", ()),
}  # fmt: skip
#: The same of whole numbers and of truth, as far as C computes them alike.
_WHOLE: dict[Any, str] = {
    np.add: "{0} + {1}", np.subtract: "{0} - {1}", np.multiply: "{0} * {1}",
    np.negative: "-{0}", np.positive: "{0}", np.square: "{0} * {0}",
    np.absolute: "{0} < 0 ? -{0} : {0}",
    np.maximum: "{0} > {1} ? {0} : {1}", np.minimum: "{0} < {1} ? {0} : {1}",
    np.bitwise_and: "{0} & {1}", np.bitwise_or: "{0} | {1}", np.bitwise_xor: "{0} ^ {1}",
}  # fmt: skip
_TRUTH: dict[Any, str] = {
    np.add: "{0} || {1}", np.multiply: "{0} && {1}", np.maximum: "{0} || {1}",
    np.minimum: "{0} && {1}", np.bitwise_and: "{0} && {1}", np.bitwise_or: "{0} || {1}",
    np.bitwise_xor: "{0} != {1}", np.invert: "!{0}",
}  # fmt: skip
#: What answers with a truth.
_ASKING: dict[Any, str] = {
    np.greater: "{0} > {1}", np.less: "{0} < {1}", np.greater_equal: "{0} >= {1}",
    np.less_equal: "{0} <= {1}", np.equal: "{0} == {1}", np.not_equal: "{0} != {1}",
    np.isnan: "isnan({0}) != 0", np.isinf: "isinf({0}) != 0", np.isfinite: "isfinite({0}) != 0",
    np.signbit: "signbit({0}) != 0",
    np.logical_and: "{0} && {1}", np.logical_or: "{0} || {1}", np.logical_not: "!{0}",
    np.logical_xor: "!{0} != !{1}",
}  # fmt: skip


def _ufunc(c: Builder, call: Call) -> None:
    """``target = ufunc(operands)``, computed in the dtypes that NumPy computes in."""
    if set(call.keywords) - {"dtype", "casting"} or len(call.results) > 1:
        raise RefusedError(f"np.{call.function.__name__} with {', '.join(call.keywords)}=")
    given = [x.dtype if isinstance(x, Region) else type(x) for x in call.arguments]
    kinds = [np.dtype(x) if isinstance(x, type) and issubclass(x, np.generic) else x for x in given]
    wished = call.keywords.get("dtype")
    options = {} if wished is None else {"signature": (*[None] * len(kinds), np.dtype(wished))}
    found = call.function.resolve_dtypes((*kinds, None), **options)
    compute, kind = found[: len(kinds)], found[0].kind
    formula: str | None
    needs: tuple[str, ...] = ()
    if call.function in _ASKING:
        formula = _ASKING[call.function]
        if kind != "f" and "is" in formula:
            formula = None
    elif kind == "f":
        formula, needs = _REAL.get(call.function, (None, ()))
    else:
        formula = (_TRUTH if kind == "b" else _WHOLE).get(call.function)
    if formula is None:
        raise RefusedError(f"np.{call.function.__name__} of {found[0].name}")
    c.loop(call.target, formula, *call.arguments, compute=compute, needs=needs, note=call.primitive)


for _function in {**_REAL, **_WHOLE, **_TRUTH, **_ASKING}:
    ufunc(_function)(_ufunc)


# Activations


def _own(name: str):
    """Return the row of an activation without numbers."""

    def row(c: Builder, x: Any, result: Any) -> None:
        _applied(c, name, x, result)

    return row


for _name in (
    "relu", "sigmoid", "softsign", "silu", "mish", "logsigmoid", "hardsigmoid", "hardswish",
    "gelu_tanh", "normal_cdf",
):  # fmt: skip
    whole(_name)(_own(_name))


def _applied(c: Builder, name: str, x: Any, result: Region, *numbers: float) -> None:
    """An activation of the file's own, with its numbers."""
    if x.dtype.kind != "f" or result.dtype != x.dtype:
        raise DeclinedError
    more = "".join(f", {literal(n, x.dtype)}" for n in numbers)
    c.loop(result, f"{name}({{0}}{more})", x, needs=(name,))


@whole("erf")
def _erf(c: Builder, x: Any, result: Any) -> None:
    if x.dtype.kind != "f":
        raise DeclinedError
    c.loop(result, "erf({0})", x)


@whole("leaky_relu")
def _leaky_relu(c: Builder, x: Any, slope: float, result: Any) -> None:
    _applied(c, "leaky_relu", x, result, slope)


@whole("elu")
def _elu(c: Builder, x: Any, alpha: float, result: Any) -> None:
    _applied(c, "elu", x, result, alpha)


@whole("celu")
def _celu(c: Builder, x: Any, alpha: float, result: Any) -> None:
    _applied(c, "celu", x, result, alpha)


@whole("hardtanh")
def _hardtanh(c: Builder, x: Any, low: float, high: float, result: Any) -> None:
    _applied(c, "hardtanh", x, result, low, high)


@whole("hardshrink")
def _hardshrink(c: Builder, x: Any, bound: float, result: Any) -> None:
    _applied(c, "hardshrink", x, result, bound)


@whole("softshrink")
def _softshrink(c: Builder, x: Any, bound: float, result: Any) -> None:
    _applied(c, "softshrink", x, result, bound)


@whole("threshold")
def _threshold(c: Builder, x: Any, bound: float, value: float, result: Any) -> None:
    _applied(c, "threshold", x, result, bound, value)


@whole("softplus")
def _softplus(c: Builder, x: Any, beta: float, threshold: float, result: Any) -> None:
    _applied(c, "softplus", x, result, beta, threshold)


@whole("prelu")
def _prelu(c: Builder, x: Any, weight: Any, result: Any) -> None:
    if x.dtype.kind != "f" or weight.dtype != x.dtype:
        raise DeclinedError
    c.loop(result, "leaky_relu({0}, {1})", x, weight, needs=("leaky_relu",))


@whole(F.selu)
def _selu(c: Builder, input: Any, inplace: bool, result: Any) -> None:
    if inplace:
        raise DeclinedError
    _applied(c, "selu", input, result)


@whole(F.gelu)
def _gelu(c: Builder, input: Any, approximate: str, result: Any) -> None:
    _applied(c, "gelu" if approximate == "none" else "gelu_tanh", input, result)


# Bounds, choices, casts


def _bounds(call: Call) -> tuple[Any, Any, Any]:
    """Return what is clipped and the bounds."""
    given = call.keywords
    low, high = given.get("a_min", given.get("min")), given.get("a_max", given.get("max"))
    x, *bounds = call.arguments
    return x, bounds[0] if bounds else low, bounds[1] if len(bounds) > 1 else high


def _clip(c: Builder, call: Call) -> None:
    x, low, high = _bounds(call)
    source, dtype = x, call.target.dtype
    for bound, name, sign in ((low, "larger", ">"), (high, "smaller", "<")):
        if bound is None or (isinstance(bound, (float, np.floating)) and np.isinf(bound)):
            continue
        formula = (
            f"{name}({{0}}, {{1}})" if dtype.kind == "f" else f"{{0}} {sign} {{1}} ? {{0}} : {{1}}"
        )
        c.loop(call.target, formula, source, bound, needs=(name,) if dtype.kind == "f" else (),
               note=call.primitive)  # fmt: skip
        source = call.target
    if source is x:
        c.copy(x, call.target)


function(np.clip)(_clip)
method("clip")(_clip)
if isinstance(clip, np.ufunc):
    ufunc(clip)(_clip)


@function(np.where)
def _where(c: Builder, call: Call) -> None:
    condition, a, b = call.arguments
    if not isinstance(condition, Region):
        raise RefusedError("np.where of a condition that is no array")
    dtype = call.target.dtype
    test = "{0}" if condition.dtype.kind == "b" else "{0} != 0"
    c.loop(call.target, f"{test} ? {{1}} : {{2}}", condition, a, b,
           compute=[condition.dtype, dtype, dtype], note=call.primitive)  # fmt: skip


@method("astype", "copy")
def _copied(c: Builder, call: Call) -> None:
    c.copy(call.arguments[0], call.target, call.primitive)


function(np.copy, np.broadcast_to, np.ascontiguousarray)(_copied)


def _copy_row(c: Builder, call: Call) -> None:
    """A copy of one region into another."""
    assert call.out is not None
    c.copy(call.arguments[0], call.out)


CALLS["copy", None] = _copy_row


@whole("masked")
def _masked(c: Builder, x: Any, mask: Any, result: Any) -> None:
    """What is not masked out; 0 elsewhere."""
    if not isinstance(mask, Region) or mask.dtype.kind != "b":
        raise DeclinedError
    c.loop(result, "{0} ? {1} : {2}", mask, x, 0, compute=[mask.dtype, x.dtype, x.dtype])


@whole("cast")
def _cast(c: Builder, x: Any, dtype: Any, result: Any) -> None:
    c.copy(x, result)
