"""autograd.Function: operations whose backward pass the user writes."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import Function, grad, gradcheck, gradgradcheck, once_differentiable
from aino.errors import DtypeError, GradientError, ShapeError


def leaf(*values, dtype=aino.float64):
    return aino.tensor(list(values), dtype=dtype, requires_grad=True)


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3.0 * x * x * g


class Exp(Function):
    """Saves its output."""

    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        (y,) = ctx.saved_tensors
        return g * y


class Split(Function):
    """Two outputs, both saved."""

    @staticmethod
    def forward(ctx, x, factor):
        square, scaled = x * x, x.exp() * factor
        ctx.save_for_backward(x, scaled)
        return square, scaled

    @staticmethod
    def backward(ctx, to_square, to_scaled):
        x, scaled = ctx.saved_tensors
        return 2.0 * x * to_square + scaled * to_scaled, None


class Scale(Function):
    """The form with setup_context."""

    @staticmethod
    def forward(x, factor, offset=1.0):
        return x * factor + offset

    @staticmethod
    def setup_context(ctx, inputs, output):
        _x, ctx.factor, ctx.offset = inputs
        ctx.shape = output.shape

    @staticmethod
    def backward(ctx, g):
        assert g.shape == ctx.shape
        return g * ctx.factor, None, None


def test_values_and_gradients():
    x = leaf(1.0, 2.0)
    y = Cube.apply(x)
    assert y.tolist() == [1.0, 8.0]
    assert y.grad_fn.name() == "CubeBackward"
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 12.0]


@pytest.mark.parametrize("function", [Cube.apply, Exp.apply, lambda x: Split.apply(x, 2.0)])
def test_derivatives_of_both_orders(function):
    x = leaf(0.5, -1.5, 2.0)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


def test_derivatives_of_complex_functions():
    z = aino.tensor([0.5 + 1.0j, -0.3 - 0.2j], dtype=aino.complex128, requires_grad=True)

    class Square(Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z * z

        @staticmethod
        def backward(ctx, g):
            (z,) = ctx.saved_tensors
            return g * (2.0 * z).conj()  # PyTorch's convention asks for the conjugate here

    assert gradcheck(Square.apply, (z,))
    assert gradgradcheck(Square.apply, (z,))


def test_a_complex_gradient_for_a_real_input_is_its_real_part():
    class Turn(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1j

        @staticmethod
        def backward(ctx, g):
            return g * -1j

    x = leaf(2.0)
    Turn.apply(x).backward(aino.tensor([1.0 + 1.0j], dtype=aino.complex128))
    assert x.grad.tolist() == [1.0]


def test_setup_context():
    x = leaf(1.0, 2.0)
    y = Scale.apply(x, 3.0)
    assert y.tolist() == [4.0, 7.0]
    y.sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert Scale.apply(x, 3.0, offset=0.0).tolist() == [3.0, 6.0]


def test_vjp_is_another_name_for_backward():
    class Twice(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2.0

        @staticmethod
        def vjp(ctx, g):
            return g * 2.0

    x = leaf(1.0)
    Twice.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0]


def test_outputs_that_play_no_part_get_zeros_or_none():
    received = []

    class Both(Function):
        materialize = True

        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(Both.materialize)
            return x * 1.0, x * 2.0, "name"

        @staticmethod
        def backward(ctx, a, b, name):
            received.append((a is None or a.tolist(), b is None or b.tolist(), name))
            return a if a is not None else b

    x = leaf(3.0, 4.0)
    first, _, name = Both.apply(x)
    assert name == "name"
    first.sum().backward()
    Both.materialize = False
    _, second, _ = Both.apply(x)
    second.sum().backward()
    assert received == [([1.0, 1.0], [0.0, 0.0], None), (True, [1.0, 1.0], None)]
    assert x.grad.tolist() == [2.0, 2.0]


def test_all_outputs_are_differentiated_in_one_call():
    calls = []

    class Both(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0, x * 2.0

        @staticmethod
        def backward(ctx, a, b):
            calls.append((a.tolist(), b.tolist()))
            return a + 2.0 * b

    x = leaf(3.0)
    first, second = Both.apply(x)
    (first * second).sum().backward()
    assert calls == [([6.0], [3.0])]
    assert x.grad.tolist() == [12.0]


def test_the_gradient_of_one_of_several_outputs():
    x = leaf(0.5)
    square, scaled = Split.apply(x, 2.0)
    to_square, to_x = grad((square * scaled).sum(), [square, x], retain_graph=True)
    assert to_square.tolist() == scaled.tolist()
    assert to_x.item() == pytest.approx((0.5 + 0.5 * 0.5 / 2) * 2 * 2 * np.exp(0.5) * 1.0)
    # A saved output has the history of the output itself.
    (slope,) = grad(scaled.sum(), x, create_graph=True)
    assert grad(slope.sum(), scaled)[0].tolist() == [1.0]


def test_non_differentiable_outputs():
    received = []

    class Sort(Function):
        @staticmethod
        def forward(ctx, x):
            order = np.argsort(x.array)
            rank = aino.tensor(order.astype(np.float64))
            ctx.mark_non_differentiable(rank)
            ctx.order = order
            return aino.tensor(x.array[order]), rank, aino.tensor(order)

        @staticmethod
        def backward(ctx, g, to_rank, to_order):
            received.append((to_rank.tolist(), to_order.tolist()))
            return g[aino.tensor(np.argsort(ctx.order))]

    x = leaf(3.0, 1.0)
    values, rank, order = Sort.apply(x)
    assert values.requires_grad
    assert not rank.requires_grad
    assert not order.requires_grad
    (values * aino.tensor([1.0, 10.0], dtype=aino.float64)).sum().backward()
    assert x.grad.tolist() == [10.0, 1.0]
    assert received == [([0.0, 0.0], [0, 0])]


def test_needs_input_grad():
    seen = []

    class Mul(Function):
        @staticmethod
        def forward(ctx, a, b, c):
            seen.append(ctx.needs_input_grad)
            ctx.save_for_backward(a, None, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            a, nothing, b = ctx.saved_tensors
            assert nothing is None
            return g * b, g * a, None

    a, b = leaf(2.0), aino.tensor([3.0], dtype=aino.float64)
    Mul.apply(a, b, "c").sum().backward()
    assert seen == [(True, False, False)]
    assert a.grad.tolist() == [3.0]
    assert b.grad is None


def test_nothing_is_recorded_without_need():
    y = Cube.apply(aino.tensor([1.0]))
    assert not y.requires_grad
    with aino.no_grad():
        assert not Cube.apply(leaf(1.0)).requires_grad


def test_forward_runs_unrecorded():
    class Probe(Function):
        @staticmethod
        def forward(ctx, x):
            assert not aino.is_grad_enabled()
            y = x * 2.0
            assert y.grad_fn is None
            return y

        @staticmethod
        def backward(ctx, g):
            assert not aino.is_grad_enabled()
            return g * 2.0

    x = leaf(1.0)
    Probe.apply(x).sum().backward()
    assert x.grad.tolist() == [2.0]


def returning(*gradients, arguments=1):
    class Wrong(Function):
        @staticmethod
        def forward(ctx, *args):
            return args[0] * 1.0

        @staticmethod
        def backward(ctx, g):
            return gradients if len(gradients) != 1 else gradients[0]

    return Wrong


def test_wrong_gradients_are_refused():
    x = leaf(1.0, 2.0)
    good = aino.ones(2, dtype=aino.float64)
    with pytest.raises(GradientError, match=r"expected 2, got 1"):
        returning(good).apply(x, x).sum().backward()
    with pytest.raises(GradientError, match=r"expected 1, got 2"):
        returning(good, good).apply(x).sum().backward()
    with pytest.raises(ShapeError, match=r"index 0 - got \[3\].*\[2\]"):
        returning(aino.ones(3)).apply(x).sum().backward()
    with pytest.raises(GradientError, match="position 1"):
        returning(good, good).apply(x, 2.0).sum().backward()
    with pytest.raises(GradientError, match="float"):
        returning(1.0).apply(x).sum().backward()
    returning(good, None, None).apply(x).sum().backward()
    returning(None).apply(x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_a_gradient_is_summed_and_cast_to_its_input():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    returning(aino.ones(3, 2, dtype=aino.float64)).apply(x).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    assert x.grad.dtype == aino.float32


def test_missing_methods_say_so():
    class Nothing(Function):
        pass

    class Forward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 1.0

    with pytest.raises(NotImplementedError, match="forward"):
        Nothing.apply(leaf(1.0))
    with pytest.raises(NotImplementedError, match="backward"):
        Forward.apply(leaf(1.0)).sum().backward()
    with pytest.raises(TypeError, match="keyword"):
        Cube.apply(x=leaf(1.0))


def test_save_for_backward_takes_tensors():
    class Wrong(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x, 2.0)
            return x * 1.0

    with pytest.raises(DtypeError, match="float"):
        Wrong.apply(leaf(1.0))


def test_once_differentiable():
    class Once(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        @once_differentiable
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2.0 * x * g

    x = leaf(3.0)
    assert grad(Once.apply(x).sum(), x)[0].tolist() == [6.0]
    (slope,) = grad(Once.apply(x).sum(), x, create_graph=True)
    assert slope.tolist() == [6.0]
    with pytest.raises(GradientError, match="once_differentiable"):
        grad(slope.sum(), x)
