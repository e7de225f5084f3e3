"""autograd.functional: shapes of results, strictness, and figures by hand."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd.functional import hessian, hvp, jacobian, jvp, vhp, vjp
from aino.errors import DtypeError, GradientError, ShapeError


def tensor(*values):
    return aino.tensor(list(values), dtype=aino.float64)


X, Y, V = tensor(1.0, 2.0), tensor(3.0, 4.0), tensor(1.0, -1.0)


def both(x, y):
    return x * y, (x * x).sum()


def cubes(x):
    return (x**3).sum()


def mixed(x, y):
    return (x * x * y).sum()


def test_jacobian_of_one():
    result = jacobian(lambda x: x * x, X)
    assert result.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert not result.requires_grad


def test_jacobian_shapes():
    x = aino.ones(2, 3, dtype=aino.float64)
    assert jacobian(lambda x: x.sum(0), x).shape == (3, 2, 3)
    assert jacobian(lambda x: x.sum(), x).shape == (2, 3)
    assert jacobian(lambda x: x[:0], x).shape == (0, 3, 2, 3)


def test_jacobian_of_several():
    (to_x, to_y), (sum_x, sum_y) = jacobian(both, (X, Y))
    assert to_x.tolist() == [[3.0, 0.0], [0.0, 4.0]]
    assert to_y.tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert sum_x.tolist() == [2.0, 4.0]
    assert sum_y.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("options", [{"vectorize": True}, {"strategy": "forward-mode"}])
def test_jacobian_options_change_no_number(options):
    for row, other in zip(jacobian(both, (X, Y)), jacobian(both, (X, Y), **options)):
        for a, b in zip(row, other):
            assert a.tolist() == b.tolist()


def test_jacobian_with_a_graph():
    x = tensor(1.0, 2.0).requires_grad_()
    result = jacobian(lambda x: x**3, x, create_graph=True)
    result.sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_hessian():
    assert hessian(cubes, X).tolist() == [[6.0, 0.0], [0.0, 12.0]]
    (xx, xy), (yx, yy) = hessian(mixed, (X, Y))
    assert xx.tolist() == [[6.0, 0.0], [0.0, 8.0]]
    assert xy.tolist() == yx.tolist() == [[2.0, 0.0], [0.0, 4.0]]
    assert yy.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert hessian(lambda x: (x**2).sum().reshape(1, 1), X).shape == (2, 2)


def test_hessian_with_a_graph():
    x = tensor(1.0, 2.0).requires_grad_()
    hessian(cubes, x, create_graph=True).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]


def test_products_with_the_jacobian():
    outputs, product = vjp(lambda x: x * x, X, V)
    assert outputs.tolist() == [1.0, 4.0]
    assert product.tolist() == [2.0, -4.0]
    outputs, product = jvp(lambda x: x * x, X, V)
    assert outputs.tolist() == [1.0, 4.0]
    assert product.tolist() == [2.0, -4.0]
    outputs, (to_x, to_y) = vjp(both, (X, Y), (V, tensor(1.0).sum()))
    assert len(outputs) == 2
    assert to_x.tolist() == [5.0, 0.0]
    assert to_y.tolist() == [1.0, -2.0]
    _, (product, total) = jvp(both, (X, Y), (V, V))
    assert product.tolist() == [4.0, -6.0]
    assert total.item() == -2.0


def test_products_with_the_hessian():
    for product in (hvp, vhp):
        value, result = product(cubes, X, V)
        assert value.item() == 9.0
        assert result.tolist() == [6.0, -12.0]
        _, (to_x, to_y) = product(mixed, (X, Y), (V, V))
        assert to_x.tolist() == [8.0, -12.0]
        assert to_y.tolist() == [2.0, -4.0]


def test_products_agree_with_the_matrices():
    rng = np.random.default_rng(0)
    x, v = (aino.tensor(rng.normal(size=4)) for _ in range(2))

    def function(x):
        return (x.exp() * x[0]).sum() * x

    matrix = jacobian(function, x).array
    np.testing.assert_allclose(vjp(function, x, v)[1].array, v.array @ matrix)
    np.testing.assert_allclose(jvp(function, x, v)[1].array, matrix @ v.array)
    curvature = hessian(lambda x: function(x).sum(), x).array
    np.testing.assert_allclose(curvature, curvature.T)
    np.testing.assert_allclose(hvp(lambda x: function(x).sum(), x, v)[1].array, curvature @ v.array)


@pytest.mark.parametrize("product", [vjp, jvp, hvp, vhp])
def test_products_with_a_graph(product):
    x = tensor(2.0).requires_grad_()
    value, result = product(lambda x: (x**4).sum(), x, create_graph=True)
    assert value.requires_grad
    result.sum().backward()
    assert x.grad.tolist() == [48.0]
    value, result = product(lambda x: (x**4).sum(), x)
    assert not value.requires_grad
    assert not result.requires_grad


def test_nothing_is_added_to_grad():
    x = tensor(1.0, 2.0).requires_grad_()
    w = tensor(3.0, 4.0).requires_grad_()
    jacobian(lambda x: x * w, x)
    hessian(lambda x: (x**2 * w).sum(), x)
    assert x.grad is None
    assert w.grad is None


def test_a_graph_is_recorded_under_no_grad():
    with aino.no_grad():
        assert jacobian(lambda x: x * x, X).tolist() == [[2.0, 0.0], [0.0, 4.0]]
        assert vjp(cubes, X)[1].tolist() == [3.0, 12.0]
        assert jvp(lambda x: x * x, X, V)[1].tolist() == [2.0, -4.0]
        assert hvp(cubes, X, V)[1].tolist() == [6.0, -12.0]


def test_independent_outputs_are_zero_or_refused():
    def constant(x):
        return aino.ones(2, dtype=aino.float64)

    assert jacobian(constant, X).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert vjp(constant, X, V)[1].tolist() == [0.0, 0.0]
    assert jvp(constant, X, V)[1].tolist() == [0.0, 0.0]
    assert hvp(lambda x: x.sum(), X, V)[1].tolist() == [0.0, 0.0]
    for function in (jacobian, lambda f, x, strict: vjp(f, x, V, strict=strict)):
        with pytest.raises(GradientError, match="strict"):
            function(constant, X, strict=True)
    with pytest.raises(GradientError, match="input 1"):
        jacobian(lambda x, y: x * 2.0, (X, Y), strict=True)
    with pytest.raises(GradientError, match="strict"):
        jvp(lambda x: x * 2.0, (X,), (V,), create_graph=True, strict=True)
    with pytest.raises(GradientError, match="strict"):
        hessian(lambda x: (x * 2.0).sum(), X, strict=True)
    with pytest.raises(GradientError, match="strict"):
        hvp(lambda x: x.sum(), X, V, strict=True)


def test_refusals():
    with pytest.raises(DtypeError, match="jacobian"):
        jacobian(lambda x: x, [1.0])
    with pytest.raises(DtypeError, match="index 1"):
        vjp(lambda x, y: x, (X, 2.0), V)
    with pytest.raises(GradientError, match="single element"):
        vjp(lambda x: x, X)
    with pytest.raises(GradientError, match="single element"):
        jvp(lambda x: x, X)
    with pytest.raises(GradientError, match="single element"):
        hvp(cubes, X)
    with pytest.raises(GradientError, match="single element"):
        hessian(lambda x: x, X)
    with pytest.raises(GradientError, match="single Tensor"):
        hessian(lambda x: (x.sum(), x.sum()), X)
    with pytest.raises(ShapeError, match="invalid size"):
        vjp(lambda x: x, X, tensor(1.0))
    with pytest.raises(GradientError, match="length"):
        vjp(both, (X, Y), (V,))
    with pytest.raises(ValueError, match="strategy"):
        jacobian(lambda x: x, X, strategy="sideways")
    with pytest.raises(GradientError, match="strict"):
        jacobian(lambda x: x, X, strict=True, vectorize=True)
