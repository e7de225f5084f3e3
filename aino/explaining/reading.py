"""From the source of a rule to the formula that it computes.

A rule is read as it would be run: with the values that it was given, so that where its text
branches the formula is that of the branch which was taken, and a setting stands as its number.
"""

from __future__ import annotations

import ast
import functools
import inspect
import math
import textwrap
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.explaining import expressions as e
from aino.explaining.expressions import Expression

#: So many functions deep a rule is read; what lies deeper stands by its name.
_DEEPEST = 4

_UFUNCS: dict[str, Callable[..., Expression]] = {
    "add": e.add, "subtract": e.sub, "multiply": e.mul, "divide": e.div, "negative": e.neg,
    "power": e.power, "matmul": e.matrix_product, "dot": e.matrix_product, "where": e.where,
    "square": lambda x: e.power(x, e.number(2)), "reciprocal": lambda x: e.div(e.ONE, x),
    "logical_not": lambda x: e.Expression("not", (x,)),
    "logical_and": lambda x, y: e.Expression("and", (x, y)),
    "logical_or": lambda x, y: e.Expression("or", (x, y)),
    "isfinite": lambda x: e.phrase("{0} is finite", x),
    "zeros_like": lambda x: e.ZERO, "ones_like": lambda x: e.ONE,
}  # fmt: skip
_UFUNCS |= {
    name: functools.partial(e.function, said)
    for name, said in {
        "exp": "exp", "log": "ln", "sin": "sin", "cos": "cos", "tan": "tan", "sinh": "sinh",
        "cosh": "cosh", "tanh": "tanh", "absolute": "abs", "sign": "sign", "sqrt": "√",
        "maximum": "max", "minimum": "min", "fmax": "max", "fmin": "min", "log1p": "log1p",
        "floor": "⌊⌋",
    }.items()
}  # fmt: skip
#: Primitives that stand in rules, as the operators that they are.
_PRIMITIVES: dict[str, Callable[..., Expression]] = {
    "cast": lambda x, dtype: x, "alias": lambda x: x, "unmoved": lambda value, x: value,
    "masked": lambda x, mask: e.where(mask, x, e.ZERO), "where": e.where,
    "scale": lambda x, factor: e.mul(factor, x), "doubled": lambda x: e.mul(e.number(2), x),
    "add": e.add, "sub": e.sub, "mul": e.mul, "div": e.div, "neg": e.neg,
    "pow_number": e.power, "square": lambda x: e.power(x, e.number(2)),
    "sigmoid": functools.partial(e.function, "σ"), "tanh": functools.partial(e.function, "tanh"),
    "sgn": functools.partial(e.function, "sign"), "sign": functools.partial(e.function, "sign"),
    "exp": functools.partial(e.function, "exp"),
    "negative_part": lambda x: e.function("min", e.ZERO, x),
    "floor_divide": lambda a, b: e.function("⌊⌋", e.div(a, b)),
    "mT": e.transposed, "mm": e.matrix_product, "bmm": e.matrix_product,
    "rows_mm": e.matrix_product, "mv": e.matrix_product,
}  # fmt: skip
#: Where the gradient is one number for each output, how it is spread says nothing.
_SPREADING = ("spread", "expand", "reshape")
_COMPARISONS = {
    ast.Lt: "<", ast.LtE: "≤", ast.Gt: ">", ast.GtE: "≥", ast.Eq: "=", ast.NotEq: "≠",
}  # fmt: skip
_OPERATORS: dict[type, Callable[..., Expression]] = {
    ast.Add: e.add, ast.Sub: e.sub, ast.Mult: e.mul, ast.Div: e.div, ast.Pow: e.power,
    ast.MatMult: e.matrix_product, ast.BitAnd: lambda x, y: e.Expression("and", (x, y)),
    ast.BitOr: lambda x, y: e.Expression("or", (x, y)),
}  # fmt: skip
#: Numbers that have a name.
_NAMED = {
    math.log(2.0): "ln 2", math.log(10.0): "ln 10", 2 / math.sqrt(math.pi): "2/√π",
    math.pi: "π", math.sqrt(0.5): "√½", math.sqrt(2 / math.pi): "√(2/π)",
}  # fmt: skip


class Unreadable(Exception):
    """A rule that is a program rather than a formula."""


