"""Views that are written, and views of what is: PyTorch's gradient, or an error in both."""

from __future__ import annotations

import pytest

from tests.parity.inplace import check_program

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


# Views


@program
def a_view_is_written(m, x):
    y = x * 2.0
    y[0].mul_(3.0)
    return y * y


@program
def a_view_is_written_and_read(m, x):
    y = x * 2.0
    v = y[0]
    v.mul_(3.0)
    return y.sum() + (v * x[1]).sum()


@program
def the_base_is_written_and_a_view_is_read(m, x):
    y = x * 2.0
    v = y[0]
    y.mul_(3.0)
    return v * v


@program
def a_view_then_its_base_then_the_view(m, x):
    y = x * 2.0
    v = y[0]
    v.mul_(3.0)
    y.mul_(x)
    v.add_(1.0)
    return y + v


@program
def two_views_of_one_base(m, x):
    y = x * 2.0
    a, b = y[0], y[:, 1]
    a.mul_(x[1])
    b.add_(x[:, 0])
    return (a * a).sum() + (b * b).sum() + y.sum()


@program
def a_view_of_a_view(m, x):
    y = x * 2.0
    v = y.view(6)[1:5]
    w = v[::2]
    w.mul_(3.0)
    return (y * y).sum() + v.sum() + (w * w).sum()


@program
def a_transposed_view(m, x):
    y = x * 2.0
    y.T[1].mul_(x[:, 0])
    return y * y


@program
def a_permuted_then_flattened_view(m, x):
    y = x * 2.0
    v = y.T.reshape(6)  # a copy: the layout does not allow a view
    v.mul_(3.0)
    return y.sum() + (v * v).sum()


@program
def unsqueeze_squeeze_expand(m, x):
    y = x * 2.0
    y.unsqueeze(0).squeeze(0).mul_(x)
    return y * y


@program
def an_expanded_view(m, x):
    y = x[0] * 2.0
    y.expand(2, 3).mul_(2.0)
    return y


@program
def an_expanded_view_that_repeats_nothing(m, x):
    y = x[0] * 2.0
    y.expand(1, 3).mul_(x[1:])
    return y * y


@program
def windows(m, x):
    y = x * 2.0
    y.unfold(1, 1, 2).mul_(3.0)
    return y * y


@program
def windows_of_a_transposed_owner(m, x):
    y = x.t() * 1.0
    y.unfold(0, 2, 2).mul_(10.0)
    return y * y


@program
def windows_of_permuted_owners(m, x):
    y = (x.reshape(1, 2, 3).permute(2, 0, 1) * x[0].reshape(3, 1, 1)).transpose(0, 2)
    y.unfold(0, 2, 1).mul_(10.0)
    return y * y


@program
def a_diagonal_view(m, x):
    y = (x @ x.T) * 1.0
    y.diagonal().mul_(3.0)
    return y * y


@program
def a_select_and_narrow(m, x):
    y = x * 2.0
    y.select(1, 0).add_(x[:, 1])
    y.narrow(1, 1, 2).mul_(x[:, :2])
    return y * y


@program
def views_of_split(m, x):
    y = x * 2.0
    a, b = y.split(1)
    a.mul_(2.0)
    return (a * b).sum()


@program
def views_of_unbind(m, x):
    y = x * 2.0
    a, b = y.unbind(0)
    a.mul_(2.0)
    return a * b


@program
def views_of_chunk_read_only(m, x):
    y = x * 2.0
    a, b, c = y.chunk(3, 1)
    return (a * b).sum() + c.sum()


@program
def a_constant_base_becomes_differentiable(m, x):
    y = m.zeros(2, 3, dtype=m.float64)
    v = y[0]
    y.copy_(x)
    return v * v


@program
def a_constant_base_through_its_view(m, x):
    y = m.zeros(2, 3, dtype=m.float64)
    y[0].copy_(x[1])
    return y * x


@program
def a_view_made_before_the_base_became_differentiable(m, x):
    y = m.zeros(2, 3, dtype=m.float64)
    v, w = y[0], y.view(6)
    v.add_(x[0])
    return (w * w).sum() + y.sum()


@program
def a_detached_view_is_written(m, x):
    y = x * 2.0
    y.detach()[0].mul_(3.0)
    return y * 2.0


@program
def a_view_under_no_grad_is_written(m, x):
    y = x * 2.0
    with m.no_grad():
        v = y[0]
    v.mul_(3.0)
    return y * 2.0


@program
def a_view_under_no_grad_is_written_there(m, x):
    y = x * 2.0
    with m.no_grad():
        y[0].mul_(3.0)
    return y * 2.0


@program
def a_view_under_no_grad_and_its_base_is_written(m, x):
    y = x * 2.0
    with m.no_grad():
        v = y[0]
    y.mul_(3.0)
    return y.sum() + v.sum()


@program
def detach_in_place(m, x):
    y = x * 2.0
    z = y * y
    y.detach_()
    return z + y


@program
def detach_a_view_in_place(m, x):
    y = x * 2.0
    v = y[0]
    v.detach_()
    return y


@program
def a_clone_is_independent(m, x):
    y = x * 2.0
    z = y.clone()
    z[0] = 0.0
    return y * y + z


@program
def a_reshape_that_copies_nothing(m, x):
    y = x * 2.0
    y.reshape(3, 2)[0].mul_(2.0)
    return y * y


@program
def contiguous_of_a_contiguous(m, x):
    y = x * 2.0
    z = y.contiguous()
    z.mul_(2.0)
    return y + z


@program
def to_the_same_dtype(m, x):
    y = x * 2.0
    z = y.to(m.float64)
    z.mul_(2.0)
    return y + z


@program
def requires_grad_of_views(m, x):
    y = m.zeros(2, 3, dtype=m.float64)
    v = y[0]
    before = v.requires_grad
    y.add_(x)
    assert (before, v.requires_grad) == (False, True)
    return v


@program
def a_write_between_forward_and_second_backward(m, x):
    y = x * 1.0
    z = (y * y).sum()
    z.backward(retain_graph=True)
    y.add_(1.0)
    z.backward()
    return x.sum()


@program
def a_write_after_backward(m, x):
    y = x * 1.0
    (y * y).sum().backward()
    y.add_(1.0)
    return x.sum()


@program
def retain_grad_before_a_write(m, x):
    y = x * 2.0
    y.retain_grad()
    y.mul_(3.0)
    (y * y).sum().backward()
    return x.sum() + y.grad.sum()


@program
def a_hook_before_a_write(m, x):
    y = x * 2.0
    y.register_hook(lambda g: g * 10.0)
    y.mul_(3.0)
    return y


@program
def second_order_through_a_write(m, x):
    y = x * x
    y[0].mul_(x[1])
    (slope,) = m.autograd.grad((y * y).sum(), x, create_graph=True)
    return slope * slope


@program
def a_normal_in_place_chain_of_layers(m, x):
    h = x @ x.T
    h += x[:, :1]
    h.relu_()
    h = h @ x
    h -= h.mean()
    return h * h


@program
def running_statistics(m, x):
    running = m.zeros(3, dtype=m.float64)
    mean = x.mean(0)
    running.mul_(0.9).add_(mean.detach(), alpha=0.1)
    return (x - mean) * running


@program
def running_statistics_with_history(m, x):
    running = m.zeros(3, dtype=m.float64)
    running.mul_(0.9).add_(x.mean(0), alpha=0.1)
    return x * running


@program
def real_and_imaginary_views(m, x):
    z = m.complex(x, x * 2.0)
    z.real.mul_(3.0)
    return (z * z.conj()).real


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    check_program(PROGRAMS[name])
