"""What rows can't say: warnings, chance, accuracy, memory, and the examples of the docstrings."""

import doctest
import math
import warnings

import numpy as np
import pytest

import aino
from aino.autograd.rules import special
from aino.errors import DivisionError, DtypeError
from aino.ops import pointwise as ops
from aino.ops.pointwise import activation, compare, softmax

EXTREME = [-1000.0, -89.0, -50.0, -20.5, -1.0, 0.0, 1.0, 20.5, 50.0, 89.0, 1000.0]
OF_ONE = [
    "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "softplus",
    "softsign", "hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink", "tanhshrink",
    "logsigmoid", "sigmoid", "tanh", "erf", "erfc", "atan", "asinh",
]  # fmt: skip


@pytest.mark.parametrize("module", [activation, compare, ops], ids=lambda module: module.__name__)
def test_the_examples_of_the_docstrings(module):
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for name in module.__all__:
        tests = finder.find(getattr(module, name), name, module=False, globs={})
        assert any(test.examples for test in tests), f"{name} has no example"
        for test in tests:
            runner.run(test)
    assert not runner.failures


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OF_ONE)
def test_extremes_are_finite_to_second_order_without_a_warning(name, dtype):
    function = getattr(activation, name, None) or getattr(ops, name)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = aino.tensor(np.array(EXTREME, dtype), requires_grad=True)
        y = function(x)
        (slope,) = aino.autograd.grad(y.sum(), x, create_graph=True)
        (curve,) = aino.autograd.grad(slope.sum(), x) if slope.requires_grad else (slope,)
    for values in (y, slope, curve):
        assert np.isfinite(values.array).all()
        assert values.dtype == dtype


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_scores_far_apart(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = aino.tensor(EXTREME, requires_grad=True)
        y = getattr(aino, name)(x, 0)
        y.sum().backward()
    assert np.isfinite(y.array).all()
    assert np.isfinite(x.grad.array).all()


def test_erf_is_right_to_the_last_digits():
    for dtype, rtol in ((np.float64, 5e-16), (np.float32, 2.5e-7)):
        x = np.concatenate([np.linspace(-7.0, 7.0, 5001), np.logspace(-36, 0, 500)]).astype(dtype)
        exact = np.array([math.erf(value) for value in x])
        np.testing.assert_allclose(special.erf(x), exact, rtol=rtol, atol=0.0)


def test_a_large_array_gives_what_its_parts_give():
    x = np.linspace(-4.0, 4.0, 20_000).reshape(100, 200)
    for function in (special.erf, special.normal_cdf, ops.sigmoid, ops.tanh):
        whole = function(x)
        np.testing.assert_array_equal(whole[7], function(x[7].copy()))
        assert whole.shape == x.shape


def test_a_large_choice_is_bit_for_bit_that_of_a_small_one():
    condition = np.arange(10_000) % 3 == 0
    a = np.where(np.arange(10_000) % 7 == 0, np.nan, -0.0)
    b = np.where(np.arange(10_000) % 5 == 0, -np.inf, 1e-310)
    for dtype in (np.float16, np.float32, np.float64):
        first, second = a.astype(dtype), b.astype(dtype)
        chosen = aino.where(*(aino.from_numpy(x) for x in (condition, first, second))).numpy()
        assert chosen.tobytes() == np.where(condition, first, second).tobytes()


def test_rrelu_draws_one_slope_for_each_negative_element():
    aino.manual_seed(1)
    x = aino.tensor([-1.0] * 500 + [2.0] * 500, requires_grad=True)
    y = aino.rrelu(x, 0.25, 0.5, training=True)
    y.sum().backward()
    slopes = x.grad.array
    assert (slopes[:500] >= 0.25).all()
    assert (slopes[:500] < 0.5).all()
    assert len(set(slopes[:500].tolist())) > 400
    np.testing.assert_array_equal(slopes[500:], 1.0)
    np.testing.assert_array_equal(y.detach().array, x.detach().array * slopes)


def test_gumbel_softmax_draws_classes_as_often_as_they_are_probable():
    aino.manual_seed(1)
    logits = aino.log(aino.tensor([0.2, 0.3, 0.5])).expand(4000, 3)
    hard = softmax.gumbel_softmax(logits, hard=True)
    assert set(np.unique(hard.array)) <= {0.0, 1.0}
    np.testing.assert_array_equal(hard.array.sum(1), 1.0)
    np.testing.assert_allclose(hard.array.mean(0), [0.2, 0.3, 0.5], atol=0.03)


def test_a_hard_gumbel_sample_has_the_gradient_of_the_soft_one():
    gradients = []
    for hard in (False, True):
        aino.manual_seed(3)
        logits = aino.tensor([[0.1, 0.5, -0.2], [1.0, 0.0, 2.0]], requires_grad=True)
        sample = softmax.gumbel_softmax(logits, tau=0.7, hard=hard, dim=1)
        (sample * aino.tensor([1.0, 2.0, 3.0])).sum().backward()
        gradients.append(logits.grad.array)
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-5, atol=1e-6)


def test_an_integer_divided_by_zero_raises():
    x, zero = aino.tensor([1, 2]), aino.tensor([1, 0])
    for divide in (ops.floor_divide, ops.remainder, ops.fmod):
        with pytest.raises(DivisionError, match="zero"):
            divide(x, zero)
    with pytest.raises(ZeroDivisionError):
        x // 0
    with pytest.raises(RuntimeError):
        x % 0


def test_what_has_no_order_is_not_compared():
    z = aino.tensor([1 + 1j])
    for function in (ops.maximum, compare.lt, ops.clamp):
        with pytest.raises(DtypeError, match="complex"):
            function(z, z)


def test_arguments_have_pytorchs_names():
    x = aino.tensor([1.0, 4.0])
    assert aino.equal(aino.sqrt(input=x), aino.tensor([1.0, 2.0]))
    assert aino.equal(aino.mul(input=x, other=2), aino.tensor([2.0, 8.0]))
    assert aino.equal(aino.clamp(input=x, min=2, max=3), aino.tensor([2.0, 3.0]))


def test_parts_of_complex_numbers_share_their_memory():
    z = aino.tensor([1 + 2j, 3 + 4j])
    for part in (z.real, z.imag, aino.view_as_real(z)):
        assert np.shares_memory(part.array, z.array)
    x = aino.tensor([1.0])
    assert x.real is x
