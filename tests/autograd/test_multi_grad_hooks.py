"""Hooks that wait for the gradients of several tensors."""

from __future__ import annotations

import pytest

import aino
from aino.autograd import passes
from aino.autograd.graph import register_multi_grad_hook
from aino.errors import GradientError


def problem():
    a, b = aino.rand(2, requires_grad=True), aino.rand(2, requires_grad=True)
    return a, b, a * b, a + b


def noted(tensors, **options):
    """Return the list that a hook writes which of the gradients came, and its handle."""
    seen = []
    handle = register_multi_grad_hook(
        tensors, lambda found: seen.append([g is not None for g in found]), **options
    )
    return seen, handle


def test_all_that_a_pass_comes_to():
    a, b, c, d = problem()
    seen, handle = noted((a, b, c, d))
    c.sum().backward(retain_graph=True)
    (c + d).sum().backward(retain_graph=True)
    c.sum().backward(inputs=(a,), retain_graph=True)
    aino.autograd.grad((c * d).sum(), (b, c), retain_graph=True)
    assert seen == [
        [True, True, True, False],
        [True, True, True, True],
        [True, False, True, False],
        [False, True, True, True],
    ]
    handle.remove()
    c.sum().backward()
    assert len(seen) == 4
    assert handle not in passes.watched


def test_the_gradients_are_those_of_the_tensors():
    a, b, c, _ = problem()
    seen = []
    with register_multi_grad_hook((b, a, c), seen.extend):
        (c * 3.0).sum().backward()
    for found, expected in zip(seen, (a * 3.0, b * 3.0, aino.full((2,), 3.0))):
        assert found.tolist() == expected.tolist()


def test_a_tensor_twice_and_outputs_of_one_node():
    x = aino.eye(2, requires_grad=True)
    values, vectors = aino.linalg.eigh(x + aino.diag(aino.tensor([1.0, 2.0])))
    seen, _ = noted((x, values, x, vectors))
    values.sum().backward(retain_graph=True)
    (values.sum() + vectors.abs().sum()).backward()
    assert seen == [[True, True, True, False], [True, True, True, True]]


def test_the_first_of_any():
    a, b, c, d = problem()
    seen = []
    constant = aino.ones(2)
    register_multi_grad_hook((a, b, constant, d), lambda g: seen.append(g.tolist()), mode="any")
    c.sum().backward(retain_graph=True)
    (c + d * 2.0).sum().backward()
    assert len(seen) == 2
    assert seen[1] == [2.0, 2.0]


def test_a_pass_within_a_pass():
    a, b, c, d = problem()
    seen, _ = noted((a, b))
    other = d.sum()
    c.register_hook(lambda g: other.backward())
    c.sum().backward()
    assert seen == [[True, True], [True, True]]


def test_a_pass_that_raises_leaves_nothing_behind():
    a, b, c, _ = problem()

    def fail(gradient):
        raise KeyError

    handle = a.register_hook(fail)
    seen, _ = noted((a, b))
    with pytest.raises(KeyError):
        c.sum().backward(retain_graph=True)
    handle.remove()
    c.sum().backward()
    assert seen == [[True, True]]
    assert passes.walking.now is None


def test_what_is_refused():
    a = aino.ones(1, requires_grad=True)
    with pytest.raises(ValueError, match="mode is 'all' or 'any'"):
        register_multi_grad_hook((a,), print, mode="some")
    with pytest.raises(GradientError, match="does not require a gradient"):
        register_multi_grad_hook((a, aino.ones(1)), print)
    assert not a.node.extras
