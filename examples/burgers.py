"""Burgers' equation by a physics-informed network, against the exact solution.

    uₜ + u·uₓ = ν·uₓₓ  for -1 < x < 1, 0 < t < 1,  u(x, 0) = -sin(πx),  u(±1, t) = 0

A wave that steepens to a shock at x = 0. The network is trained to make the equation hold at
points inside; the initial and boundary values are built in. No solution is shown to it: the
exact one (Cole's and Hopf's, integrated by Gauss-Hermite quadrature) only says how good it is.

    python examples/burgers.py [folder]
"""

import sys
from pathlib import Path

import numpy as np

import aino
from aino import nn
from aino.autograd import grad

NU = 0.01 / np.pi
POINTS, STEPS = 1000, 3000
rng = np.random.default_rng(0)
aino.manual_seed(0)


def exact(x, t, nodes=100):
    """The solution: a quotient of two integrals over a normal distribution."""
    z, weight = np.polynomial.hermite.hermgauss(nodes)
    y = x[..., None] - np.sqrt(4 * NU * t)[..., None] * z
    share = weight * np.exp(-np.cos(np.pi * y) / (2 * np.pi * NU))
    return -(share * np.sin(np.pi * y)).sum(-1) / share.sum(-1)


class Wave(nn.Module):
    """u(x, t), odd in x as the solution is, with the initial and boundary values built in."""

    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(),
            nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x, t):
        odd = self.net(aino.cat([x, t], 1)) - self.net(aino.cat([-x, t], 1))
        return -aino.sin(aino.pi * x) + t * (1 - x * x) * odd


def points():
    """Places inside, half of them near the shock; x is positive, as the solution is odd."""
    x = rng.uniform(0, 1, (POINTS, 1))
    x[::2] = x[::2] ** 3
    t = rng.uniform(0, 1, (POINTS, 1))
    return aino.from_numpy(np.concatenate([x, t], 1).astype(np.float32))


model = Wave()
optimizer = aino.optim.Adam(model.parameters(), lr=5e-3)
scheduler = aino.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, total_steps=STEPS + 1)


@aino.compile
def step(places):
    optimizer.zero_grad()
    x, t = [part.detach().requires_grad_() for part in places.split(1, dim=1)]
    u = model(x, t)
    u_x, u_t = grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = grad(u_x.sum(), x, create_graph=True)
    residual = u_t + u * u_x - NU * u_xx
    # Where the wave is steep the equation would drown out all else.
    loss = (residual / (1 + 0.1 * u_x.detach().abs())).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


grid = np.meshgrid(np.linspace(-1, 1, 201), np.linspace(0.01, 1, 100))
reference = exact(*grid)


def error():
    """How far the network is from the exact solution, relative to it."""
    x, t = [aino.from_numpy(v.reshape(-1, 1).astype(np.float32)) for v in grid]
    with aino.no_grad():
        u = model(x, t).numpy().reshape(reference.shape)
    return np.linalg.norm(u - reference) / np.linalg.norm(reference), u


for number in range(STEPS + 1):
    if number % 20 == 0:
        places = points()
    loss = step(places)
    scheduler.step()
    if number % 500 == 0:
        print(f"step {number:4}: residual {loss.item():.1e}, error {error()[0]:.2%}", flush=True)

distance, u = error()
print(f"relative error against the exact solution: {distance:.2%}")
assert distance < 0.05

try:
    import matplotlib.pyplot as plt
except ImportError:
    sys.exit()
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
figure, axes = plt.subplots(1, 3, figsize=(11, 3), sharey=True)
for axis, time in zip(axes, (0.25, 0.5, 1.0), strict=True):
    row = round(time * 100) - 1
    axis.plot(grid[0][row], reference[row], label="exact")
    axis.plot(grid[0][row], u[row], "--", label="network")
    axis.set(title=f"t = {time}", xlabel="x")
axes[0].set_ylabel("u")
axes[0].legend()
figure.tight_layout()
figure.savefig(folder / "burgers.svg")