def read_rule(
    rule: Callable, values: Mapping[str, Any], symbols: Mapping[str, Expression]
) -> Expression | None:
    """Return what a rule computes as a formula, None where it is no short one.

    ``values``: what the rule is given, by name. ``symbols``: what stands for the arrays among
    them; ``g`` may stand for the number 1, which makes a slope of a rule that is linear in it.
    """
    try:
        return _Reader(0).call(rule, dict(values), dict(symbols))
    except (Unreadable, RecursionError):
        return None


@functools.cache
def _tree(code) -> Any:
    """Return the syntax tree of a function, found by where its code stands."""
    try:
        lines, first = inspect.findsource(code)
    except (OSError, TypeError):
        raise Unreadable from None
    if code.co_name != "<lambda>":
        block = textwrap.dedent("".join(inspect.getblock(lines[first:])))
        return ast.parse(block).body[0]
    places = [place for place in code.co_positions() if None not in place and place[2:] != (0, 0)]
    start = min((place[0], place[2]) for place in places)
    for node in ast.walk(_module_tree(code.co_filename, "".join(lines))):
        if isinstance(node, ast.Lambda):
            body = node.body
            inner: list[Any] = [x for x in ast.walk(body) if hasattr(x, "lineno")]
            if min((x.lineno, x.col_offset) for x in inner) == start:
                return node
    raise Unreadable


@functools.lru_cache(maxsize=4)
def _module_tree(filename: str, source: str) -> ast.Module:
    return ast.parse(source)


