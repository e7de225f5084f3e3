"""Derivatives of derivatives: a Taylor series, Newton's method, a differential equation.

    python examples/higher_order.py
"""

import math

import numpy as np

import aino
from aino import nn
from aino.autograd import grad
from aino.autograd.functional import hessian, jacobian

# Every gradient is a tensor that can be differentiated again: the derivatives of tanh at 0 are
# 0, 1, 0, -2, 0, 16, 0, -272, so that tanh x = x - x³/3 + 2x⁵/15 - 17x⁷/315 + ...
x = aino.tensor(0.0, dtype=aino.float64, requires_grad=True)
derivative, values = aino.tanh(x), []
for _ in range(8):
    values.append(derivative.item())
    (derivative,) = grad(derivative, x, create_graph=True)
print("derivatives of tanh at 0:", [round(value) for value in values])
assert all(
    math.isclose(value, expected, abs_tol=1e-9)
    for value, expected in zip(values, [0, 1, 0, -2, 0, 16, 0, -272], strict=True)
)


# Newton's method goes to the minimum of Rosenbrock's valley, (1, 1), where gradient descent
# needs thousands of steps.
def rosenbrock(point):
    x, y = point
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


point = aino.tensor([-1.2, 1.0], dtype=aino.float64)
for step in range(1, 20):
    slope, curvature = jacobian(rosenbrock, point), hessian(rosenbrock, point)
    point = point - aino.from_numpy(np.linalg.solve(curvature.numpy(), slope.numpy()))
    if rosenbrock(point) < 1e-20:
        break
print(f"Rosenbrock's minimum after {step} Newton steps:", point.tolist())
assert aino.allclose(point, aino.ones(2, dtype=aino.float64))

# A network that solves u'' = -u, u(0) = 0, u'(0) = 1 without seeing a single value of the
# solution, sin t: the loss is the equation itself, and holds second derivatives of the network.
aino.manual_seed(0)
t = aino.linspace(0.0, math.pi, 40).reshape(-1, 1).requires_grad_()
network = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 1))
optimizer = aino.optim.Adam(network.parameters(), lr=1e-2)


def solution(t):
    return t + t**2 * network(t)  # u(0) = 0 and u'(0) = 1 whatever the network says


for _ in range(1500):
    u = solution(t)
    (slope,) = grad(u.sum(), t, create_graph=True)
    (curvature,) = grad(slope.sum(), t, create_graph=True)
    loss = ((curvature + u) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

error = (solution(t) - aino.sin(t)).abs().max().item()
print(f"u'' = -u solved by a network: at most {error:.4f} away from sin t")
assert error < 0.02
