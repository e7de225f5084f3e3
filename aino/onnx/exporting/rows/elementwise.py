"""Element by element: NumPy's ufuncs, where, clip, casts."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.rules.constants import clip
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.program import Step, Value
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import CALLS, function, method, ufunc, whole

BOOL = np.dtype(bool)


def operand(graph: Graph, item: Any, dtype: Any) -> str:
    """Return an operand in a dtype: a value, a number, or an array that is known."""
    if isinstance(item, Value):
        return graph.cast(item, item.dtype, dtype)
    if isinstance(item, Size):
        length = graph.shared("Squeeze", [graph.length(item)])
        return graph.cast(length, np.dtype(np.int64), dtype)
    return graph.constant(item, dtype)


def common(items: Any) -> Any:
    """Return the dtype that NumPy computes with."""
    kinds = [x.dtype if isinstance(x, Value) else 1 if isinstance(x, Size) else x for x in items]
    return np.result_type(*kinds)


def _refuse_options(step: Step) -> None:
    given = {k: v for k, v in step.keywords.items() if k not in ("dtype", "casting")}
    if given:
        raise OnnxExporterError(f"np.{step.function.__name__} with {', '.join(given)}=")


def _plain(operator: str, **attributes: Any):
    """Return the row of a ufunc that computes in the dtype of its result."""

    def row(graph: Graph, step: Step) -> str:
        _refuse_options(step)
        dtype = step.keywords.get("dtype") or common(step.arguments)
        wanted = step.result.dtype
        if dtype.kind in "biu" and wanted.kind == "f":
            dtype = wanted
        inputs = [operand(graph, item, dtype) for item in step.arguments]
        return graph.cast(graph.node(operator, inputs, **attributes), dtype, wanted)

    return row


def _compared(operator: str, negated: bool = False):
    """Return the row of a comparison."""

    def row(graph: Graph, step: Step) -> str:
        _refuse_options(step)
        dtype = common(step.arguments)
        if dtype == BOOL and operator not in ("Equal",):
            dtype = np.dtype(np.int32)
        found = graph.node(operator, [operand(graph, x, dtype) for x in step.arguments])
        return graph.node("Not", [found]) if negated else found

    return row


def _logical(operator: str):
    def row(graph: Graph, step: Step) -> str:
        _refuse_options(step)
        return graph.node(operator, [operand(graph, x, BOOL) for x in step.arguments])

    return row


def _bits(logical: str, bitwise: str):
    """Return the row of what is logic for booleans, and goes bit by bit through integers."""

    def row(graph: Graph, step: Step) -> str:
        if step.result.dtype == BOOL:
            return _logical(logical)(graph, step)
        if graph.opset < 18:
            raise OnnxExporterError(f"{bitwise} is there from opset 18 on")
        return _plain(bitwise)(graph, step)

    return row


def _arithmetic(operator: str, logical: str | None):
    """Return the row of arithmetic, which is logic for booleans."""

    def row(graph: Graph, step: Step) -> str:
        if step.result.dtype == BOOL:
            if logical is None:
                raise OnnxExporterError(f"np.{step.function.__name__} of booleans")
            return _logical(logical)(graph, step)
        return _plain(operator)(graph, step)

    return row


for _function, _operator in {
    np.exp: "Exp", np.log: "Log", np.sqrt: "Sqrt", np.sin: "Sin", np.cos: "Cos",
    np.arcsin: "Asin", np.arccos: "Acos", np.arctan: "Atan", np.sinh: "Sinh", np.cosh: "Cosh",
    np.tanh: "Tanh", np.arcsinh: "Asinh", np.arccosh: "Acosh", np.arctanh: "Atanh",
    np.negative: "Neg", np.absolute: "Abs", np.fabs: "Abs", np.floor: "Floor", np.ceil: "Ceil",
    np.rint: "Round", np.sign: "Sign", np.subtract: "Sub", np.divide: "Div",
}.items():  # fmt: skip
    ufunc(_function)(_plain(_operator))

for _function, _operator, _logic in [
    (np.add, "Add", "Or"), (np.multiply, "Mul", "And"), (np.maximum, "Max", "Or"),
    (np.minimum, "Min", "And"), (np.fmax, "Max", "Or"), (np.fmin, "Min", "And"),
]:  # fmt: skip
    ufunc(_function)(_arithmetic(_operator, _logic))

for _function, _operator in {
    np.greater: "Greater", np.less: "Less", np.equal: "Equal",
    np.greater_equal: "GreaterOrEqual", np.less_equal: "LessOrEqual",
}.items():  # fmt: skip
    ufunc(_function)(_compared(_operator))
ufunc(np.not_equal)(_compared("Equal", negated=True))

for _function, _operator in {
    np.logical_and: "And", np.logical_or: "Or", np.logical_xor: "Xor", np.logical_not: "Not",
}.items():  # fmt: skip
    ufunc(_function)(_logical(_operator))
ufunc(np.bitwise_and)(_bits("And", "BitwiseAnd"))
ufunc(np.bitwise_or)(_bits("Or", "BitwiseOr"))
ufunc(np.bitwise_xor)(_bits("Xor", "BitwiseXor"))
ufunc(np.invert)(_bits("Not", "BitwiseNot"))


def _strange(graph: Graph, x: Any, *operators: str) -> str:
    """Return whether numbers are NaN, or infinite, as an operator asks; integers never are."""
    if x.dtype.kind != "f":
        return graph.node("Not", [graph.node("Equal", [x, x])])
    found = [graph.node(operator, [x]) for operator in operators]
    return found[0] if len(found) == 1 else graph.node("Or", found)


ufunc(np.isnan)(lambda graph, step: _strange(graph, step.arguments[0], "IsNaN"))
ufunc(np.isinf)(lambda graph, step: _strange(graph, step.arguments[0], "IsInf"))


@ufunc(np.isfinite)
def _isfinite(graph: Graph, step: Step) -> str:
    return graph.node("Not", [_strange(graph, step.arguments[0], "IsNaN", "IsInf")])


@ufunc(np.positive, np.conjugate)
def _same(graph: Graph, step: Step) -> str:
    return graph.node("Identity", [step.arguments[0]])


def _composed(build):
    """Return the row of a ufunc of floating point numbers that ONNX composes of others."""

    def row(graph: Graph, step: Step) -> str:
        _refuse_options(step)
        dtype = step.result.dtype
        operands = [operand(graph, x, dtype) for x in step.arguments]
        return build(graph, lambda number: graph.constant(number, dtype), *operands)

    return row


ufunc(np.square)(_composed(lambda g, c, x: g.node("Mul", [x, x])))
ufunc(np.reciprocal)(_composed(lambda g, c, x: g.node("Reciprocal", [x])))
ufunc(np.log1p)(_composed(lambda g, c, x: g.node("Log", [g.node("Add", [x, c(1)])])))
ufunc(np.log2)(_composed(lambda g, c, x: g.node("Mul", [g.node("Log", [x]), c(1 / np.log(2))])))
ufunc(np.log10)(_composed(lambda g, c, x: g.node("Mul", [g.node("Log", [x]), c(1 / np.log(10))])))
ufunc(np.exp2)(_composed(lambda g, c, x: g.node("Exp", [g.node("Mul", [x, c(np.log(2))])])))
ufunc(np.hypot)(_composed(lambda g, c, x, y: g.node(
    "Sqrt", [g.node("Add", [g.node("Mul", [x, x]), g.node("Mul", [y, y])])])))  # fmt: skip


@ufunc(np.tan)
def _tan(graph: Graph, step: Step) -> str:
    (x,) = step.arguments
    dtype = step.result.dtype
    name = operand(graph, x, dtype)
    if dtype != np.float64:
        return graph.node("Tan", [name])
    # onnxruntime has no tangent in float64.
    return graph.node("Div", [graph.node("Sin", [name]), graph.node("Cos", [name])])


@ufunc(np.expm1)
def _expm1(graph: Graph, step: Step) -> str:
    # eˣ - 1 = tanh(x/2) (eˣ + 1), in which nothing is lost for small x.
    dtype = step.result.dtype
    x = operand(graph, step.arguments[0], dtype)
    half = graph.node("Tanh", [graph.node("Mul", [x, graph.constant(0.5, dtype)])])
    rest = graph.node("Add", [graph.node("Exp", [x]), graph.constant(1, dtype)])
    return graph.node("Mul", [half, rest])


@ufunc(np.trunc)
def _trunc(graph: Graph, step: Step) -> str:
    (x,) = step.arguments
    lower = graph.node("Floor", [graph.node("Abs", [x])])
    return graph.node("Mul", [graph.node("Sign", [x]), lower])


@ufunc(np.power)
def _power(graph: Graph, step: Step) -> str:
    dtype = step.result.dtype
    base, exponent = [operand(graph, x, dtype) for x in step.arguments]
    return graph.node("Pow", [base, exponent])


@ufunc(np.remainder)
def _remainder(graph: Graph, step: Step) -> str:
    dtype = step.result.dtype
    a, b = [operand(graph, x, dtype) for x in step.arguments]
    if dtype.kind != "f":
        return graph.node("Mod", [a, b])
    whole = graph.node("Floor", [graph.node("Div", [a, b])])
    return graph.node("Sub", [a, graph.node("Mul", [whole, b])])


@ufunc(np.fmod)
def _fmod(graph: Graph, step: Step) -> str:
    dtype = step.result.dtype
    return graph.node("Mod", [operand(graph, x, dtype) for x in step.arguments], fmod=1)


@ufunc(np.floor_divide)
def _floor_divide(graph: Graph, step: Step) -> str:
    dtype = step.result.dtype
    a, b = [operand(graph, x, dtype) for x in step.arguments]
    if dtype.kind == "f":
        return graph.node("Floor", [graph.node("Div", [a, b])])
    # ONNX rounds towards 0: what is left over is taken off before.
    rest = graph.node("Mod", [a, b])
    return graph.node("Div", [graph.node("Sub", [a, rest]), b])


@ufunc(np.logaddexp)
def _logaddexp(graph: Graph, step: Step) -> str:
    # Of equals the difference is left out: that of infinities is no number.
    dtype = step.result.dtype
    a, b = [operand(graph, x, dtype) for x in step.arguments]
    apart = graph.node("Neg", [graph.node("Abs", [graph.node("Sub", [a, b])])])
    found = graph.node("Add", [graph.node("Max", [a, b]), graph.node("Softplus", [apart])])
    same = graph.node("Add", [a, graph.constant(np.log(2.0), dtype)])
    return graph.node("Where", [graph.node("Equal", [a, b]), same, found])


def clipped(graph: Graph, x: Any, low: Any, high: Any, dtype: Any) -> str:
    """Return x within bounds, which may be arrays."""
    name = operand(graph, x, dtype)
    low, high = [None if _is_endless(bound) else bound for bound in (low, high)]
    if isinstance(low, Value) or isinstance(high, Value):
        if low is not None:
            name = graph.node("Max", [name, operand(graph, low, dtype)])
        return name if high is None else graph.node("Min", [name, operand(graph, high, dtype)])
    if low is not None and high is None and low == 0:
        return graph.node("Relu", [name])
    bounds = [None if bound is None else graph.constant(bound, dtype) for bound in (low, high)]
    return graph.node("Clip", [name, *bounds])


def _is_endless(bound: Any) -> bool:
    return bound is None or (not isinstance(bound, Value) and bool(np.isinf(bound)))


def _three(step: Step) -> tuple[Any, Any, Any]:
    """Return what is clipped and the bounds."""
    keywords = step.keywords
    low, high = (
        keywords.get("a_min", keywords.get("min")),
        keywords.get("a_max", keywords.get("max")),
    )
    x, *bounds = step.arguments
    return x, bounds[0] if bounds else low, bounds[1] if len(bounds) > 1 else high


@function(np.clip)
def _clip(graph: Graph, step: Step) -> str:
    return clipped(graph, *_three(step), step.result.dtype)


@method("clip")
def _clip_method(graph: Graph, step: Step) -> str:
    return clipped(graph, *_three(step), step.result.dtype)


if isinstance(clip, np.ufunc):
    ufunc(clip)(_clip)


@function(np.where)
def _where(graph: Graph, step: Step) -> str:
    condition, a, b = step.arguments
    dtype = step.result.dtype
    choice = operand(graph, condition, BOOL)
    if dtype == BOOL:
        # Of booleans, by logic: not every runtime chooses among them.
        yes = graph.node("And", [choice, operand(graph, a, BOOL)])
        no = graph.node("And", [graph.node("Not", [choice]), operand(graph, b, BOOL)])
        return graph.node("Or", [yes, no])
    return graph.node("Where", [choice, operand(graph, a, dtype), operand(graph, b, dtype)])


@method("astype")
def _astype(graph: Graph, step: Step) -> str:
    value = step.arguments[0]
    found = graph.cast(value, value.dtype, step.result.dtype)
    return found


@method("copy")
def _copied(graph: Graph, step: Step) -> str:
    return graph.name(step.arguments[0])


function(np.copy)(_copied)


@method("round")
def _round(graph: Graph, step: Step) -> str:
    value, *rest = step.arguments
    digits = rest[0] if rest else step.keywords.get("decimals", 0)
    if not digits:
        return graph.node("Round", [value])
    scale = graph.constant(10.0**digits, value.dtype)
    return graph.node("Div", [graph.node("Round", [graph.node("Mul", [value, scale])]), scale])


function(np.round, np.around)(_round)


def _copy_row(graph: Graph, step: Step) -> str:
    """A copy of one region into another."""
    (source,) = step.arguments
    target = step.out
    assert target is not None
    name = operand(graph, source, target.dtype)
    shape = source.shape if isinstance(source, Value) else np.shape(source)
    return graph.expand(name, shape, target.shape)


CALLS["copy", None] = _copy_row


def _number_row(graph: Graph, step: Step) -> str:
    number, dtype = step.arguments
    raise OnnxExporterError(f"a number that is read at each call ({number}) of dtype {dtype}")


CALLS["number", None] = _number_row


@whole("cast")
def _cast(graph: Graph, x: Any, dtype: Any) -> str:
    if x.dtype.kind == "c" or np.dtype(dtype).kind == "c":
        raise OnnxExporterError("complex numbers")
    return graph.cast(x, x.dtype, dtype)


@whole("sign", "sgn", "signum")
def _sign(graph: Graph, x: Any) -> str:
    return graph.node("Sign", [x])


@whole("masked")
def _masked(graph: Graph, x: Any, mask: Any) -> str:
    """What is not masked out; 0 elsewhere."""
    zero = graph.constant(0, x.dtype)
    return graph.node("Where", [operand(graph, mask, BOOL), x, zero])


@whole("rsqrt")
def _rsqrt(graph: Graph, x: Any) -> str:
    return graph.node("Reciprocal", [graph.node("Sqrt", [x])])


@whole("erf")
def _erf(graph: Graph, x: Any) -> str:
    return graph.node("Erf", [x])