class _Reader:
    def __init__(self, depth: int) -> None:
        if depth > _DEEPEST:
            raise Unreadable
        self.depth = depth

    def call(self, function: Any, values: dict, symbols: dict) -> Expression:
        """Return what a Python function returns for these arguments."""
        tree = _tree(function.__code__)
        self.symbols = symbols
        cells = [cell.cell_contents for cell in function.__closure__ or ()]
        free = dict(zip(function.__code__.co_freevars, cells))
        self.scope = {**function.__globals__, **free, **values}
        if isinstance(tree, ast.Lambda):
            return self.read(tree.body)
        found = self.run(tree.body)
        if found is None:
            raise Unreadable
        return found

    def run(self, body: list) -> Expression | None:
        """Read statements up to the one that returns."""
        for line in body:
            if isinstance(line, ast.Return) and line.value is not None:
                return self.read(line.value)
            if isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant):
                continue  # a docstring
            if isinstance(line, ast.If):
                found = self.run(line.body if self.value(line.test) else line.orelse)
                if found is not None:
                    return found
            elif isinstance(line, ast.Assign) and len(line.targets) == 1:
                self.assign(line.targets[0], line.value)
            else:
                raise Unreadable
        return None

    def assign(self, target: Any, value: Any) -> None:
        if isinstance(target, ast.Tuple):
            if not isinstance(value, ast.Tuple):
                raise Unreadable
            pairs = list(zip(target.elts, value.elts))
        else:
            pairs = [(target, value)]
        found = [(to.id if isinstance(to, ast.Name) else "", x) for to, x in pairs]
        if not all(name for name, _ in found):
            raise Unreadable
        ready = [(name, self.maybe(x), self.value(x)) for name, x in found]
        for name, expression, concrete in ready:
            self.scope[name] = concrete
            self.symbols.pop(name, None)
            if expression is not None:
                self.symbols[name] = expression

    def maybe(self, node: Any) -> Expression | None:
        """Read what may be no formula, such as a shape, and may not be needed."""
        try:
            return self.read(node)
        except Unreadable:
            return None

    def value(self, node: Any) -> Any:
        """Return what an expression gives, run as it stands."""
        code = compile(ast.Expression(node), "<rule>", "eval")
        try:
            with np.errstate(all="ignore"):
                return eval(code, self.scope)
        except Exception:  # whatever a rule may raise: then it is not read
            raise Unreadable from None

    def fixed(self, node: Any) -> bool:
        """Tell whether an expression depends on no array's elements."""
        if isinstance(node, ast.Attribute) and node.attr in ("shape", "ndim", "dtype", "size"):
            return True
        if isinstance(node, ast.Name):
            value = self.scope.get(node.id)
            return node.id not in self.symbols and not isinstance(value, (np.ndarray, Tensor))
        if isinstance(node, ast.Lambda):
            return False
        return all([self.fixed(child) for child in ast.iter_child_nodes(node)])

    def read(self, node: Any) -> Expression:
        if isinstance(node, ast.Name) and node.id in self.symbols:
            return self.symbols[node.id]
        if not isinstance(node, (ast.BinOp, ast.UnaryOp)) and self.fixed(node):
            value = self.value(node)
            if isinstance(value, (bool, int, float, complex)):
                named = _NAMED.get(value) if isinstance(value, float) else None
                return e.number(value) if named is None else e.symbol(named)
            if isinstance(value, np.generic) and value.dtype.kind in "fiu":
                return e.number(value.item())
            raise Unreadable
        reader = getattr(self, f"read_{type(node).__name__}", None)
        if reader is None:
            raise Unreadable
        return reader(node)

    def read_BinOp(self, node: Any) -> Expression:
        operation = _OPERATORS.get(type(node.op))
        if operation is None:
            raise Unreadable
        return operation(self.read(node.left), self.read(node.right))

    def read_UnaryOp(self, node: Any) -> Expression:
        x = self.read(node.operand)
        if isinstance(node.op, ast.USub):
            return e.neg(x)
        if isinstance(node.op, (ast.Not, ast.Invert)):
            return Expression("not", (x,))
        raise Unreadable

    def read_Compare(self, node: Any) -> Expression:
        if len(node.ops) != 1 or type(node.ops[0]) not in _COMPARISONS:
            raise Unreadable
        left, right = self.read(node.left), self.read(node.comparators[0])
        sign = _COMPARISONS[type(node.ops[0])]
        if left == right:  # false of nan alone
            return e.phrase("{0} is nan" if sign == "≠" else "{0} is a number", left)
        return Expression(sign, (left, right))

    def read_IfExp(self, node: Any) -> Expression:
        return self.read(node.body if self.value(node.test) else node.orelse)

    def read_Attribute(self, node: Any) -> Expression:
        if node.attr == "mT":
            return e.transposed(self.read(node.value))
        if node.attr in ("real", "imag"):
            x = self.read(node.value)
            if node.attr == "real" and np.isrealobj(self.value(node.value)):
                return x
            return e.function("Re" if node.attr == "real" else "Im", x)
        raise Unreadable

    def read_Subscript(self, node: Any) -> Expression:
        x = self.read(node.value)
        return x if e.is_constant(x) else e.phrase(f"{{0}}[{ast.unparse(node.slice)}]", x)

    def read_Call(self, node: Any) -> Expression:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
            x = self.read(node.func.value)
            return x if e.is_constant(x) else e.phrase("{0} in its shape", x)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "astype":
            return self.read(node.func.value)
        function = self.value(node.func)
        name = getattr(function, "__name__", "")
        declared = getattr(function, "primitive", None)
        if declared is not None:
            return self._primitive(declared, node)
        if function is getattr(np, name, None):
            if name == "conjugate" and self.value(node.args[0]).dtype.kind == "f":
                return self.read(node.args[0])
            if name == "conjugate":
                return e.function("conj", self.read(node.args[0]))
            count = 1 if name in ("zeros_like", "ones_like") else len(node.args)
            if name not in _UFUNCS or (node.keywords and count == len(node.args) != 1):
                raise Unreadable
            return _UFUNCS[name](*[self.read(x) for x in node.args[:count]])
        if not hasattr(function, "__code__"):
            raise Unreadable
        return self._helper(function, node)

    def _primitive(self, declared: Any, node: Any) -> Expression:
        inputs = [self.read(x) for x in node.args[: len(declared.inputs)]]
        first = inputs[0]
        if declared.name in _SPREADING and e.is_constant(first):
            return first
        if declared.name in _PRIMITIVES:
            rest = node.args[len(inputs) :] if declared.parameters else []
            settings = [self.maybe(x) or e.symbol("…") for x in rest]
            return _PRIMITIVES[declared.name](*inputs, *settings)
        return e.function(declared.name, *inputs)

    def _helper(self, function: Any, node: Any) -> Expression:
        """Read a function that a rule calls, with what it is given there."""
        if any(isinstance(x, ast.Starred) for x in node.args):
            raise Unreadable
        try:
            bound = inspect.signature(function).bind(
                *node.args, **{keyword.arg or "": keyword.value for keyword in node.keywords}
            )
        except TypeError:
            raise Unreadable from None
        bound.apply_defaults()
        values, symbols = {}, {}
        for name, given in bound.arguments.items():
            if not isinstance(given, ast.AST):  # a default
                values[name] = given
                continue
            values[name] = self.value(given)
            expression = self.maybe(given)
            if expression is not None and not (expression.op == "number" and self.fixed(given)):
                symbols[name] = expression
        return _Reader(self.depth + 1).call(function, values, symbols)
