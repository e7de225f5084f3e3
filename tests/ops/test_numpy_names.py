"""NumPy's rounding functions on tensors, and numbers beside integer tensors."""

import numpy as np
import pytest

import aino


@pytest.mark.parametrize("function", [np.floor, np.ceil, np.trunc, np.rint])
def test_rounding(function):
    values = [0.5, -1.5, 2.25]
    assert function(aino.tensor(values)).tolist() == function(values).tolist()


def test_functions_of_two():
    x = aino.tensor([0.5, -1.5, 0.0])
    assert np.heaviside(x, 0.5).tolist() == [1.0, 0.0, 0.5]
    assert np.float_power(x, 2).tolist() == [0.25, 2.25, 0.0]
    assert np.vecdot(x, x).item() == 2.5


@pytest.mark.parametrize("dtype", [aino.uint8, aino.int8, aino.int64])
@pytest.mark.parametrize("number", [-1, 200, 300])
def test_a_number_that_an_integer_dtype_does_not_hold(dtype, number):
    x = aino.tensor([1, 2], dtype=dtype)
    np.testing.assert_allclose((x / number).numpy(), [1 / number, 2 / number], rtol=1e-6)
    np.testing.assert_allclose((number / x).numpy(), [number, number / 2], rtol=1e-6)
