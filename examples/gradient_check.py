"""Is this derivative right? `gradcheck` compares it with finite differences.

First a function made of AINO's own operations, then one with a derivative written by hand, then
one whose derivative is wrong, and what AINO says of it.

    python examples/gradient_check.py
"""

import aino
from aino.autograd import Function, gradcheck, gradgradcheck


def attention(query, key, value):
    """softmax(Q Kᵀ / √d) V"""
    scores = query @ key.mT / query.shape[-1] ** 0.5
    return aino.softmax(scores, dim=-1) @ value


aino.manual_seed(0)
inputs = [aino.randn(3, 4, dtype=aino.float64, requires_grad=True) for _ in range(3)]
print("attention, first derivatives: ", gradcheck(attention, inputs))
print("attention, second derivatives:", gradgradcheck(attention, inputs))


class Cube(Function):
    """x³, with its derivative 3x² written by hand."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x**2 * gradient


class WrongCube(Cube):
    """x³, with a derivative that a tired reader would let pass."""

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3 * x * gradient


x = aino.tensor([0.5, 1.0, 2.0], dtype=aino.float64, requires_grad=True)
print("x³ by hand:                   ", gradcheck(Cube.apply, (x,)))
try:
    gradcheck(WrongCube.apply, (x,))
except RuntimeError as error:
    print("x³ by a tired hand:\n")
    print(error)
else:
    raise AssertionError("a wrong derivative went unnoticed")
