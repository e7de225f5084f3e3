"""backward(): what it adds to grad, what it frees, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, InplaceError, ShapeError


def leaf(*values, dtype=aino.float64):
    return aino.tensor(list(values), dtype=dtype, requires_grad=True)


def test_gradient_of_a_scalar():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_gradient_with_a_cotangent():
    x = leaf(1.0, 2.0)
    (x * x).backward(aino.tensor([1.0, 10.0], dtype=aino.float64))
    assert x.grad.tolist() == [2.0, 40.0]


def test_a_shared_subexpression_is_visited_once():
    x = leaf(2.0)
    calls = []
    y = x * 3.0
    y.register_hook(lambda g: calls.append(g.tolist()))
    (y * y + y).sum().backward()
    assert calls == [[13.0]]
    assert x.grad.tolist() == [39.0]


def test_the_same_input_twice():
    x = leaf(3.0)
    (x + x - x * x).sum().backward()
    assert x.grad.tolist() == [-4.0]


def test_backward_passes_add_up():
    x = leaf(1.0, 2.0)
    (x * 2.0).sum().backward()
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]


@pytest.mark.parametrize("options", [{}, {"inputs": True}], ids=["all", "inputs"])
def test_a_gradient_that_is_there_is_added_to_in_place(options):
    x, y, flat = leaf(1.0, 2.0), leaf(3.0, 4.0), aino.zeros(4, dtype=aino.float64)
    x.grad, y.grad = flat[:2], flat[2:]
    options = {"inputs": [x, y]} if options else {}
    kept = x.grad
    for _ in range(2):
        (x * y).sum().backward(**options)
    assert x.grad is kept
    assert flat.tolist() == [6.0, 8.0, 2.0, 4.0]


def test_a_gradient_that_was_kept_and_replaced_does_not_change():
    x = leaf(1.0, 2.0)
    (x * 2.0).sum().backward()
    kept, x.grad = x.grad, None
    (x * 3.0).sum().backward()
    assert (kept.tolist(), x.grad.tolist()) == ([2.0, 2.0], [3.0, 3.0])


def test_a_gradient_with_a_history_is_not_written():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward(create_graph=True)
    kept = x.grad
    (x * 3.0).sum().backward()
    assert (kept.tolist(), x.grad.tolist()) == ([2.0, 4.0], [5.0, 7.0])


def test_a_gradient_in_memory_that_can_not_be_written_is_replaced():
    x = leaf(1.0, 2.0)
    x.grad = aino.ones(1, dtype=aino.float64).expand(2)
    (x * 3.0).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]


def test_a_graph_that_read_a_gradient_notices_that_it_was_added_to():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * 2.0).sum().backward()
    y = (w * x.grad).sum()
    (x * 3.0).sum().backward()
    with pytest.raises(InplaceError, match="in place"):
        y.backward()


def test_gradients_never_share_memory():
    a, b = leaf(1.0, 2.0), leaf(3.0, 4.0)
    seed = aino.tensor([1.0, 1.0], dtype=aino.float64)
    (a + b).backward(seed)
    arrays = [a.grad.array, b.grad.array, seed.array, a.array, b.array]
    for i, first in enumerate(arrays):
        for second in arrays[i + 1 :]:
            assert not np.shares_memory(first, second)


def test_the_gradient_of_a_tensor_that_is_its_own_root():
    x = leaf(1.0, 2.0)
    seed = aino.tensor([5.0, 6.0], dtype=aino.float64)
    x.backward(seed)
    assert x.grad.tolist() == [5.0, 6.0]
    seed.array[:] = 0.0
    assert x.grad.tolist() == [5.0, 6.0]


@pytest.mark.parametrize("view", ["reshape", "transpose", "row"])
def test_a_gradient_through_a_view_owns_its_memory(view):
    x = aino.ones(2, 2, dtype=aino.float64, requires_grad=True)
    seed = aino.ones(2, 2, dtype=aino.float64)
    y = {"reshape": x.reshape(4), "transpose": x.T, "row": x[0]}[view]
    y.backward(seed.reshape(y.shape) if view != "row" else seed[0])
    assert not np.shares_memory(x.grad.array, seed.array)
    x.grad.array[...] = 7.0
    assert seed.array.min() == seed.array.max() == 1.0


def test_backward_twice_raises():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward()
    with pytest.raises(GradientError, match="retain_graph=True"):
        y.backward()
    assert x.grad.tolist() == [4.0]


def test_retain_graph_allows_a_second_pass():
    x = leaf(2.0)
    y = (x * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.tolist() == [8.0]
    with pytest.raises(RuntimeError):
        y.backward()


def test_a_part_that_was_freed_raises_from_another_root():
    x = leaf(2.0)
    shared = x * x
    (shared * 1.0).sum().backward()
    with pytest.raises(GradientError):
        (shared * 2.0).sum().backward()


def test_create_graph_keeps_the_graph_and_makes_gradients_differentiable():
    x = leaf(2.0)
    y = (x * x * x).sum()
    y.backward(create_graph=True)
    first = x.grad
    assert first.requires_grad
    x.grad = None
    first.sum().backward()
    assert x.grad.tolist() == [12.0]


def test_gradients_of_every_order():
    x = leaf(2.0)
    derivative = x**5
    for expected in (80.0, 160.0, 240.0, 240.0, 120.0):
        (derivative,) = aino.autograd.grad(derivative.sum(), x, create_graph=True)
        assert derivative.tolist() == [expected]


def test_inputs_restrict_where_gradients_go():
    a, b = leaf(2.0), leaf(3.0)
    (a * b).sum().backward(inputs=[a])
    assert a.grad.tolist() == [3.0]
    assert b.grad is None


def test_inputs_that_no_leaf_is():
    x = leaf(2.0)
    y = x * 3.0
    (y * y).sum().backward(inputs=[y])
    assert y.grad.tolist() == [12.0]
    assert x.grad is None


def test_several_roots():
    x = leaf(1.0, 2.0)
    aino.autograd.backward([(x * 2.0).sum(), (x * x).sum()])
    assert x.grad.tolist() == [4.0, 6.0]


def test_grad_mode_inside_a_backward_pass_is_restored():
    x = leaf(2.0)
    seen = []
    y = x * x
    y.register_hook(lambda g: seen.append(aino.is_grad_enabled()))
    y.sum().backward(retain_graph=True)
    y.sum().backward(create_graph=True)
    assert seen == [False, True]
    assert aino.is_grad_enabled()


def test_an_error_in_a_pass_restores_the_grad_mode():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        y.sum().backward()
    assert aino.is_grad_enabled()


def test_refusals():
    x = leaf(1.0, 2.0)
    with pytest.raises(GradientError, match="scalar"):
        (x * x).backward()
    with pytest.raises(GradientError, match="does not require grad"):
        aino.tensor([1.0]).sum().backward()
    with pytest.raises(ShapeError, match=r"\(3,\)"):
        (x * x).backward(aino.ones(3, dtype=aino.float64))
    with pytest.raises(GradientError, match="2 gradients"):
        aino.autograd.backward([x.sum()], [None, None])
    with pytest.raises(GradientError, match="empty"):
        x.sum().backward(inputs=[])
    with pytest.raises(DtypeError):
        x.sum().backward(aino.tensor(1.0 + 1.0j))
    with pytest.raises(GradientError, match="complex"):
        aino.tensor(1.0 + 1.0j, requires_grad=True).backward()
    with pytest.raises(DtypeError):
        aino.tensor([1, 2], requires_grad=True)


def test_a_cotangent_of_another_dtype_is_cast():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    (x * 2.0).backward(aino.ones(2, dtype=aino.float64))
    assert x.grad.dtype == aino.float32


def test_mixed_dtypes_give_each_leaf_its_own():
    a = aino.tensor([1.0, 2.0], requires_grad=True)
    b = leaf(3.0, 4.0)
    (a * b).sum().backward()
    assert a.grad.dtype == aino.float32
    assert b.grad.dtype == aino.float64


def test_assigning_a_gradient():
    x = leaf(1.0, 2.0)
    x.grad = aino.tensor([1.0, 1.0], dtype=aino.float64)
    x.sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    x.grad = None
    assert x.grad is None
    with pytest.raises(ShapeError):
        x.grad = aino.ones(3, dtype=aino.float64)
    with pytest.raises(DtypeError):
        x.grad = aino.ones(2)
    with pytest.raises(TypeError):
        x.grad = 1.0


def test_leaves_and_recorded_tensors():
    x = leaf(1.0)
    y = x * 2.0
    assert x.is_leaf
    assert x.grad_fn is None
    assert not y.is_leaf
    assert y.grad_fn.name() == "MulBackward0"
    assert y.grad is None
    assert y.detach().is_leaf
    assert not y.detach().requires_grad
    with pytest.raises(GradientError):
        y.requires_grad_(False)
    x.requires_grad_(False)
    assert not (x * 2.0).requires_grad


def test_freezing_a_leaf_keeps_its_gradient():
    x = leaf(1.0)
    x.sum().backward()
    x.requires_grad_(False)
    assert x.grad.tolist() == [1.0]
    x.requires_grad_(True)
    x.sum().backward()
    assert x.grad.tolist() == [2.0]


def test_numpy_does_not_lose_a_gradient():
    x = leaf(1.0)
    with pytest.raises(GradientError, match="detach"):
        x.numpy()
    with pytest.raises(GradientError, match="detach"):
        np.asarray(x)
    assert x.detach().numpy() is x.array
    assert x.numpy(force=True) is x.array
