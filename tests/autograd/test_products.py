"""Products keep their range: zeros beside what overflows, and what overflows only on the way.

The right values are made in Python's floats, which hold what float32 does not.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import aino

INF, NAN = math.inf, math.nan

NUMBERS = {
    "no zero": [2.0, 3.0, 4.0],
    "a zero": [2.0, 0.0, 3.0],
    "zeros before large numbers": [0.0, 0.0, 1e30, 1e30],
    "zeros after large numbers": [1e30, 1e30, 0.0, 0.0],
    "zeros around large numbers": [0.0, 1e30, 1e30, 0.0],
    "a zero before large numbers": [0.0, 1e20, 1e18],
    "small numbers before large ones": [1e-30, 1e-30, 1.0, 1e30, 1e30],
    "large numbers before small ones": [1e30, 1e30, 1e-30, 1e-30],
}


def index(x):
    return aino.zeros(x.shape[0], dtype=aino.int64)


#: name -> a product of all elements of a vector.
PRODUCTS = {
    "prod": lambda x: x.prod(),
    "prod over a dim": lambda x: x.reshape(-1, 1).prod(0),
    "the last of cumprod": lambda x: x.cumprod(0)[-1],
    "scatter_reduce": lambda x: x.new_ones(1).scatter_reduce(0, index(x), x, "prod"),
    "index_reduce": lambda x: x.new_ones(1).index_reduce(0, index(x), x, "prod"),
}


def others(numbers):
    """Return for each the product of all others, where those are all finite."""
    return [math.prod(numbers[:i] + numbers[i + 1 :]) for i in range(len(numbers))]


def float32(values):
    with np.errstate(over="ignore"):
        return np.array(values).astype(np.float32)


@pytest.mark.parametrize("numbers", NUMBERS)
@pytest.mark.parametrize("name", PRODUCTS)
def test_products_and_gradients(name, numbers):
    numbers = NUMBERS[numbers]
    x = aino.tensor(numbers, requires_grad=True)
    with np.errstate(over="ignore"):
        y = PRODUCTS[name](x)
        y.sum().backward()
    np.testing.assert_allclose(y.detach().numpy().reshape(()), float32(math.prod(numbers)), 1e-6)
    np.testing.assert_allclose(x.grad.numpy(), float32(others(numbers)), 1e-6)


@pytest.mark.parametrize("numbers", NUMBERS)
def test_running_products(numbers):
    numbers = NUMBERS[numbers]
    weights = [1.0, 0.5, 0.25, 2.0, 1.0][: len(numbers)]
    x = aino.tensor(numbers, requires_grad=True)
    with np.errstate(over="ignore"):
        y = x.cumprod(0)
        y.backward(aino.tensor(weights))
    ends = range(1, len(numbers) + 1)
    np.testing.assert_allclose(
        y.detach().numpy(), float32([math.prod(numbers[:end]) for end in ends]), 1e-6
    )
    slopes = [
        sum(weights[end - 1] * others(numbers[:end])[i] for end in ends if end > i)
        for i in range(len(numbers))
    ]
    np.testing.assert_allclose(x.grad.numpy(), float32(slopes), 1e-6)


def test_zeros_beside_what_overflows_float64():
    x = aino.tensor([0.0, 0.0, *[1e300] * 3], dtype=aino.float64, requires_grad=True)
    with np.errstate(all="ignore"):
        x.prod().backward()
    assert x.grad.tolist() == [0.0] * 5


@pytest.mark.parametrize("name", ["prod", "prod over a dim", "the last of cumprod"])
@pytest.mark.parametrize("wild", [INF, NAN])
def test_a_zero_does_not_hide_what_is_no_number(name, wild):
    x = aino.tensor([0.0, 0.0, wild, 2.0], requires_grad=True)
    with np.errstate(all="ignore"):
        PRODUCTS[name](x).sum().backward()
    # The third has all others, two zeros and a 2; the rest have 0 times the third.
    assert np.isnan(x.grad.numpy()).tolist() == [True, True, False, True]


def test_second_derivatives_at_zeros():
    x = aino.tensor([0.0, 5.0, 3.0], requires_grad=True)
    (slope,) = aino.autograd.grad(x.prod(), x, create_graph=True)
    (curve,) = aino.autograd.grad(slope[2], x)
    assert slope.tolist() == [15.0, 0.0, 0.0]
    assert curve.tolist() == [5.0, 0.0, 0.0]


def test_many_factors():
    x = aino.full((1_000_000,), 1.000001, requires_grad=True)
    expected = float(np.float32(1.000001)) ** 1_000_000
    for product in (x.prod(), x.cumprod(0)[-1], x.reshape(-1, 2).prod(0).prod()):
        assert float(product) == pytest.approx(expected, rel=1e-6)
