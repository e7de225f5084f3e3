"""Hooks on tensors, retain_grad, post-accumulate hooks."""

from __future__ import annotations

import pytest

import aino
from aino.errors import GradientError, ShapeError


def leaf(*values):
    return aino.tensor(list(values), dtype=aino.float64, requires_grad=True)


def test_hooks_run_in_order_and_replace_the_gradient():
    x = leaf(1.0, 2.0)
    y = x * 3.0
    seen = []
    y.register_hook(lambda g: seen.append(("first", g.tolist())))
    y.register_hook(lambda g: g * 10.0)
    y.register_hook(lambda g: seen.append(("third", g.tolist())))
    y.sum().backward()
    assert seen == [("first", [1.0, 1.0]), ("third", [10.0, 10.0])]
    assert x.grad.tolist() == [30.0, 30.0]


def test_a_hook_on_a_leaf_sees_the_whole_gradient_once():
    x = leaf(2.0)
    seen = []
    x.register_hook(lambda g: seen.append(g.tolist()))
    (x * x + x).sum().backward()
    assert seen == [[5.0]]


def test_a_hook_on_a_leaf_changes_what_is_accumulated():
    x = leaf(2.0)
    x.register_hook(lambda g: g * 0.5)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_removing_a_hook():
    x = leaf(2.0)
    seen = []
    handle = x.register_hook(lambda g: seen.append(1))
    handle.remove()
    handle.remove()
    with x.register_hook(lambda g: seen.append(2)):
        x.sum().backward()
    x.sum().backward()
    assert seen == [2]


def test_a_hook_may_remove_itself():
    x = leaf(2.0)
    seen = []

    def once(g):
        seen.append(1)
        handle.remove()

    handle = x.register_hook(once)
    x.register_hook(lambda g: seen.append(2))
    x.sum().backward()
    x.sum().backward()
    assert seen == [1, 2, 2]


def test_hooks_take_part_in_second_derivatives():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (slope,) = aino.autograd.grad(y.sum(), x, create_graph=True)
    assert slope.tolist() == [8.0]
    (second,) = aino.autograd.grad(slope.sum(), x)
    assert second.tolist() == [8.0]


def test_a_hook_that_changes_the_shape_raises():
    x = leaf(1.0, 2.0)
    x.register_hook(lambda g: g.sum())
    with pytest.raises(ShapeError, match="hook"):
        x.sum().backward()


def test_hooks_need_a_gradient():
    with pytest.raises(GradientError):
        aino.ones(2).register_hook(print)


def test_hooks_of_complex_tensors_see_pytorchs_gradient():
    z = aino.tensor([1.0 + 2.0j], dtype=aino.complex128, requires_grad=True)
    w = z * 1.0
    seen = []
    w.register_hook(lambda g: seen.append(g.tolist()))
    (w * w).backward(aino.ones(1, dtype=aino.complex128))
    assert seen == [[2.0 - 4.0j]]
    assert z.grad.tolist() == [2.0 - 4.0j]


def test_retain_grad():
    x = leaf(1.0, 2.0)
    y = x * 3.0
    assert not y.retains_grad
    y.retain_grad()
    assert y.retains_grad
    (y * y).sum().backward()
    assert y.grad.tolist() == [6.0, 12.0]
    assert x.grad.tolist() == [18.0, 36.0]


def test_retain_grad_follows_a_write_in_place():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3.0
    y.retain_grad()
    y.mul_(2.0)
    (y * 5.0).sum().backward()
    assert y.grad.tolist() == [5.0, 5.0]  # of what y is now, as in PyTorch
    assert x.grad.tolist() == [30.0, 30.0]


def test_retain_grad_adds_up_and_owns_its_memory():
    x = leaf(1.0)
    y = x * 3.0
    y.retain_grad()
    z = (y * 2.0).sum()
    z.backward(retain_graph=True)
    first = y.grad
    z.backward()
    assert y.grad.tolist() == [4.0]
    assert first.tolist() == [2.0]


def test_retain_grad_comes_after_hooks():
    x = leaf(1.0)
    y = x * 3.0
    y.retain_grad()
    y.register_hook(lambda g: g * 10.0)
    y.sum().backward()
    assert y.grad.tolist() == [10.0]


def test_retain_grad_on_a_leaf_changes_nothing():
    x = leaf(1.0)
    x.retain_grad()
    assert not x.retains_grad
    with pytest.raises(GradientError):
        aino.ones(1).retain_grad()


def test_post_accumulate_hooks_see_the_sum():
    x = leaf(1.0)
    seen = []
    handle = x.register_post_accumulate_grad_hook(lambda t: seen.append((t is x, t.grad.tolist())))
    x.sum().backward()
    x.sum().backward()
    handle.remove()
    x.sum().backward()
    assert seen == [(True, [1.0]), (True, [2.0])]
    with pytest.raises(GradientError):
        (x * 2.0).register_post_accumulate_grad_hook(print)


def test_a_post_accumulate_hook_may_step_and_clear():
    x = leaf(1.0)

    def step(t):
        with aino.no_grad():
            t.sub_(t.grad * 0.1)
        t.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    assert x.tolist() == pytest.approx([0.8])
    assert x.grad is None


def test_each_handle_has_a_number_of_its_own():
    x, layer = leaf(1.0), aino.nn.Linear(1, 1)
    register = [x.register_hook, (x * 2.0).grad_fn.register_hook, layer.register_forward_hook]
    assert len({handle(print).id for handle in register}) == 3
