"""Small mathematical expressions: built simplified, evaluated with numbers, written as text.

An expression is an operation and what it stands over. The functions that build one bring it into
the form that a textbook would print: no factor of one, no double minus, fractions joined.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


class Expression(NamedTuple):
    """``op`` over ``args``: expressions, or for ``number`` and ``symbol`` what they are."""

    op: str
    args: tuple

    def is_number(self, value: Any = None) -> bool:
        return self.op == "number" and (value is None or self.args[0] == value)


def number(value: Any) -> Expression:
    return Expression("number", (value,))


def symbol(name: str) -> Expression:
    return Expression("symbol", (name,))


ZERO, ONE = number(0), number(1)


def neg(x: Expression) -> Expression:
    if x.op == "number":
        return number(-x.args[0])
    if x.op == "neg":
        return x.args[0]
    if x.op == "sub":
        return Expression("sub", x.args[::-1])
    return Expression("neg", (x,))


def add(x: Expression, y: Expression) -> Expression:
    if x.is_number(0):
        return y
    if y.is_number(0):
        return x
    if x.op == y.op == "number":
        return number(x.args[0] + y.args[0])
    if x == y:
        return mul(number(2), x)
    if y.op == "neg":
        return sub(x, y.args[0])
    if x.op == "neg":
        return sub(y, x.args[0])
    return Expression("add", (x, y))


def sub(x: Expression, y: Expression) -> Expression:
    if y.is_number(0):
        return x
    if x.is_number(0):
        return neg(y)
    if x.op == y.op == "number":
        return number(x.args[0] - y.args[0])
    if y.op == "neg":
        return add(x, y.args[0])
    return Expression("sub", (x, y))


def mul(x: Expression, y: Expression) -> Expression:
    """Multiply element by element."""
    if x.is_number(0) or y.is_number(0):
        return ZERO
    if x.is_number(1):
        return y
    if y.is_number(1):
        return x
    if x.op == y.op == "number":
        return number(x.args[0] * y.args[0])
    if x.op == "neg" or x.is_number(-1):
        return neg(mul(neg(x), y))
    if y.op == "neg" or y.is_number(-1):
        return neg(mul(x, neg(y)))
    if x.op == "where" and x.args[1:] == (ONE, ZERO):
        return where(x.args[0], y, ZERO)
    if y.op == "where" and y.args[1:] == (ONE, ZERO):
        return where(y.args[0], x, ZERO)
    if x.op == "div" and y.op == "div":
        return div(mul(x.args[0], y.args[0]), mul(x.args[1], y.args[1]))
    if x.op == "div":
        return div(mul(x.args[0], y), x.args[1])
    if y.op == "div":
        return div(mul(x, y.args[0]), y.args[1])
    if y.op == "number":
        return mul(y, x)
    if y.op == "mul":
        return mul(mul(x, y.args[0]), y.args[1])
    if x == y:
        return power(x, number(2))
    if x.op == "power" and x.args[0] == y and x.args[1].op == "number":
        return power(y, number(x.args[1].args[0] + 1))
    if x.op == "mul" and y in (x.args[1], x.args[1].args[0]) and x.args[1].op != "neg":
        joined = mul(x.args[1], y)
        if joined.op == "power":
            return Expression("mul", (x.args[0], joined))
    return Expression("mul", (x, y))


def div(x: Expression, y: Expression) -> Expression:
    if x.is_number(0):
        return ZERO
    if y.is_number(1):
        return x
    if x.op == "neg":
        return neg(div(x.args[0], y))
    if x.op == "number" and x.args[0].__class__ in (int, float) and x.args[0] < 0:
        return neg(div(number(-x.args[0]), y))
    if y.op == "neg":
        return neg(div(x, y.args[0]))
    if x.op == "div":
        return div(x.args[0], mul(x.args[1], y))
    if y.op == "div":
        return div(mul(x, y.args[1]), y.args[0])
    return Expression("div", (x, y))


def power(x: Expression, y: Expression) -> Expression:
    if y.is_number(1):
        return x
    if y.is_number(0):
        return ONE
    return Expression("power", (x, y))


def where(condition: Expression, x: Expression, y: Expression) -> Expression:
    if condition.is_number(True) or x == y:
        return x
    if condition.is_number(False):
        return y
    return Expression("where", (condition, x, y))


def matrix_product(x: Expression, y: Expression) -> Expression:
    if x.op == "neg":
        return neg(matrix_product(x.args[0], y))
    return Expression("matmul", (x, y))


def transposed(x: Expression) -> Expression:
    return x.args[0] if x.op == "transposed" else Expression("transposed", (x,))


def function(name: str, *args: Expression) -> Expression:
    return Expression(f"call {name}", args)


def phrase(words: str, *args: Expression) -> Expression:
    """Return words with expressions at ``{0}``, ``{1}``: what no operator says."""
    return Expression(f"phrase {words}", args)


def conjugated(x: Expression) -> Expression:
    """Return the complex conjugate of an expression."""
    if x.op == "number":
        return number(np.conjugate(x.args[0]).item())
    if x.op == "neg":
        return neg(conjugated(x.args[0]))
    if x.op in ("call conj", "call abs", "call Re", "call Im"):
        return x.args[0] if x.op == "call conj" else x
    return function("conj", x)


def with_conjugate(x: Expression, name: str) -> Expression:
    """Return an expression with the conjugate of a symbol in its places."""
    if x.op == "symbol":
        return conjugated(x) if x.args[0] == name else x
    parts = [with_conjugate(part, name) if isinstance(part, Expression) else part
             for part in x.args]  # fmt: skip
    return Expression(x.op, tuple(parts))


def is_constant(x: Expression) -> bool:
    """Tell whether an expression is the same for each element: nothing in it is an array."""
    if x.op == "symbol":
        return False
    return all([is_constant(part) for part in x.args if isinstance(part, Expression)])


# Values

_OPERATORS: dict[str, Callable] = {
    "neg": operator.neg, "add": operator.add, "sub": operator.sub, "mul": operator.mul,
    "div": operator.truediv, "power": operator.pow, "matmul": operator.matmul,
    "where": np.where, "transposed": lambda x: x.mT, "not": np.logical_not,
    "and": np.logical_and, "or": np.logical_or, "<": operator.lt, "≤": operator.le,
    ">": operator.gt, "≥": operator.ge, "=": operator.eq, "≠": operator.ne,
}  # fmt: skip
#: The functions that are known by these names.
FUNCTIONS: dict[str, Callable] = {
    "exp": np.exp, "ln": np.log, "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "abs": np.absolute, "sign": np.sign, "√": np.sqrt,
    "max": np.maximum, "min": np.minimum, "log1p": np.log1p, "Re": np.real, "Im": np.imag,
    "conj": np.conjugate, "σ": lambda x: 1 / (1 + np.exp(-x)), "⌊⌋": np.floor,
}  # fmt: skip


def evaluate(x: Expression, values: Mapping[str, Any]) -> Any:
    """Return the value of an expression; ``KeyError`` where it has words or rarer functions."""
    if x.op == "number":
        return x.args[0]
    if x.op == "symbol":
        return values[x.args[0]]
    args = [evaluate(part, values) for part in x.args]
    name = x.op.removeprefix("call ")
    return (_OPERATORS[name] if name == x.op else FUNCTIONS[name])(*args)
