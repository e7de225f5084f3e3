"""The dtype that a leaf keeps its gradient in, and what else a tensor says of its place."""

from __future__ import annotations

import pytest

import aino
from aino.errors import DtypeError, GradientError


def leaf(dtype=aino.float32):
    return aino.tensor([1.0, 2.0], dtype=dtype, requires_grad=True)


def test_it_is_the_leafs_own_at_first():
    assert leaf().grad_dtype == aino.float32
    assert aino.tensor([1]).grad_dtype == aino.int64


@pytest.mark.parametrize("dtype", [aino.float16, aino.float64])
def test_gradients_are_cast(dtype):
    x = leaf()
    x.grad_dtype = dtype
    seen = []
    x.register_hook(lambda g: seen.append(g.dtype))
    for count in (1, 2):
        (x * 2.0).sum().backward()
        assert x.grad.dtype == dtype
        assert x.grad.tolist() == [2.0 * count] * 2
    (found,) = aino.autograd.grad((x * x).sum(), x, create_graph=True)
    assert found.dtype == dtype
    assert seen == [dtype] * 3
    (again,) = aino.autograd.grad(found.sum(), x)
    assert again.tolist() == [2.0, 2.0]


def test_a_sum_in_float32_of_gradients_in_float16():
    x = leaf(aino.float16)
    x.grad_dtype = aino.float32
    for _ in range(3):
        (x * 30000.0).sum().backward()
    assert x.grad.tolist() == [90000.0] * 2  # float16 ends at 65504


def test_any_dtype_is_taken():
    x = leaf()
    x.grad_dtype = None
    assert x.grad_dtype is None
    x.grad = aino.ones(2, dtype=aino.float64)
    (x * 2.0).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]


def test_it_is_chosen_before_a_gradient_is_wanted():
    x = aino.ones(2)
    x.grad_dtype = aino.float64
    x.requires_grad_()
    assert x.grad_dtype == aino.float64
    assert x.detach().grad_dtype == aino.float32
    (x * 2.0).sum().backward()
    assert x.grad.dtype == aino.float64


def test_what_is_refused():
    x = leaf()
    with pytest.raises(GradientError, match="for leaves"):
        (x * 2.0).grad_dtype = aino.float64
    with pytest.raises(GradientError, match="for leaves"):
        (x * 2.0).grad_dtype
    for wrong in (aino.int64, "words"):
        with pytest.raises((DtypeError, TypeError)):
            x.grad_dtype = wrong
    with pytest.raises(DtypeError, match="can't be float32"):
        leaf(aino.complex64).grad_dtype = aino.float32
    x.grad_dtype = aino.float64
    with pytest.raises(DtypeError, match="whose grad_dtype is float64"):
        x.grad = aino.ones(2)
    x.grad = aino.ones(2, dtype=aino.float64)
    with pytest.raises(DtypeError, match="set grad to None first"):
        x.grad_dtype = aino.float32
    assert x.grad_dtype == aino.float64


def test_a_compiled_function_notices():
    step = aino.compile(lambda x: (x * 2.0).sum().backward())
    x = aino.ones(2, requires_grad=True)
    for dtype in (aino.float32, aino.float64):
        x.grad = None
        x.grad_dtype = dtype
        for count in (1, 2):
            step(x)
            assert x.grad.dtype == dtype
            assert x.grad.tolist() == [2.0 * count] * 2


def test_a_cotangent_of_another_dtype_that_is_recorded():
    x = leaf()
    seed = aino.ones(2, dtype=aino.float64, requires_grad=True)
    (found,) = aino.autograd.grad(x * x, x, seed, create_graph=True)
    assert found.dtype == aino.float32
    (slope,) = aino.autograd.grad(found.sum(), seed)
    assert slope.tolist() == [2.0, 4.0]


def test_which_output_it_is():
    x = aino.eye(2, requires_grad=True)
    values, vectors = aino.linalg.eigh(x)
    assert (x.output_nr, values.output_nr, vectors.output_nr) == (0, 0, 1)
    assert x.name is None
    for name in ("name", "output_nr"):
        with pytest.raises(AttributeError):
            setattr(x, name, 1)
