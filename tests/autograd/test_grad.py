"""autograd.grad: gradients as values, and nothing computed that was not asked for."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import grad
from aino.errors import GradientError


def leaf(*values):
    return aino.tensor(list(values), dtype=aino.float64, requires_grad=True)


def counted(x, calls, name):
    """Return x through an operation that notes when its gradient is computed."""

    class Count(aino.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

        @staticmethod
        def backward(ctx, g):
            calls.append(name)
            return g

    return Count.apply(x)


def test_grad_leaves_grad_alone():
    x, w = leaf(2.0), leaf(3.0)
    (slope,) = grad((x * w).sum(), x)
    assert slope.tolist() == [3.0]
    assert x.grad is None
    assert w.grad is None


def test_nothing_is_computed_for_unrelated_weights():
    x, w = leaf(2.0), leaf(3.0)
    calls = []
    loss = (counted(x, calls, "x") * counted(w, calls, "w")).sum()
    grad(loss, x)
    assert calls == ["x"]


def test_a_tensor_in_the_middle_stops_the_walk():
    x = leaf(2.0)
    calls = []
    y = counted(x, calls, "below") * 3.0
    (slope,) = grad((y * y).sum(), y)
    assert slope.tolist() == [12.0]
    assert calls == []


def test_several_inputs_and_their_middle():
    x = leaf(2.0)
    y = x * 3.0
    to_x, to_y = grad((y * x).sum(), [x, y])
    assert to_x.tolist() == [12.0]
    assert to_y.tolist() == [2.0]


def test_several_outputs_and_cotangents():
    x = leaf(1.0, 2.0)
    seeds = [aino.tensor([1.0, 0.0], dtype=aino.float64), aino.tensor(2.0, dtype=aino.float64)]
    (slope,) = grad([x * x, x.sum()], x, seeds)
    assert slope.tolist() == [4.0, 2.0]


def test_unused_inputs():
    x, unused = leaf(1.0), leaf(2.0, 3.0)
    y = (x * x).sum()
    with pytest.raises(GradientError, match=r"input 1 .*allow_unused"):
        grad(y, [x, unused], retain_graph=True)
    assert grad(y, [x, unused], allow_unused=True, retain_graph=True)[1] is None
    filled = grad(y, [x, unused], materialize_grads=True)[1]
    assert filled.tolist() == [0.0, 0.0]
    assert filled.dtype == aino.float64
    with pytest.raises(ValueError, match="allow_unused"):
        grad(y, x, materialize_grads=True, allow_unused=False)


def test_an_input_without_gradient_raises():
    x = leaf(1.0)
    with pytest.raises(GradientError, match="does not require"):
        grad((x * x).sum(), aino.tensor([1.0]))


def test_the_graph_is_freed_unless_it_is_retained():
    x = leaf(2.0)
    y = (x * x).sum()
    grad(y, x, retain_graph=True)
    grad(y, x)
    with pytest.raises(GradientError, match="retain_graph"):
        grad(y, x)


def test_results_own_their_memory():
    a, b = leaf(1.0), leaf(2.0)
    seed = aino.ones(1, dtype=aino.float64)
    to_a, to_b, to_y = grad(a + b, [a, b, y := a + b], seed, allow_unused=True)
    assert to_y is None
    assert y.requires_grad
    assert not np.shares_memory(to_a.array, to_b.array)
    assert not np.shares_memory(to_a.array, seed.array)


def test_create_graph_differentiates_the_gradient():
    x = leaf(2.0)
    (slope,) = grad((x**3).sum(), x, create_graph=True)
    (curvature,) = grad(slope.sum(), x, create_graph=True)
    (third,) = grad(curvature.sum(), x)
    assert (slope.tolist(), curvature.tolist(), third.tolist()) == ([12.0], [12.0], [6.0])


def test_the_gradient_through_a_gradient_step():
    w = leaf(1.0)
    (slope,) = grad((w * w).sum(), w, create_graph=True)
    updated = w - 0.1 * slope
    (meta,) = grad((updated * updated).sum(), w)
    assert meta.tolist() == pytest.approx([2.0 * 0.8 * 0.8])


def test_batched_cotangents():
    x = leaf(1.0, 2.0)
    y = x * x
    (rows,) = grad(y, x, aino.eye(2, dtype=aino.float64), is_grads_batched=True)
    assert rows.tolist() == [[2.0, 0.0], [0.0, 4.0]]


def test_complex_gradients_are_pytorchs():
    # The gradient of |z|² is 2z in PyTorch's convention, that of z² with cotangent 1 is 2z̄.
    z = aino.tensor([3.0 + 4.0j], dtype=aino.complex128, requires_grad=True)
    assert grad((z * z.conj()).real.sum(), z)[0].tolist() == [6.0 + 8.0j]
    seed = aino.ones(1, dtype=aino.complex128)
    assert grad(z * z, z, seed)[0].tolist() == [6.0 - 8.0j]


def test_inputs_in_a_dict_give_gradients_in_a_dict():
    x = aino.tensor(3.0, requires_grad=True)
    w = aino.tensor(2.0, requires_grad=True)
    found = aino.autograd.grad(x * w, {"x": x, "w": w}, retain_graph=True)
    assert {name: g.item() for name, g in found.items()} == {"x": 2.0, "w": 3.0}
    aino.autograd.backward(x * w, inputs={"w": w})
    assert x.grad is None
    assert w.grad.item() == 3.0


def test_no_input_is_said_to_be_none():
    x = aino.tensor(3.0, requires_grad=True)
    for inputs in ([], {}, ()):
        with pytest.raises(GradientError, match="inputs is empty"):
            aino.autograd.grad(x * x, inputs)


def test_zeros_that_stand_for_an_unused_input_can_be_differentiated_too():
    x, unused = (aino.tensor(3.0, requires_grad=True) for _ in range(2))
    for create_graph in (False, True):
        options = {"create_graph": create_graph, "materialize_grads": True}
        _, zeros = aino.autograd.grad(x * x, [x, unused], **options)
        assert (zeros.item(), zeros.requires_grad) == (0.0, create_graph)


def test_the_old_arguments_of_grad_and_backward_warn():
    x = aino.tensor([3.0], requires_grad=True)
    with pytest.warns(FutureWarning, match="only_inputs"):
        (found,) = aino.autograd.grad(x * x, x, only_inputs=False)
    assert (found.item(), x.grad) == (6.0, None)
    with pytest.warns(FutureWarning, match="grad_variables"):
        aino.autograd.backward(x * x, grad_variables=aino.tensor([2.0]))
    assert x.grad.item() == 12.0
    one = aino.ones(1)
    with pytest.warns(FutureWarning), pytest.raises(GradientError, match="grad_tensors"):
        aino.autograd.backward(x * x, one, grad_variables=one)


def test_only_a_wanted_tensor_is_reached_and_nothing_behind_it_is_freed():
    x = aino.tensor(3.0, requires_grad=True)
    y = x.exp()
    total = y * 2.0
    assert aino.autograd.grad(total, y)[0].item() == 2.0
    assert aino.autograd.grad(y, x)[0].item() == pytest.approx(y.item())
