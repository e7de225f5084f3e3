"""L-BFGS: what it finds, how often it asks, and that its memory is saved."""

import numpy as np
import pytest

from aino.autograd.tensor import Tensor, make
from aino.optim import LBFGS
from aino.optim.line_search import Point, cubic_minimum, strong_wolfe


def rosenbrock(w):
    """Return the loss and its gradient, by hand; the minimum is at (1, 1)."""
    a, b = w
    loss = 100 * (b - a * a) ** 2 + (1 - a) ** 2
    return loss, np.array([-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a)])


def problem(start=(-1.2, 1.0), **settings):
    """Return two scalar parameters, an optimizer, and the closure that it wants."""
    tensors = [Tensor(np.array(x)).requires_grad_() for x in start]
    optimizer = LBFGS(tensors, **settings)
    losses = []

    def closure():
        loss, gradient = rosenbrock(np.array([t.array for t in tensors]))
        for tensor, part in zip(tensors, gradient):
            tensor.grad = make(np.array(part))
        losses.append(float(loss))
        return loss

    return tensors, optimizer, closure, losses


def test_the_valley_is_followed_to_its_end():
    settings = {"line_search_fn": "strong_wolfe", "max_iter": 100, "tolerance_change": 1e-16}
    tensors, optimizer, closure, losses = problem(**settings)
    first = optimizer.step(closure)
    np.testing.assert_allclose(first, 24.2)
    np.testing.assert_allclose([t.array for t in tensors], [1, 1], atol=1e-6)
    state = optimizer.state[tensors[0]]
    assert state["func_evals"] == len(losses) < 80
    assert min(losses) == losses[-1] or losses[-1] < 1e-12


def test_fixed_steps_evaluate_once_an_iteration():
    tensors, optimizer, closure, losses = problem(lr=0.01, max_iter=7)
    optimizer.step(closure)
    assert len(losses) == optimizer.state[tensors[0]]["n_iter"] == 7


def test_a_quadratic_needs_one_line_search():
    target = np.array([3.0, -2.0])
    tensor = Tensor(np.zeros(2)).requires_grad_()
    optimizer = LBFGS([tensor], line_search_fn="strong_wolfe")

    def closure():
        tensor.grad = make(2 * (tensor.array - target))
        return ((tensor.array - target) ** 2).sum()

    optimizer.step(closure)
    np.testing.assert_allclose(tensor.array, target, atol=1e-12)


def test_complex_parameters_and_those_without_gradient():
    target = np.array([1 - 2j, 3j])
    tensor, idle = make(np.zeros(2, complex)).requires_grad_(), make(np.ones(3)).requires_grad_()
    optimizer = LBFGS([tensor, idle], line_search_fn="strong_wolfe")

    def closure():
        tensor.grad = make(2 * (tensor.array - target))
        return (np.abs(tensor.array - target) ** 2).sum()

    optimizer.step(closure)
    np.testing.assert_allclose(tensor.array, target, atol=1e-12)
    np.testing.assert_array_equal(idle.array, 1.0)


def test_it_stops_at_once_where_there_is_no_slope():
    tensors, optimizer, closure, losses = problem(start=(1.0, 1.0))
    optimizer.step(closure)
    assert len(losses) == 1
    assert [t.array for t in tensors] == [1.0, 1.0]


@pytest.mark.parametrize("search", [None, "strong_wolfe"])
def test_a_run_resumed_from_its_state_dict_differs_in_no_bit(search):
    settings = {"line_search_fn": search, "max_iter": 3, "lr": 0.01 if search is None else 1}
    tensors, optimizer, closure, _ = problem(**settings)
    optimizer.step(closure)
    others, twin, again, _ = problem([t.array for t in tensors], **settings)
    twin.load_state_dict(optimizer.state_dict())
    for _ in range(3):
        optimizer.step(closure)
        twin.step(again)
    assert [t.array for t in tensors] == [t.array for t in others]


def test_the_history_is_bounded():
    tensors, optimizer, closure, _ = problem(history_size=2, line_search_fn="strong_wolfe")
    optimizer.step(closure)
    assert len(optimizer.state[tensors[0]]["old_dirs"]) == 2


def test_the_cubic_through_two_points():
    def at(t):
        return Point(t, t**3 - 3 * t, None, 3 * t * t - 3)

    assert cubic_minimum(at(0.0), at(2.0)) == pytest.approx(1.0)
    assert cubic_minimum(at(2.0), at(0.0)) == pytest.approx(1.0)
    assert cubic_minimum(at(0.0), at(2.0), (1.5, 1.9)) == 1.5
    assert cubic_minimum(at(1.0), at(1.0)) == 1.0
    line = Point(0.0, 0.0, None, 1.0), Point(1.0, 1.0, None, 1.0)
    assert 0.0 <= cubic_minimum(*line) <= 1.0


@pytest.mark.parametrize("first", [1e-3, 0.3, 1.0, 30.0])
def test_the_wolfe_conditions_hold_where_the_search_ends(first):
    def at(t):
        return Point(t, (t - 2) ** 4 + t, None, 4 * (t - 2) ** 3 + 1)

    start = at(0.0)
    found, evaluations = strong_wolfe(at, start, first, 1.0, 25, 1e-9)
    assert found.loss <= start.loss + 1e-4 * found.t * start.slope
    assert abs(found.slope) <= 0.9 * abs(start.slope)
    assert evaluations <= 25
