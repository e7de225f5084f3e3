"""The tangent of what a primitive computes of duals, and the way back through it.

It follows from what the primitive declares itself to be. Where its Jacobian is diagonal or
otherwise its own transpose, a rule takes a tangent as it takes a cotangent; where the kernel is
linear it is its own derivative; where each element goes into one sum, the slopes times the
tangents are summed as the elements are. What declares nothing is differentiated by the
transpose of the transpose: a rule is linear in the cotangent, so its own derivative with respect
to it, in the direction of the tangent, is the product with the Jacobian.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.dual import linear  # noqa: F401  # what is linear registers itself
from aino.autograd.dual.array import any_returning, apart, duals_in, of, part
from aino.autograd.dual.registry import computing
from aino.autograd.duck import Duck, computed
from aino.autograd.levels import running
from aino.autograd.mode import enable_grad, no_grad
from aino.autograd.node import Cotangents, Leaf
from aino.autograd.sums import sum_over
from aino.autograd.tensor import Tensor, make
from aino.autograd.walk import walk
from aino.errors import LevelError
from aino.tracing import checked


def raw(declared, arrays, parameters):
    """Return what a primitive computes of arrays, whatever stands for them."""
    try:
        found = declared.kernel(*arrays, *parameters)
    except LevelError as error:
        found = computed(declared, error, arrays, parameters)
    return found if type(found) is tuple else wrapped(found)


def wrapped(y):
    """Return what NumPy gave as an array: it reduces to scalars."""
    return y if hasattr(y, "__array_ufunc__") and not isinstance(y, np.generic) else np.asarray(y)


def compute(level, declared, arrays, parameters):
    """Return what a primitive computes of duals of a level."""
    if parameters and duals_in(parameters, level):
        raise LevelError(f"{declared.name} inside {level.name} takes settings that do not move")
    if declared.definition is not None:
        given = [None if x is None else make(x) for x in arrays]
        found = declared.definition(*given, *parameters)
        return tuple([y.array for y in found]) if declared.outputs else found.array
    values, tangents, moving = [], [], {}
    for name, x in zip(declared.inputs, arrays):
        values.append(part(x, level, False))
        tangent = part(x, level, True)
        tangents.append(tangent)
        if tangent is not None and name in declared.rules:
            moving[name] = tangent
    if not moving:
        return raw(declared, values, parameters)
    y, moved = _moved(declared, values, tangents, moving, parameters)
    duals = duals_in((arrays,), level)
    returning = any_returning(duals)
    sources = [x.tangent for x in duals]
    if declared.outputs:
        return tuple([_result(level, *pair, sources, returning) for pair in zip(y, moved)])
    return _result(level, y, moved, sources, returning)


def _result(level, y, moved, sources, returning):
    if moved is None or y.dtype.kind not in "fc":
        return y
    if moved.dtype.kind == "c" and y.dtype.kind != "c":
        moved = moved.real
    if moved.dtype != y.dtype:
        moved = moved.astype(y.dtype)
    if moved.shape != y.shape:
        moved = np.broadcast_to(moved, y.shape)
    y, moved = apart(y, moved, sources)
    return of(level, y, moved, returning)


# By what is declared


def _moved(declared, values, tangents, moving, parameters):
    """Return a primitive's value, and its tangent."""
    kind = declared.jacobian
    if kind == "linear":
        zeros = [
            np.zeros_like(x) if t is None and name in declared.rules and hasattr(x, "shape") else
            (x if t is None else t)
            for name, x, t in zip(declared.inputs, values, tangents)
        ]  # fmt: skip
        return raw(declared, values, parameters), raw(declared, zeros, parameters)
    contribution = CONTRIBUTIONS.get(kind)
    if contribution is None or (
        kind == "diagonal if real" and any([x.dtype.kind == "c" for x in moving.values()])
    ):
        return by_transposes(declared, values, tangents, parameters)
    y = raw(declared, values, parameters)
    known = Known(declared, values, parameters, y)
    parts = [contribution(known, name, t) for name, t in moving.items()]
    moved = parts[0]
    for other in parts[1:]:
        moved = moved + other
    return y, moved


class Known:
    """What the rules of a primitive may read in one of its computations."""

    def __init__(self, declared, values, parameters, y) -> None:
        self.declared, self.values, self.parameters, self.y = declared, values, parameters, y
        self.names = {"y": y, **dict(zip(declared.inputs, values))}
        self.names |= zip(declared.parameters, parameters)

    def read(self, name: str) -> Any:
        """Return what a rule calls by this name."""
        if name in self.names:
            return self.names[name]
        owner, _, what = name.rpartition("_")
        value = self.names[owner]
        return value.shape if what == "shape" else value.dtype

    def ruled(self, name: str, cotangent) -> Any:
        """Return what the rule of an input makes of a cotangent."""
        reads = self.declared.reads[name]
        return applied(self.declared.rules[name], cotangent, *[self.read(read) for read in reads])


