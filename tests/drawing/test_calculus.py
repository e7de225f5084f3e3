"""Drawings of every operation of the calculus, after backward: their numbers are the engine's."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import aino
from aino.autograd import engine
from aino.autograd.node import Leaf
from aino.autograd.packing import enter_hooks, leave_hooks
from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor, make
from aino.drawing.titles import title_of
from aino.errors import GradientError
from tests.calculus import harness

ROWS = harness.load_rows()
NAMES = sorted(name for name, declared in REGISTRY.items() if declared.rules)
#: What stands in no graph of real numbers that can be differentiated: levels of transforms, rules
#: that raise, and what arises in the derivatives of others alone.
NOT_DRAWN = {
    "enter", "leave", "everywhere", "make_dual", "unpack_primal", "unpack_tangent", "distinct",
    "geqrf", "ldl", "weighted_turn", "weighted_share", "eigvals", "view_as_complex",
    "log_gamma_sample", "complex",
}  # fmt: skip
#: What can't be computed again once it is freed: it needs what its caller has computed, or was
#: given a view that nobody keeps.
LOST = {
    "ctc", "inverse_or_inf", "attention", "gru", "lstm", "rnn",
    "gather_of", "ldl_solve", "solve_triangular", "take_sum",
}  # fmt: skip
PLACES = (
    aino, aino.Tensor, aino.nn.functional, aino.linalg, aino.special, aino.fft,
    aino.autograd.forward_ad,
)  # fmt: skip
OTHERS = (
    "getitem", "setitem", "mT", "max_pool", "avg_pool", "adaptive_max_pool", "Gamma", "output "
)  # fmt: skip


class Truth:
    """What operations computed, as they computed it."""

    def __init__(self):
        self.arrays = {}

    def pack_node(self, node):
        y = sys._getframe(2).f_locals.get("y")
        if isinstance(y, np.ndarray):
            self.arrays[node] = y.copy()


def losses(name):
    """Yield losses whose graphs may hold a primitive, with what was computed on the way.

    First those of the functions themselves, then those of their derivatives.
    """
    cases = [
        (row, case) for row in ROWS if name in row.covered and row.order > 0
        for case in [*row.cases, *row.kinks]
    ]  # fmt: skip
    for derived in (False, True):
        for row, case in cases:
            truth = Truth()
            enter_hooks(truth)
            try:
                tensors = harness.tensors_of(case, harness.drawn(row, case))
                outputs = harness.call(row, case, tensors)
                outputs = [y for y in outputs if isinstance(y, Tensor) and y.requires_grad]
                if derived and outputs:
                    wanted = harness.wanted_of(tensors)
                    seeds = [make(seed).requires_grad_() for seed in harness.cotangents_of(outputs)]
                    slopes = engine.grad(
                        outputs, wanted, seeds, create_graph=True, allow_unused=True
                    )
                    tensors += seeds
                    outputs = [y for y in slopes if y is not None and y.requires_grad]
                outputs = [y for y in outputs if y.array.dtype.kind == "f"]
                kept = harness.cotangents_of(outputs)
                parts = [(y * seed).sum() for y, seed in zip(outputs, kept)]
                loss = sum(parts[1:], parts[0]) if parts else None
            finally:
                leave_hooks()
            if loss is not None:
                yield loss, truth.arrays, (tensors, kept)


def nodes_of(loss):
    seen, stack = {}, [loss.node]
    while stack:
        node = stack.pop()
        if node.sequence not in seen:
            seen[node.sequence] = node
            stack += [edge for edge in node.inputs if edge is not None]
    return [seen[sequence] for sequence in sorted(seen)]


def public(title):
    return any(callable(getattr(place, title, None)) for place in PLACES) or title.startswith(
        ("∂", *OTHERS)
    )


def unbroadcast(array, shape):
    surplus = array.ndim - len(shape)
    array = array.sum(tuple(range(surplus)))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 != array.shape[i])
    return array.sum(axes, keepdims=True)


#: A quarter of them is always drawn, the whole calculus where slow tests are wanted.
DRAWN = [
    pytest.param(name, marks=pytest.mark.slow if i % 4 else ())
    for i, name in enumerate(name for name in NAMES if name not in NOT_DRAWN)
]


@pytest.mark.parametrize("name", DRAWN)
def test_numbers_of_a_drawing_are_those_of_the_engine(name):
    found = False
    for loss, truth, kept in losses(name):
        nodes = nodes_of(loss)
        if name not in [node.primitive.name for node in nodes if node.primitive]:
            continue
        inner = [n for n in nodes if not (n.primitive and n.primitive.outputs)]
        gradients = dict(
            zip(inner, engine.grad(
                loss, [make(np.broadcast_to(0.0, n.shape), n) for n in inner],
                retain_graph=True, allow_unused=True,
            ))
        )  # fmt: skip
        loss.backward()
        try:
            drawing = aino.draw(loss, gradients=True, values=True, repeat=None, names={})
        except GradientError:
            assert name in LOST
            return
        assert kept
        steps = [node for node in nodes if type(node) is not Leaf]
        vertices = [v for v in drawing.whole.vertices if v.kind == "operation"]
        assert len(vertices) == len(steps)
        drawn = dict(zip(vertices, steps))
        for vertex, node in drawn.items():
            check(vertex, node, truth, gradients)
        check_edges(drawing, drawn, gradients)
        found = True
        break
    assert found, f"no graph with {name} was drawn"


def check(vertex, node, truth, gradients):
    """Compare the numbers in a box with those of the engine."""
    assert public(vertex.title), vertex.title
    if not vertex.values:
        return
    (value,) = vertex.values
    if node in truth:
        assert value.array is not None, vertex.title
        np.testing.assert_allclose(value.array, truth[node], 1e-12, 1e-15)
    gradient = gradients.get(node)
    if gradient is None:
        assert value.grad is None
    else:
        np.testing.assert_allclose(value.grad, gradient.array, 1e-12, 1e-12)


def check_edges(drawing, drawn, gradients):
    """Compare what the slopes make of the gradients behind with the gradient before them."""
    behind = {}
    for edge in drawing.whole.edges:
        if edge.kind == "gradient":
            behind.setdefault(edge.tail, []).append(edge)
    for tail, edges in behind.items():
        if any(edge.slope is None for edge in edges) or tail.values[0].grad is None:
            continue
        ends = [tail, *(edge.head for edge in edges)]
        if any(
            end.values[0].grad.dtype.kind == "c" for end in ends if end.values[0].grad is not None
        ):
            continue  # a slope of complex numbers is no number
        total = np.zeros(tail.values[0].shape)
        for edge in edges:
            arrived = gradients[drawn[edge.head]]
            if arrived is None:
                continue
            if arrived.array.ndim not in (0, len(total.shape)) and edge.slope.shape == total.shape:
                break  # along which axes it was reduced is not asked here
            total = total + pulled(edge.slope, arrived.array, total.shape)
        else:
            np.testing.assert_allclose(total, tail.values[0].grad, 1e-7, 1e-9)


def pulled(slope, arrived, shape):
    size = int(np.prod(shape))
    if slope.shape == (arrived.size, size) and slope.shape != arrived.shape:
        return (arrived.ravel() @ slope).reshape(shape)
    if slope.shape == arrived.shape:
        return unbroadcast(np.where(slope == 0, 0.0, slope * arrived), shape)
    return np.broadcast_to(arrived.reshape(arrived.shape + (1,) * (len(shape) - arrived.ndim)),
                           shape) * slope  # fmt: skip


def test_every_operation_has_a_public_name():
    for name in NAMES:
        node = object.__new__(REGISTRY[name].node_class)
        node.shape = (1, 1, 2, 2)
        assert public(title_of(node, {"family": "hermite_he"})), name
