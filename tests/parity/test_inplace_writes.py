"""Writes in place into results and leaves: PyTorch's gradient, or an error in both."""

from __future__ import annotations

import pytest

from tests.parity.inplace import check_program

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


# Writes into a tensor that an operation made


@program
def add_a_number(m, x):
    y = x * 2.0
    y.add_(1.0)
    return y * y


@program
def add_a_tensor(m, x):
    y = x * 2.0
    y.add_(x)
    return y * y


@program
def add_itself(m, x):
    y = x * 2.0
    y.add_(y)
    return y * y


@program
def add_with_alpha(m, x):
    y = x * 2.0
    y.add_(x, alpha=3.0)
    return y * x


@program
def mul_reads_the_old_value(m, x):
    y = x * 2.0
    y.mul_(x)
    return y


@program
def mul_itself(m, x):
    y = x * 2.0
    y.mul_(y)
    return y


@program
def div_and_sub(m, x):
    y = x + 3.0
    y.div_(x)
    y.sub_(x * x)
    return y * 2.0


@program
def a_chain_of_functions(m, x):
    y = x * 1.0
    y.exp_()
    y.sin_()
    y.mul_(2.0)
    y.neg_()
    return y


@program
def relu_in_place(m, x):
    y = x * 1.0
    y.relu_()
    return y * y


@program
def clamp_in_place(m, x):
    y = x * 1.0
    y.clamp_(-1.0, 1.0)
    return y * x


@program
def pow_in_place(m, x):
    y = x * 1.0
    y.pow_(3)
    return y


@program
def sqrt_in_place(m, x):
    y = x * x + 1.0
    y.sqrt_()
    return y


@program
def augmented_operators(m, x):
    y = x * 1.0
    y += x
    y *= 3.0
    y -= x * x
    y /= 2.0
    return y


@program
def augmented_operator_on_a_leaf(m, x):
    x += 1.0
    return x


@program
def broadcast_into(m, x):
    y = x * 1.0
    y.add_(x[0])
    y.mul_(x[:, :1])
    return y


@program
def a_result_of_another_shape(m, x):
    y = x[0] * 1.0
    y.add_(x)
    return y


@program
def a_result_of_another_dtype(m, x):
    y = m.ones(3, dtype=m.int64)
    y.add_(x[0])
    return x.sum()


@program
def a_float_into_a_double(m, x):
    y = x * 1.0
    y.mul_(m.tensor([1.0, 2.0, 3.0]))
    return y


@program
def zero_in_place(m, x):
    y = x * 2.0
    y.zero_()
    return y + x


@program
def fill_in_place(m, x):
    y = x * 2.0
    y.fill_(3.0)
    return y * x


@program
def fill_with_a_tensor(m, x):
    y = x * 2.0
    y.fill_(x[0, 0])
    return y * x


@program
def copy_in_place(m, x):
    y = x * 2.0
    y.copy_(x * x)
    return y * x


@program
def copy_broadcast(m, x):
    y = x * 2.0
    y.copy_(x[1])
    return y * x


@program
def copy_into_a_constant(m, x):
    y = m.zeros(2, 3, dtype=m.float64)
    y.copy_(x)
    return y * y


@program
def copy_over_a_history(m, x):
    """The old graph is reached, with zeros, and its hooks are called."""
    seen = []
    y = x * 2.0
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.copy_(m.ones(2, 3, dtype=m.float64, requires_grad=True) * 3.0)
    (slope,) = m.autograd.grad(y.sum(), x, retain_graph=True)
    assert seen == [[[0.0] * 3] * 2]
    return x.sum() + slope.sum()


@program
def fill_over_a_history(m, x):
    y = x * 2.0
    y.fill_(m.tensor(3.0, dtype=m.float64, requires_grad=True))
    (slope,) = m.autograd.grad(y.sum(), x)
    return x + slope


@program
def floats_into_integers(m, x):
    y = m.zeros(2, 3, dtype=m.int64)
    y.copy_(x)
    y[...] = x
    y[0] = x[1]
    z = m.zeros(2, 3, dtype=m.bool)
    z.copy_(x)
    assert not any(t.requires_grad for t in (y, z))
    return x * y * z


# Leaves


@program
def a_leaf_frozen_after_the_forward_pass(m, x):
    w = m.ones(2, 3, dtype=m.float64, requires_grad=True)
    y = (w * x).sum()
    w.requires_grad_(False)
    y.backward()
    assert w.grad is None
    w.requires_grad_()
    (w * x.detach()).sum().backward()
    assert w.grad is not None
    return x * 1.0


@program
def a_leaf(m, x):
    x.add_(1.0)
    return x


@program
def a_view_of_a_leaf(m, x):
    x[0].add_(1.0)
    return x


@program
def a_view_of_a_view_of_a_leaf(m, x):
    x.view(6)[1:3].mul_(2.0)
    return x


@program
def an_item_of_a_leaf(m, x):
    x[0, 0] = 1.0
    return x


@program
def a_leaf_detached(m, x):
    x.detach()[0] = 5.0
    return x * 2.0


@program
def a_leaf_under_no_grad(m, x):
    with m.no_grad():
        x[0] = 5.0
    return x * x


@program
def an_optimizer_step(m, x):
    (x * x).sum().backward()
    with m.no_grad():
        x -= 0.1 * x.grad
    x.grad = None
    return x * x * x


@program
def an_optimizer_step_through_data(m, x):
    (x * x).sum().backward()
    x.data.add_(x.grad, alpha=-0.1)
    x.grad.zero_()
    return x * x * x


@program
def grad_is_zeroed_in_place(m, x):
    (x * x).sum().backward()
    x.grad.zero_()
    return x * 3.0


@program
def a_frozen_leaf(m, x):
    w = m.ones(2, 3, dtype=m.float64)
    w.add_(1.0)
    return w * x


@program
def a_leaf_that_becomes_one_later(m, x):
    w = m.ones(2, 3, dtype=m.float64)
    v = w[0]
    w.requires_grad_()
    v.add_(1.0)
    return w * x


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    check_program(PROGRAMS[name])
