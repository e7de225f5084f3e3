"""A layer that solves an equation, and a derivative that knows nothing of how it was solved.

The output z* of the layer is the fixed point of z = tanh(W z + U x + b). However many steps its
search took, the implicit function theorem gives the derivative at the end of it:
a vector-Jacobian product with (I - ∂f/∂z)⁻¹, again by a fixed point.

Source: Bai, Kolter and Koltun, "Deep equilibrium models" (2019).

    python examples/implicit_layer.py
"""

import aino
from aino import nn
from aino.autograd import Function
from aino.func import vjp

aino.manual_seed(0)
aino.set_default_dtype(aino.float64)


def f(z, x, W, U, b):
    return aino.tanh(z @ W.T + x @ U.T + b)


def fixed_point(step, z, tolerance=1e-12, most=500):
    """Apply ``step`` until nothing moves any more."""
    for _ in range(most):
        z, before = step(z), z
        if (z - before).abs().max() < tolerance:
            return z
    raise RuntimeError("there is no fixed point near; make W smaller")


class Equilibrium(Function):
    """z* with z* = f(z*, x, W, U, b)."""

    @staticmethod
    def forward(ctx, x, W, U, b):
        z = fixed_point(lambda z: f(z, x, W, U, b), aino.zeros(x.shape[0], b.shape[0]))
        ctx.save_for_backward(z, x, W, U, b)
        return z

    @staticmethod
    def backward(ctx, g):
        z, *others = ctx.saved_tensors
        _, back = vjp(f, z, *others)
        u = fixed_point(lambda u: g + back(u)[0], g)  # u = g (I - ∂f/∂z)⁻¹
        return back(u)[1:]


x = aino.randn(5, 3)
W = (0.4 * aino.randn(4, 4) / 2).requires_grad_()
U, b = aino.randn(4, 3).requires_grad_(), aino.zeros(4, requires_grad=True)

z = Equilibrium.apply(x, W, U, b)
print(f"the fixed point is met within {(f(z, x, W, U, b) - z).abs().max().item():.1e}")
assert aino.autograd.gradcheck(Equilibrium.apply, (x, W, U, b))
print("its derivative is that of finite differences")

# The same by differentiating through sixty steps of the search, which keeps all of them.
through = aino.zeros(5, 4)
for _ in range(60):
    through = f(through, x, W, U, b)
long = aino.autograd.grad((through**2).sum(), (W, U, b))
short = aino.autograd.grad((z**2).sum(), (W, U, b))
apart = max((a - c).abs().max().item() for a, c in zip(long, short, strict=True))
print(f"and that of sixty steps, within {apart:.1e}")
assert apart < 1e-8

# As a layer of a model that learns y = x₁ x₂. A W with ‖W‖ < 1 has a fixed point, whatever x is.
def contracting(W):
    return W * (0.9 / aino.linalg.matrix_norm(W, 2).clamp(min=0.9))


read = nn.Linear(4, 1)
inputs = aino.rand(200, 3) * 2 - 1
targets = (inputs[:, :1] * inputs[:, 1:2]).detach()
optimizer = aino.optim.Adam([W, U, b, *read.parameters()], lr=0.03)
for number in range(301):
    optimizer.zero_grad()
    z = Equilibrium.apply(inputs, contracting(W), U, b)
    loss = nn.functional.mse_loss(read(z), targets)
    loss.backward()
    optimizer.step()
    if number % 100 == 0:
        print(f"step {number:3}: loss {loss.item():.5f}")
assert loss < 0.005
