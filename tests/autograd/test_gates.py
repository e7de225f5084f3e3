"""What a gate holds back is exactly 0, be the incoming gradient infinite or nan, as in PyTorch.

``relu(x).sqrt()`` is the case of every day: the slope of the root at 0 is infinite, and relu
holds it back.
"""

import math

import pytest

import aino
from aino.nn import functional as F

#: name -> the operation, and a value of x at which it holds the gradient back.
GATES = {
    "relu": (F.relu, -1.0),
    "relu at 0": (F.relu, 0.0),
    "relu6 below": (F.relu6, -1.0),
    "relu6 above": (F.relu6, 7.0),
    "hardtanh": (F.hardtanh, 2.0),
    "hardsigmoid": (F.hardsigmoid, 4.0),
    "hardswish": (F.hardswish, -4.0),
    "hardshrink": (F.hardshrink, 0.2),
    "softshrink": (F.softshrink, 0.2),
    "threshold": (lambda x: F.threshold(x, 1.0, 5.0), 0.5),
    "clamp": (lambda x: x.clamp(0, 1), 2.0),
    "clamp_min": (lambda x: x.clamp(min=0), -1.0),
    "clamp_max": (lambda x: x.clamp(max=0), 1.0),
    "maximum": (lambda x: aino.maximum(x, aino.zeros_like(x)), -1.0),
    "fmin": (lambda x: aino.fmin(x, aino.zeros_like(x)), 1.0),
    "where": (lambda x: aino.where(x > 0, x, 0.0), -1.0),
    "masked_fill": (lambda x: x.masked_fill(x < 0, 0.0), -1.0),
    "tril": (lambda x: (x[:1] + aino.zeros(2, 2)).tril(-2), 1.0),
}


@pytest.mark.parametrize("incoming", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize("size", [3, 3000], ids=["few", "many"])
@pytest.mark.parametrize("name", GATES)
def test_nothing_passes(name, size, incoming):
    gate, value = GATES[name]
    x = aino.full((size,), value, requires_grad=True)
    y = gate(x)
    y.backward(aino.full_like(y, incoming))
    assert x.grad.tolist() == [0.0] * size


@pytest.mark.parametrize("size", [3, 3000], ids=["few", "many"])
def test_relu_passes_the_gradient_of_what_is_no_number(size):
    x = aino.full((size,), math.nan, requires_grad=True)
    aino.relu(x).backward(aino.full_like(x, 2.0))
    assert x.grad.tolist() == [2.0] * size
