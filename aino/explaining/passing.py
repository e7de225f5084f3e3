"""Watches one backward pass: what arrives at each operation, and what it hands on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.function_node import FunctionNode
from aino.autograd.node import Cotangents, Extras, Leaf, Node, TupleOutput
from aino.autograd.tensor import Tensor
from aino.autograd.walk import walk
from aino.errors import AinoError


class Visit(NamedTuple):
    """An operation in the order of the backward pass, with gradients as users know them.

    ``incoming``: for each output, None where nothing arrived. ``handed``: for each input.
    """

    node: Any
    incoming: tuple[np.ndarray | None, ...]
    handed: tuple[np.ndarray | None, ...]


def reachable(root: Node) -> list[Node]:
    """Return the nodes that lead to ``root``, oldest first."""
    found, stack = {root}, [root]
    while stack:
        for edge in stack.pop().inputs:
            if edge is not None and edge not in found:
                found.add(edge)
                stack.append(edge)
    return sorted(found, key=lambda node: node.sequence)


def has_hooks(node: Node) -> bool:
    """Tell whether functions of the user's would run here in a backward pass."""
    return node.extras is not None and bool(node.extras.hook_keys())


def watch(
    root: Node, seed: np.ndarray, wanted: set[Node], nodes: list[Node], limit: int
) -> tuple[list[Visit], dict[str, int], dict[Node, np.ndarray]]:
    """Run a backward pass that changes nothing; return its first ``limit`` visits.

    Also returned: how often which operation stands in the rest, and the gradients of the wanted
    nodes. Nothing is summed into ``grad``, and hooks are not called.
    """
    visits: list[Visit] = []
    rest: dict[str, int] = {}

    def watcher(node: Node) -> Callable:
        def see(handed: tuple, incoming: tuple) -> None:
            if len(visits) < limit:
                visits.append(Visit(node, _arrays(incoming), placed(node, handed)))
            else:
                rest[title_of(node)] = rest.get(title_of(node), 0) + 1

        return see

    own = [(node, node.extras) for node in nodes]
    try:
        for node, extras in own:
            node.extras = None
            if not isinstance(node, (Leaf, TupleOutput)):
                node.extras = Extras()
                node.extras.add("behind", watcher(node))
            elif extras is not None and extras.grad_dtype is not None:
                node.extras = Extras()
                node.extras.grad_dtype = extras.grad_dtype
        found = walk([(root, seed)], wanted, True, False)
    finally:
        for node, extras in own:
            node.extras = extras
    return visits, rest, {node: gradient.array for node, gradient in found.items()}


def title_of(node: Node) -> str:
    """Return the name of an operation."""
    if node.primitive is not None:
        return node.primitive.name
    return node.function.__name__ if isinstance(node, FunctionNode) else node.name()


def _arrays(gradients: tuple) -> tuple:
    return tuple([None if x is None else np.asarray(x.array) for x in gradients])


def placed(node: Node, handed: tuple) -> tuple:
    """Return the gradients handed on, one for each edge."""
    placed: list[Any] = [None] * len(node.inputs)
    for place, gradient in zip(node.input_places(), handed):
        placed[place] = None if gradient is None else np.asarray(gradient.array)
    return tuple(placed)


# Local derivatives


class Local(NamedTuple):
    """A local derivative in numbers, and how it meets the incoming gradient (see ``Part``)."""

    kind: str
    array: np.ndarray | None
    product: np.ndarray | None
    met: np.ndarray | None = None


NOTHING = Local("", None, None)
#: A Jacobian of more elements than these is not written out.
LARGEST_JACOBIAN = 1024
#: A local derivative is computed, and checked, for operands of up to so many elements.
LARGEST_LOCAL = 10_000_000


def local_derivative(visit: Visit, place: int) -> Local:
    """Return the local derivative of an operation for one of its inputs.

    What is returned gives, times the incoming gradient, what the pass has handed on: that is
    checked, and where it does not hold (0 times infinity), nothing is returned.
    """
    node, handed = visit.node, visit.handed[place]
    declared = node.primitive
    if declared is None or handed is None:
        return NOTHING
    for attempt in (_elementwise, _spread, _jacobian):
        found = attempt(visit, place)
        if found is not None and _agrees(found, handed):
            return found
    return NOTHING


def _agrees(found: Local, handed: np.ndarray) -> bool:
    product = found.product
    if product is None:
        return False
    with np.errstate(all="ignore"):
        if product.shape != handed.shape:
            product = undo_broadcasting(product, handed.shape)
        tolerance = 1e-2 if handed.dtype.itemsize == 2 else 1e-4
        if handed.dtype in (np.float64, np.complex128):
            tolerance = 1e-8
        scale = np.absolute(handed).max(initial=0.0)
        limit = tolerance * (scale if np.isfinite(scale) else 1.0)
        return bool(np.allclose(product, handed, tolerance, limit, equal_nan=True))


