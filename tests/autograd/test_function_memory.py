"""What a Function saves, returns and writes: whose memory it is, and what a write does to it."""

from __future__ import annotations

import pytest

import aino
from aino.autograd import Function, gradcheck, gradgradcheck
from aino.errors import GradientError, InplaceError
from tests.autograd.test_function import Cube, Exp, leaf


def test_freed_tensors_raise():
    x = leaf(1.0)
    y = Cube.apply(x)
    y.sum().backward()
    with pytest.raises(GradientError, match="retain_graph"):
        y.sum().backward()
    with pytest.raises(GradientError, match="freed"):
        y.grad_fn.saved_tensors


def test_a_saved_tensor_that_was_written_raises():
    x = leaf(1.0, 2.0)
    middle = x * 1.0
    y = Cube.apply(middle)
    middle.add_(1.0)
    with pytest.raises(InplaceError, match="CubeBackward"):
        y.sum().backward()


def test_an_input_that_is_returned_becomes_another_tensor():
    class Same(Function):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return g * -1.0

    x = leaf(1.0)
    y = Same.apply(x)
    assert y is not x
    assert x.is_leaf
    y.sum().backward()
    assert x.grad.tolist() == [-1.0]
    with pytest.raises(InplaceError):
        Same.apply(x * 1.0).mul_(2.0)
    base = x * 1.0
    y = Same.apply(base)
    base.mul_(2.0)
    for _ in range(2):
        with pytest.raises(InplaceError, match="Function"):
            y * 1.0


def test_mark_dirty():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] *= 2.0
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2.0

    x = leaf(1.0, 2.0)
    y = x * 3.0
    z = Double.apply(y)
    assert z is y
    assert y.tolist() == [6.0, 12.0]
    (y * 1.0).sum().backward()
    assert x.grad.tolist() == [6.0, 6.0]
    with pytest.raises(InplaceError):
        Double.apply(x)
    squared = (w := x * 3.0) * w
    Double.apply(w)
    with pytest.raises(InplaceError):
        squared.sum().backward()


def test_mark_dirty_of_a_view_reaches_its_base():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.array[...] *= 2.0
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2.0

    x = leaf(1.0, 2.0)
    y = x * 3.0
    Double.apply(y[0])
    assert y.tolist() == [6.0, 6.0]
    y.sum().backward()
    assert x.grad.tolist() == [6.0, 3.0]


def test_attributes_of_ctx_may_have_any_name():
    class Any(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.shape, ctx.inputs, ctx.saved, ctx.sequence = x.shape, 1, 2, 3
            return x.sum()

        @staticmethod
        def backward(ctx, g):
            assert (ctx.inputs, ctx.saved, ctx.sequence) == (1, 2, 3)
            return g * aino.ones(ctx.shape, dtype=aino.float64)

    x = leaf(1.0, 2.0)
    Any.apply(x).backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_functions_in_the_middle_of_other_operations():
    x = leaf(0.3, -0.4)
    assert gradcheck(lambda x: (Exp.apply(Cube.apply(x) * 2.0) * x).sum(), (x,))
    assert gradgradcheck(lambda x: (Exp.apply(Cube.apply(x) * 2.0) * x).sum(), (x,))


class WritesItsGradient(aino.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x * 1.0, y * 1.0

    @staticmethod
    def backward(ctx, g, h):
        return g.mul_(10.0), h.mul_(100.0)


class WritesOneGradient(aino.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 1.0

    @staticmethod
    def backward(ctx, g):
        return g.mul_(10.0)


def two_of(x, y):
    return WritesItsGradient.apply(x, y)


def one_of(x, y):
    return WritesOneGradient.apply(x), y


def hooked(x, y):
    z = x * 1.0
    z.register_hook(lambda g: g.mul_(10.0))
    return z, y


def hooked_leaf(x, y):
    x.register_hook(lambda g: g.mul_(10.0))
    return x, y


@pytest.mark.parametrize(("function", "factors"), [
    (two_of, (10.0, 100.0)), (one_of, (10.0, 1.0)), (hooked, (10.0, 1.0)),
    (hooked_leaf, (10.0, 1.0)),
])  # fmt: skip
@pytest.mark.parametrize("seeded", [False, True])
def test_who_writes_into_a_gradient_changes_no_other(function, factors, seeded):
    x, y, z = (aino.tensor([1.0, 2.0], requires_grad=True) for _ in range(3))
    seed = aino.ones(2)
    a, b = function(x, y)
    total = a + b + z
    total.backward(seed) if seeded else total.sum().backward()
    assert x.grad.tolist() == [factors[0]] * 2
    assert y.grad.tolist() == [factors[1]] * 2
    assert z.grad.tolist() == seed.tolist() == [1.0, 1.0]
