"""Values that a rule reads, and assignment: PyTorch's gradient, or an error in both."""

from __future__ import annotations

import pytest

from tests.parity.inplace import check_program

PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


# Saved values


@program
def a_saved_output_is_written(m, x):
    y = (x * 1.0).exp()
    z = y * 1.0
    y.add_(1.0)
    return z + y


@program
def a_saved_input_is_written(m, x):
    y = x * 1.0
    z = y * y
    y.add_(1.0)
    return z


@program
def an_input_that_nobody_saved(m, x):
    y = x * 1.0
    z = y + y
    y.add_(1.0)
    return z * y


@program
def the_maxima_of_windows_are_written(m, x):
    F = m.nn.functional
    z = F.relu(F.max_pool1d(x * 1.0, 2), inplace=True)
    return z + F.relu(F.max_pool1d(x * 2.0, 2, stride=1, padding=1), inplace=True)[:, ::3]


@program
def the_maxima_of_adaptive_windows_are_written(m, x):
    F = m.nn.functional
    return F.relu(F.adaptive_max_pool1d(x * 1.0, 2), inplace=True)


@program
def a_saved_constant_is_written(m, x):
    c = m.ones(2, 3, dtype=m.float64)
    y = x * c
    c.add_(1.0)
    return y


@program
def a_constant_that_nobody_reads(m, x):
    c = m.ones(2, 3, dtype=m.float64)
    y = x + c
    c.add_(1.0)
    return y * c


@program
def a_saved_value_through_a_view(m, x):
    y = x * 1.0
    z = y * y
    y[0].add_(1.0)
    return z


@program
def a_saved_view_through_its_base(m, x):
    y = x * 1.0
    z = y[0] * y[1]
    y.mul_(2.0)
    return z


@program
def a_saved_view_through_another_view(m, x):
    y = x * 1.0
    z = y[0] * y[0]
    y[1].mul_(2.0)
    return z


@program
def a_saved_value_through_detach(m, x):
    y = x * 1.0
    z = y * y
    y.detach().add_(1.0)
    return z


@program
def a_saved_leaf_under_no_grad(m, x):
    z = x * x
    with m.no_grad():
        x.add_(1.0)
    return z


@program
def a_leaf_under_no_grad_that_nobody_saved(m, x):
    z = x + 1.0
    with m.no_grad():
        x.add_(1.0)
    return z


@program
def a_saved_leaf_through_data(m, x):
    z = x + 1.0
    x.data.mul_(2.0)
    return z * 3.0


@program
def a_saved_relu_output(m, x):
    z = (x * 1.0).relu()
    z.add_(1.0)
    return z


@program
def sigmoid_then_write(m, x):
    z = x.sigmoid()
    z[0] = 0.0
    return z


@program
def sum_then_write(m, x):
    y = x * 1.0
    s = y.sum()
    y.zero_()
    return s + y.sum()


@program
def matmul_then_write(m, x):
    y = x * 1.0
    z = y @ y.T
    y.add_(1.0)
    return z


@program
def indices_are_written_after(m, x):
    index = m.tensor([0, 1])
    y = x[index]
    index.zero_()
    return y * x[index]


@program
def a_mask_is_written_after(m, x):
    mask = x > 0
    y = m.where(mask, x, x * 2.0)
    mask.zero_()
    return y


@program
def max_then_write(m, x):
    y = x * 1.0
    z = y.amax(1)
    y.zero_()
    return z


@program
def cat_then_write(m, x):
    y = x * 1.0
    z = m.cat([y, x])
    y.zero_()
    return z * z


@program
def softmax_then_write(m, x):
    y = x.softmax(1)
    y.mul_(2.0)
    return y


# Assignment


@program
def assign_a_number(m, x):
    y = x * 2.0
    y[0, 1] = 7.0
    return y * y


@program
def assign_a_row(m, x):
    y = x * 2.0
    y[0] = x[1] * x[1]
    return y * y


@program
def assign_a_slice_of_itself(m, x):
    y = x * 2.0
    y[:, 1:] = y[:, :2].clone()
    return y * y


@program
def assign_overlapping(m, x):
    y = x * 2.0
    y[0] = y[1]
    y[1] = y[0] * 3.0
    return y * x


@program
def assign_into_a_constant(m, x):
    y = m.zeros(4, 3, dtype=m.float64)
    y[1:3] = x
    y[0] = x[0] * 2.0
    return y * y


@program
def assign_with_a_step(m, x):
    y = x * 2.0
    y[:, ::2] = x[:, 1:]
    return y * y


@program
def assign_broadcast(m, x):
    y = x * 2.0
    y[...] = x[0]
    return y * x


@program
def assign_by_integers(m, x):
    y = x * 2.0
    y[m.tensor([1, 0]), m.tensor([2, 0])] = x[0, :2]
    return y * y


@program
def assign_by_a_mask(m, x):
    y = x * 2.0
    y[x > 0] = 0.0
    return y * x


@program
def assign_by_a_mask_a_tensor(m, x):
    y = x * 2.0
    y[x > 1.0] = x[0, :2]
    return y * y


@program
def assign_a_new_axis(m, x):
    y = x * 2.0
    y[:, None, 0] = x[:, 1:2]
    return y * y


@program
def assign_in_a_loop(m, x):
    y = m.zeros(4, dtype=m.float64)
    y[0] = x[0, 0]
    for k in range(1, 4):
        y[k] = y[k - 1].clone() * x[1, 1]
    return y


@program
def assign_in_a_loop_reading_views(m, x):
    y = m.zeros(4, dtype=m.float64)
    y[0] = x[0, 0]
    for k in range(1, 4):
        y[k] = y[k - 1] * x[1, 1]
    return y


@program
def assign_in_a_loop_without_a_product(m, x):
    y = m.zeros(4, dtype=m.float64)
    y[0] = x[0, 0]
    for k in range(1, 4):
        y[k] = y[k - 1] + x[1, 1]
    return y * x[0, 1]


@program
def masked_fill_in_place(m, x):
    y = x * 2.0
    y.masked_fill_(x > 0, 3.0)
    return y * x


@program
def index_add_in_place(m, x):
    y = x * 2.0
    y.index_add_(0, m.tensor([0, 0]), x)
    return y * x


@program
def scatter_in_place(m, x):
    y = x * 2.0
    y.scatter_(1, m.tensor([[0], [2]]), x[:, :1] * x[:, 1:2])
    return y * x


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name):
    check_program(PROGRAMS[name])
