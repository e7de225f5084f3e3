"""Fifty networks trained at once: their disagreement says where they know nothing.

``vmap`` runs one network's training step over the weights of all of them: what is written for one
is computed for fifty, in the same number of NumPy calls.

    python examples/ensemble.py
"""

import numpy as np

import aino
from aino import nn
from aino.func import functional_call, grad_and_value, stack_module_state, vmap

NETWORKS, STEPS, RATE = 50, 400, 0.02
aino.manual_seed(0)

# A curve that was measured in two places, and not in between.
x = aino.cat([aino.linspace(-3, -1, 20), aino.linspace(1, 3, 20)]).reshape(-1, 1)
y = aino.sin(x) + 0.05 * aino.randn(x.shape)


def network():
    return nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))


# The weights of fifty networks, each drawn anew, stacked: (50, 32, 1), (50, 32), ...
weights, _ = stack_module_state([network() for _ in range(NETWORKS)])
weights = {name: value.detach() for name, value in weights.items()}
one = network()


def loss(weights, x, y):
    return nn.functional.mse_loss(functional_call(one, weights, (x,)), y)


@aino.compile
def step(weights, moments, rate):
    """One step of gradient descent with momentum, for all networks."""
    slopes, losses = vmap(grad_and_value(loss), in_dims=(0, None, None))(weights, x, y)
    moments = {name: 0.9 * moments[name] + slopes[name] for name in weights}
    weights = {name: weights[name] - rate * moments[name] for name in weights}
    return weights, moments, losses


moments = {name: aino.zeros_like(value) for name, value in weights.items()}
for number in range(STEPS + 1):
    weights, moments, losses = step(weights, moments, RATE)
    if number % 100 == 0:
        print(f"step {number:3}: loss {losses.mean().item():.4f} (worst {losses.max().item():.4f})")

# What they say at places that were measured, between them, and beyond.
places = aino.tensor([[-2.0], [0.0], [2.0], [5.0]])
said = vmap(functional_call, in_dims=(None, 0, None))(one, weights, (places,)).squeeze(-1)
mean, spread = said.mean(0), said.std(0)
for place, m, s in zip(places.flatten().tolist(), mean.tolist(), spread.tolist(), strict=True):
    note = "measured" if 1 <= abs(place) <= 3 else "never seen"
    print(f"at {place:4}: {m:6.3f} ± {s:.3f}   (sin: {np.sin(place):6.3f}, {note})")
assert spread[1] > 2 * spread[0]
assert spread[3] > 5 * spread[2]