def undo_broadcasting(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sum over the axes along which something of ``shape`` was repeated."""
    surplus = array.ndim - len(shape)
    axes = [axis for axis in range(array.ndim) if axis < surplus or shape[axis - surplus] == 1]
    wide = array.astype(np.float32) if array.dtype.itemsize == 2 else array
    return wide.sum(tuple(axes)).reshape(shape).astype(array.dtype)


def rule_values(node: Any, name: str, g: Any) -> dict[str, Any] | None:
    """Return what the rule for an input is given, by the names of its parameters."""
    declared = node.primitive
    if declared.together is not None or declared.variadic or declared.outputs:
        return None
    rule = declared.rules[name]
    saved = dict(zip(declared.saved_names, node.kept()))
    first = rule.__code__.co_varnames[0]
    values = {first: g}
    for read in declared.reads[name]:
        owner = read.removesuffix("_shape")
        if read in saved:
            values[read] = saved[read]
        elif owner in declared.differentiable:
            edge = node.inputs[declared.differentiable.index(owner)]
            values[read] = None if edge is None else edge.shape
        else:
            return None
    return values


def _by_rule(visit: Visit, place: int) -> np.ndarray | None:
    """Return what the rule for an input makes of an incoming gradient of ones."""
    node, (incoming, *_) = visit.node, visit.incoming
    name = node.primitive.differentiable[place] if not node.primitive.variadic else ""
    values = rule_values(node, name, None if incoming is None else np.ones_like(incoming))
    if not name or incoming is None or incoming.size > LARGEST_LOCAL or values is None:
        return None
    try:
        with np.errstate(all="ignore"):
            local = node.primitive.rules[name](*values.values())
    except AinoError:  # a rule that holds for some gradients alone
        return None
    local = local.array if isinstance(local, Tensor) else np.asarray(local)
    return np.asarray(np.conjugate(local)) if local.dtype.kind == "c" else local


def _elementwise(visit: Visit, place: int) -> Local | None:
    if not str(visit.node.primitive.jacobian).startswith("diagonal"):
        return None
    local = _by_rule(visit, place)
    incoming = visit.incoming[0]
    if local is None or incoming is None:
        return None
    if local.shape != incoming.shape:
        local = np.broadcast_to(local, incoming.shape)
    with np.errstate(all="ignore"):
        return Local("elementwise", local, _times(incoming, local), incoming)


def _times(incoming: np.ndarray, local: np.ndarray) -> np.ndarray:
    """Return the product; where the slope is 0 nothing is handed on, be what arrives infinite."""
    product = np.where(local == 0, np.zeros_like(local), incoming * local)
    return product.astype(np.result_type(incoming, local), copy=False)


def _spread(visit: Visit, place: int) -> Local | None:
    node, incoming = visit.node, visit.incoming[0]
    handed = visit.handed[place]
    declared = node.primitive
    if incoming is None or handed is None:
        return None
    if incoming.ndim and declared.jacobian != "reduced" and declared.name not in ("sum", "mean"):
        return None
    spread = incoming
    if incoming.ndim:
        saved = dict(zip(declared.saved_names, node.kept()))
        if "axis" not in saved:
            return None
        axis = saved["axis"]
        if axis is not None and incoming.ndim != handed.ndim:
            spread = np.expand_dims(incoming, axis)
        if spread.ndim != handed.ndim:
            return None
    local = _by_rule(visit, place)
    if local is None or local.shape != handed.shape:
        return None
    with np.errstate(all="ignore"):
        met = np.broadcast_to(spread, local.shape)
        return Local("spread", local, _times(met, local), met if spread.ndim else spread)


def _jacobian(visit: Visit, place: int) -> Local | None:
    node, handed = visit.node, visit.handed[place]
    arrived = [(k, g) for k, g in enumerate(visit.incoming) if g is not None]
    assert handed is not None
    count = sum(g.size for _, g in arrived)
    if not count * handed.size or count * handed.size > LARGEST_JACOBIAN:
        return None
    if handed.dtype.kind != "f" or any(g.dtype.kind != "f" for _, g in arrived):
        return None
    alone = tuple([edge if i == place else None for i, edge in enumerate(node.inputs)])
    several = len(visit.incoming) > 1
    rows = []
    for k, g in arrived:
        for unit in np.eye(g.size, dtype=g.dtype):
            given: Any = unit.reshape(g.shape)
            cotangent = Cotangents({k: given}) if several else given
            try:
                with np.errstate(all="ignore"):
                    row = node.pullback(alone, node.saved, cotangent)[place]
            except AinoError:
                return None
            if row is None:
                return None
            row = row.dense() if hasattr(row, "dense") else row
            rows.append((row.array if isinstance(row, Tensor) else np.asarray(row)).ravel())
    jacobian = np.stack(rows)
    incoming = np.concatenate([g.ravel() for _, g in arrived])
    with np.errstate(all="ignore"):
        product = np.where(jacobian == 0, 0, incoming[:, None] * jacobian).sum(0)
    return Local("jacobian", jacobian, product.reshape(handed.shape).astype(handed.dtype))