def applied(rule, *operands):
    """Return what a rule gives: of ducks as tensors, so that each primitive finds its own way."""
    if not any([isinstance(x, Duck) for x in operands]):
        return wrapped(rule(*operands))
    lifted = [make(x) if hasattr(x, "strides") else x for x in operands]
    found = rule(*lifted)
    return found.array if isinstance(found, Tensor) else wrapped(found)


def _by_rule(known, name, tangent):
    shape = known.y.shape
    if tangent.shape != shape:
        tangent = np.broadcast_to(tangent, shape)
    return known.ruled(name, tangent)


def _by_kernel(known, name, tangent):
    arrays = [
        tangent if other == name else x for other, x in zip(known.declared.inputs, known.values)
    ]
    return raw(known.declared, arrays, known.parameters)


def _by_sum(known, name, tangent):
    slopes = known.ruled(name, np.ones_like(known.y))
    axis, keepdims = known.names.get("axis"), known.names.get("keepdims", False)
    return applied(lambda a, b: sum_over(a * b, axis, keepdims), slopes, tangent)


def _by_hand(known, name, tangent):
    rule = known.declared.jvp[name]
    reads = rule.__code__.co_varnames[1 : rule.__code__.co_argcount]
    return applied(rule, tangent, *[known.read(read) for read in reads])


CONTRIBUTIONS = {
    "given": _by_hand,
    "diagonal": _by_rule,
    "diagonal if real": _by_rule,
    "symmetric": _by_rule,
    "multilinear": _by_kernel,
    "reduced": _by_sum,
}
# The transpose of the transpose, which is right for all


def by_transposes(declared, values, tangents, parameters):
    """Return a primitive's value, and the derivative of its pullback by the cotangent."""
    inside, running.unsettled = running.unsettled, True
    try:
        with enable_grad():
            return _by_transposes(declared, values, tangents, parameters)
    finally:
        running.unsettled = inside


def _by_transposes(declared, values, tangents, parameters):
    pairs: list[tuple[Any, Any]] = []

    def leaf(value, tangent):
        if value is None:
            return None
        x = make(value)
        if tangent is not None:
            x.node = Leaf(x)
            pairs.append((x.node, tangent))
        return x

    if declared.variadic:
        arguments: Any = [[leaf(x, t) for x, t in zip(values[0], tangents[0])]]
    else:
        arguments = [
            leaf(x, t if name in declared.rules else None)
            for name, x, t in zip(declared.inputs, values, tangents)
        ]
    found = declared.function(*arguments, *parameters)
    outputs = found if isinstance(found, tuple) else (found,)
    cotangents: list[Any] = [None] * len(outputs)
    roots = []
    for place, y in enumerate(outputs):
        if y.node is not None:
            u = make(np.zeros_like(y.array))
            u.node = Leaf(u)
            cotangents[place] = u
            roots.append((y.node, u))
    slopes = walk(roots, {node for node, _ in pairs}, True, True)
    back = []
    for node, tangent in pairs:
        slope: Any = slopes.get(node)
        if slope is None:
            continue
        # The walk hands out conjugates, which is undone: tangents are as they are.
        slope = np.conjugate(slope) if slope.dtype.kind == "c" else slope
        if slope.node is not None:
            back.append((slope.node, tangent))
    moved: list[Any] = []
    wanted = {u.node for u in cotangents if u is not None}
    products = walk(back, wanted, True, False) if back else {}
    for y, u in zip(outputs, cotangents):
        if u is None:
            moved.append(None)
            continue
        product = products.get(u.node)
        if product is None:
            moved.append(np.zeros_like(y.array))
        else:
            array = product.array
            moved.append(np.conjugate(array) if array.dtype.kind == "c" else array)
    arrays = tuple([y.array for y in outputs])
    return (arrays, tuple(moved)) if isinstance(found, tuple) else (arrays[0], moved[0])


def pull_back(level, node, inputs, g, recorded: bool, error):
    """Return the cotangents of a node whose rules have refused duals: as tensors they take them."""
    if recorded or node.primitive is None:
        raise error
    g = _as_tensors(g)
    if node.primitive.definition is not None:
        with enable_grad():
            found = node.pullback_recorded(inputs, g)
    else:
        with no_grad():
            found = node.pullback(inputs, node.saved_as_tensors(), g)
    return [_as_arrays(x) for x in found]


def _as_tensors(g) -> Any:
    if type(g) is Cotangents:
        return Cotangents({place: make(x) for place, x in g.parts.items()})
    return make(g)


def _as_arrays(g) -> Any:
    if type(g) is Cotangents:
        return Cotangents({place: _as_arrays(x) for place, x in g.parts.items()})
    return g.array if isinstance(g, Tensor) else g


computing.compute = compute
computing.pull_back = pull_back
computing.checked = checked
