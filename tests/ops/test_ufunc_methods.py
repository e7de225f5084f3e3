"""The methods of every ufunc that has a derivative: values as NumPy's, with their gradients."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd.gradcheck import gradcheck
from aino.ops.tensor.numpy_protocol.ufuncs import UFUNCS

X = np.random.default_rng(3).permutation(12).reshape(4, 3) * 0.11 + 0.6
MASK = np.array([[True, False, True], [True, True, False], [False, True, True], [True, True, True]])
#: Ufuncs of two numbers, whose results are numbers: comparisons have no derivative.
BINARY = [
    ufunc for ufunc in UFUNCS
    if ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None
    and "dd->d" in ufunc.types
]  # fmt: skip
UNARY = [
    ufunc for ufunc in UFUNCS
    if ufunc.nin == ufunc.nout == 1 and "d->d" in ufunc.types and ufunc is not np.arccosh
]  # fmt: skip

METHODS = {
    "reduce": lambda f, x: f.reduce(x),
    "reduce rows": lambda f, x: f.reduce(x, axis=1, keepdims=True),
    "reduce all": lambda f, x: f.reduce(x, axis=None),
    "reduce nothing": lambda f, x: f.reduce(x, axis=()),
    "reduce from": lambda f, x: f.reduce(x, axis=-1, initial=1.25),
    "reduce some": lambda f, x: f.reduce(x, axis=0, initial=1.25, where=MASK),
    "reduce some from the neutral": lambda f, x: f.reduce(x, axis=0, where=MASK),
    "accumulate": lambda f, x: f.accumulate(x),
    "accumulate rows": lambda f, x: f.accumulate(x, axis=1),
    "reduceat": lambda f, x: f.reduceat(x, [0, 2]),
    "reduceat backwards": lambda f, x: f.reduceat(x, [0, 3, 1, 1, 2], axis=0),
    "reduceat rows": lambda f, x: f.reduceat(x, np.array([1]), axis=-1),
    "outer": lambda f, x: f.outer(x[:2], x[0]),
    "outer of an array": lambda f, x: f.outer(np.array([1.5, 0.5]), x),
}


#: NumPy's own reductions of these are wrong where AVX-512 computes them: the loop takes eight
#: elements at once, of which seven wait for the result of the one before.
ONE_BY_ONE = {f: np.frompyfunc(lambda a, b, f=f: f(a, b), 2, 1) for f in (np.arctan2, np.power)}


def numbers(x):
    return x.detach().numpy() if isinstance(x, aino.Tensor) else x


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ufunc", BINARY, ids=lambda ufunc: ufunc.__name__)
def test_a_method(ufunc, method):
    call = METHODS[method]
    x = aino.from_numpy(X.copy()).requires_grad_()
    try:
        call(ufunc, X)
    except (ValueError, TypeError) as error:
        with pytest.raises(type(error)):
            call(ufunc, x)
        return
    expected = np.asarray(call(ONE_BY_ONE.get(ufunc, ufunc), X), np.float64)
    for given in (x, x.detach()):
        np.testing.assert_allclose(numbers(call(ufunc, given)), expected, rtol=1e-10)
    assert gradcheck(lambda x: call(ufunc, x), (x,))


@pytest.mark.parametrize("ufunc", BINARY, ids=lambda ufunc: ufunc.__name__)
@pytest.mark.parametrize(
    "index", [[0, 2], [0, 0, 3, 0], (slice(None), 1), MASK, (np.array([1, 1]), np.array([2, 2]))],
    ids=["rows", "again", "a column", "a mask", "an element twice"],
)  # fmt: skip
def test_at(ufunc, index):
    count = X[index].shape
    values = np.linspace(0.713, 1.291, int(np.prod(count))).reshape(count)
    expected = X.copy()
    ufunc.at(expected, index, values)

    def written(x, values):
        y = x * 1.0
        ufunc.at(y, index, values)
        return y

    tensors = [aino.from_numpy(a.copy()).requires_grad_() for a in (X, values)]
    np.testing.assert_allclose(numbers(written(*tensors)), expected, rtol=1e-10)
    assert gradcheck(written, tensors)


@pytest.mark.parametrize("ufunc", UNARY, ids=lambda ufunc: ufunc.__name__)
def test_at_of_one(ufunc):
    expected = X / 3.0
    # What is twice applied must be in its own domain.
    index = [0, 1, 0] if np.all(np.isfinite(ufunc(ufunc(expected)))) else [0, 1]
    ufunc.at(expected, index)
    x = aino.from_numpy(X.copy()).requires_grad_()

    def written(x):
        y = x / 3.0
        ufunc.at(y, index)
        return y

    np.testing.assert_allclose(numbers(written(x)), expected, rtol=1e-10)
    if ufunc not in (np.rint, np.floor, np.ceil, np.trunc):
        assert gradcheck(written, (x,))


def test_empty_and_long_axes():
    x = aino.zeros(0, 2, dtype=aino.float64, requires_grad=True)
    with pytest.raises(ValueError, match="zero-size"):
        np.subtract.reduce(x)
    assert np.hypot.accumulate(x).shape == (0, 2)
    line = aino.ones(1000, dtype=aino.float64, requires_grad=True)
    np.hypot.reduce(line).backward()
    np.testing.assert_allclose(line.grad.numpy(), 1 / np.sqrt(1000.0))


def test_out_and_dtype():
    x = aino.from_numpy(X.astype(np.float32)).requires_grad_()
    out = aino.zeros(3, dtype=aino.float64)
    assert np.subtract.reduce(x, dtype=np.float64, out=out) is out
    np.testing.assert_allclose(numbers(out), np.subtract.reduce(X.astype(np.float32), dtype=float))
    assert out.requires_grad
    with pytest.raises(RuntimeError, match="gradient of the result would be lost"):
        np.subtract.reduce(x, out=np.zeros(3, np.float32))


def test_a_write_that_numpy_refuses_changes_nothing():
    x = aino.from_numpy(X.copy())
    with pytest.raises(IndexError):
        np.hypot.at(x, [9], 1.0)
    assert np.array_equal(x.numpy(), X)
