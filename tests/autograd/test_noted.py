"""A node notes what it was given without a gradient; no rule reads that, and no pass frees it."""

import gc
import weakref

import numpy as np
import pytest

import aino
from aino.autograd.node import GONE
from aino.nn import functional as F

PART = aino.ones(1000)[:2]
#: Small constants are noted themselves, so that a box of a drawing can be computed by hand.
CASES = {
    "a number after": (lambda x, c: x + 3.0, {"b": 3.0}),
    "a whole number before": (lambda x, c: 2 - x, {"a": 2}),
    "a tensor": (lambda x, c: x - c, {"b": [5.0, 6.0]}),
    "an array of NumPy's": (lambda x, c: x * c.numpy(), {"b": [5.0, 6.0]}),
    "an exponent": (lambda x, c: x**3, {"exponent": 3}),
    "an axis": (lambda x, c: x.softmax(0), {"axis": 0}),
    "a choice": (lambda x, c: aino.where(c > 5.5, x, 0.0), {"condition": [False, True], "b": 0.0}),
    "a target": (lambda x, c: F.mse_loss(x, c), {"target": [5.0, 6.0]}),
    "a part that is kept elsewhere": (lambda x, c: x + PART, {"b": [1.0, 1.0]}),
    "a part that is gone": (lambda x, c: x + aino.ones(1000)[:2], {}),
    "a list": (lambda x, c: aino.cat([x, c]), {"xs": [GONE, [5.0, 6.0]], "axis": 0}),
    "two tensors that want gradients": (lambda x, c: x * x, {}),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("freed", [False, True])
def test_constants_and_parameters_are_noted(name, freed):
    compute, expected = CASES[name]
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    y = compute(x, aino.tensor([5.0, 6.0]))
    if freed:
        y.sum().backward()
    given = y.node.given()
    assert set(given) == set(expected)
    for key, value in expected.items():
        found = given[key]
        if isinstance(value, list) and isinstance(found, list):
            assert found[0] is GONE
            found, value = found[1], value[1]
        np.testing.assert_array_equal(found, value)


def test_what_is_large_is_not_kept_alive():
    x = aino.ones(1000).requires_grad_()
    noise = aino.ones(1000)
    y = x + noise
    assert y.node.given()["b"] is noise.array
    gone = weakref.ref(noise.array)
    gc.disable()
    try:
        del noise
        assert gone() is None
    finally:
        gc.enable()
    assert y.node.given() == {}
