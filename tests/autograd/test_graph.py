"""``autograd.graph``: what nodes save goes through hooks, and gradients stay what they were."""

import gc
import weakref

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd import graph
from tests.calculus import harness

ROWS = [
    (row, case)
    for row in harness.load_rows()
    for case in [next((c for c in row.cases if any(s.wanted for s in c.samples())), None)]
    if row.order > 0 and case is not None
]


class Stored:
    """A hook's own storage: arrays by number."""

    def __init__(self):
        self.arrays = {}

    def pack(self, tensor):
        self.arrays[len(self.arrays)] = tensor.clone()
        return len(self.arrays) - 1

    def unpack(self, key):
        return self.arrays[key].clone()


@pytest.mark.parametrize(("row", "case"), ROWS, ids=[row.name for row, _ in ROWS])
def test_every_operation(row, case):
    """First and second derivatives are the same to the bit through hooks that copy."""

    def derivatives(hooks):
        tensors = harness.tensors_of(case, harness.drawn(row, case))
        with hooks:
            outputs = harness.call(row, case, tensors)
        used = [y for y in outputs if isinstance(y, aino.Tensor) and y.requires_grad]
        wanted = harness.wanted_of(tensors)
        seeds = [aino.from_numpy(seed) for seed in harness.cotangents_of(used)]
        first = aino.autograd.grad(used, wanted, seeds, create_graph=True, allow_unused=True)
        again = [g for g in first if g is not None and g.requires_grad]
        if row.order < 2 or not again:
            return first
        seeds = [aino.from_numpy(seed) for seed in harness.cotangents_of(again)]
        return *first, *aino.autograd.grad(again, wanted, seeds, allow_unused=True)

    stored = Stored()
    plain = derivatives(graph.save_on_cpu())
    packed = derivatives(graph.saved_tensors_hooks(stored.pack, stored.unpack))
    for a, b in zip(plain, packed, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a.numpy(force=True), b.numpy(force=True))


def test_the_innermost_hooks_are_called():
    seen = []

    def hooks(name):
        return graph.saved_tensors_hooks(lambda t: (seen.append(name), t)[1], lambda t: t)

    x = aino.ones(2, requires_grad=True)
    with hooks("outer"):
        y = x.exp()
        with hooks("inner"):
            z = y.exp()
        z = z.exp()
    z.sum().backward()
    assert seen == ["outer", "inner", "outer"]


def test_hooks_outlast_no_grad_and_anomaly_mode():
    seen = []
    x = aino.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: (seen.append(0), t)[1], lambda t: t):
        with aino.no_grad():
            x.exp()
        with aino.autograd.detect_anomaly():
            x.exp()
        with aino.enable_grad():
            x.exp()
    x.exp()
    assert len(seen) == 2


def test_the_array_itself_is_let_go():
    x = aino.ones(1000, requires_grad=True)
    with graph.saved_tensors_hooks(
        lambda t: t.sum().item() / 1000, lambda v: aino.full((1000,), v)
    ):
        y = x * 2.0
        memory = weakref.ref(y.array)
        z = y.exp().log().sum()
    del y
    gc.disable()
    try:
        assert memory() is None
    finally:
        gc.enable()
    z.backward()


@pytest.mark.parametrize(
    ("unpack", "error", "words"),
    [
        (lambda v: np.ones(2), TypeError, "returns a tensor, not ndarray"),
        (lambda v: aino.ones(3), RuntimeError, "shape"),
        (lambda v: aino.ones(2, dtype=aino.float64), RuntimeError, "float64"),
    ],
)
def test_what_unpack_returns_is_checked(unpack, error, words):
    x = aino.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, unpack):
        y = x.exp()
    with pytest.raises(error, match=words):
        y.sum().backward()


def test_functions_save_through_hooks():
    class Cube(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 3 * x * x * g

    stored = Stored()
    x = aino.tensor([2.0], requires_grad=True)
    with graph.saved_tensors_hooks(stored.pack, stored.unpack):
        y = Cube.apply(x)
    (g,) = aino.autograd.grad(y, x, create_graph=True)
    (h,) = aino.autograd.grad(g, x)
    assert (len(stored.arrays), g.item(), h.item()) == (1, 12.0, 12.0)


def test_hooks_can_be_forbidden():
    x = aino.ones(2, requires_grad=True)
    with graph.disable_saved_tensors_hooks("not here"):
        with pytest.raises(RuntimeError, match="not here"), graph.save_on_cpu():
            pass
        x.exp().sum().backward()
    with graph.save_on_cpu():
        pass
    assert x.grad is not None


def test_what_was_saved_may_be_changed():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    with graph.allow_mutation_on_saved_tensors():
        y = x * 1.0
        z = (y * y).sum()
        y.zero_()
    z.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_increment_version():
    x = aino.ones(2, requires_grad=True)
    y = x * 1.0
    z = y * y
    graph.increment_version(y)
    with pytest.raises(aino.errors.InplaceError):
        z.sum().backward()


def test_edges():
    x = aino.eye(2).requires_grad_()
    values, vectors = aino.linalg.eigh(x + aino.diag(aino.tensor([1.0, 2.0])))
    assert graph.get_gradient_edge(values).output_nr == 0
    assert graph.get_gradient_edge(vectors).output_nr == 1
    assert graph.get_gradient_edge(values).node is graph.get_gradient_edge(vectors).node
    assert graph.get_gradient_edge(x).node.name() == "AccumulateGrad"
    with pytest.raises(aino.errors.GradientError):
        graph.get_gradient_edge(aino.ones(2))


def test_a_packed_graph_is_drawn():
    x = aino.ones(2, requires_grad=True)
    stored = Stored()
    with graph.saved_tensors_hooks(stored.pack, stored.unpack):
        y = aino.cat([x.exp(), x * x]).sum()
    assert "exp" in aino.draw(y).source


def test_a_perceptron_of_a_layer():
    layer = nn.Layer(3, 2, "tanh")
    with graph.save_on_cpu():
        y = layer.perceptrons[0](aino.ones(3))
    y.backward()
    assert layer.weight.grad is not None
