"""Learning to learn: weights from which one step of gradient descent is enough for a new curve.

The step is part of the loss, so that the derivative goes through it: a gradient of a gradient, for
sixteen tasks at once.

Source: Finn, Abbeel and Levine, "Model-agnostic meta-learning" (2017).

    python examples/meta_learning.py
"""

import math

import aino
from aino import nn
from aino.func import functional_call, grad, vmap

TASKS, STEPS, INNER = 16, 1500, 0.05
aino.manual_seed(0)
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 1))


def draw(count):
    """Return sine curves of random height and phase: ten points to learn from, ten to be judged."""
    height = aino.rand(count, 1, 1) * 2 + 0.5
    phase = aino.rand(count, 1, 1) * math.pi
    x = aino.rand(count, 20, 1) * 10 - 5
    y = height * aino.sin(x + phase)
    return x[:, :10], y[:, :10], x[:, 10:], y[:, 10:]


def loss(weights, x, y):
    return nn.functional.mse_loss(functional_call(model, weights, (x,)), y)


def adapted(weights, x, y):
    """Return the weights after one step down the gradient of a task."""
    slopes = grad(loss)(weights, x, y)
    return {name: value - INNER * slopes[name] for name, value in weights.items()}


def loss_after(weights, x, y, later_x, later_y):
    return loss(adapted(weights, x, y), later_x, later_y)


over_tasks = vmap(loss_after, in_dims=(None, 0, 0, 0, 0))
optimizer = aino.optim.Adam(model.parameters(), lr=0.003)


@aino.compile
def step(*tasks):
    optimizer.zero_grad()
    total = over_tasks(dict(model.named_parameters()), *tasks).mean()
    total.backward()
    optimizer.step()
    return total


for number in range(STEPS + 1):
    total = step(*draw(TASKS))
    if number % 300 == 0:
        print(f"step {number:4}: loss after one step on a task {total.item():.3f}")

aino.manual_seed(1)
x, y, later_x, later_y = draw(200)
weights = {name: value.detach() for name, value in model.named_parameters()}
before = vmap(loss, in_dims=(None, 0, 0))(weights, later_x, later_y).mean().item()
after = over_tasks(weights, x, y, later_x, later_y).mean().item()
print(f"200 new curves: loss {before:.3f} before, {after:.3f} after one step on ten points")
assert after < 0.6 * before
