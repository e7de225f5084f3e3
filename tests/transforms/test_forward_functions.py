"""Functions of the user's in forward mode: by their own jvp, or by their backward."""

import numpy as np
import pytest

import aino
from aino.autograd import Function, forward_ad
from aino.errors import ShapeError, TransformError
from aino.func import grad, jacfwd, jvp, vmap

X = aino.tensor([0.3, 1.2, -0.4], dtype=aino.float64)
T = aino.tensor([1.0, 2.0, -1.0], dtype=aino.float64)


class Cube(Function):
    """x³, whose derivatives say 3 x² · 1 and so are told from those of its forward by nothing."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 3.0 * x * x * g

    @staticmethod
    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return 3.0 * x * x * t


class StraightThrough(Function):
    """Rounds, with the slope of 1 by its backward alone."""

    @staticmethod
    def forward(x, scale):
        return (x * scale).round() / scale

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.scale = inputs[1]

    @staticmethod
    def backward(ctx, g):
        return g, None


class Two(Function):
    """(a b, a + b), tangents with a factor of ten that only jvp knows."""

    @staticmethod
    def forward(ctx, a, b):
        ctx.save_for_forward(a, b)
        return a * b, a + b

    @staticmethod
    def backward(ctx, g, h):
        raise AssertionError("forward mode asks jvp")

    @staticmethod
    def jvp(ctx, a_t, b_t):
        a, b = ctx.saved_tensors
        return 10.0 * (a * b_t + b * a_t), None


def close(got, expected):
    np.testing.assert_allclose(got.numpy(), expected.numpy(), rtol=1e-10, atol=1e-10)


def test_its_own_jvp_is_called():
    product, total = jvp(lambda a: Two.apply(a, X), (X,), (T,))[1]
    close(product, 10.0 * X * T)
    close(total, aino.zeros_like(X))  # jvp said that it does not move
    with forward_ad.dual_level():
        a = forward_ad.make_dual(X, T)
        product, _ = Two.apply(a, a)
        close(forward_ad.unpack_dual(product).tangent, 20.0 * X * T)


def test_without_one_its_backward_is_transposed():
    y, moved = jvp(lambda x: StraightThrough.apply(x, 4.0), (X,), (T,))
    close(y, (X * 4.0).round() / 4.0)
    close(moved, T)


@pytest.mark.parametrize("kind", ["jvp", "backward"])
def test_it_composes(kind):
    cube = Cube if kind == "jvp" else type("Bare", (Cube,), {"jvp": Function.jvp})

    def number(x):
        return (cube.apply(x) * x).sum()

    close(jvp(number, (X,), (T,))[1], (4.0 * X**3 * T).sum())
    close(grad(lambda x: jvp(number, (x,), (T,))[1])(X), 12.0 * X * X * T)
    close(jvp(grad(number), (X,), (T,))[1], 12.0 * X * X * T)
    close(jvp(lambda x: jvp(number, (x,), (T,))[1], (X,), (T,))[1], (12.0 * X * X * T * T).sum())
    close(jacfwd(cube.apply)(X), aino.diag(3.0 * X * X))
    both = aino.stack([X, T])
    close(vmap(lambda x: jvp(number, (x,), (T,))[1])(both), (4.0 * both**3 * T).sum(1))
    close(jvp(vmap(number), (both,), (both,))[1], (4.0 * both**4).sum(1))


def test_wrong_tangents_and_writes_are_refused():
    class Wrong(Cube):
        @staticmethod
        def jvp(ctx, t):
            return t[:2]

    class Many(Cube):
        @staticmethod
        def jvp(ctx, t):
            return t, t

    class Writes(Cube):
        @staticmethod
        def forward(ctx, x):
            ctx.mark_dirty(x)
            x.mul_(2.0)
            return x

    with pytest.raises(ShapeError, match=r"Wrong\.jvp"):
        jvp(Wrong.apply, (X,), (T,))
    with pytest.raises(TransformError, match="2 tangents for 1 outputs"):
        jvp(Many.apply, (X,), (T,))
    with pytest.raises(TransformError, match="in place"):
        jvp(Writes.apply, (X,), (T,))
