"""Policy gradient: a network learns to balance a pole on a cart, from how long the pole stands.

The cart-pole is written here: 32 of them are simulated at once. In each state the network says how
likely it pushes to the right; what came before a long time upright is made more likely (REINFORCE,
with the mean of the returns as the baseline).

    python examples/policy_gradient.py
"""

import numpy as np

import aino
from aino import nn
from aino.distributions import Categorical

POLES, LONGEST, ROUNDS = 32, 200, 41
rng = np.random.default_rng(0)
aino.manual_seed(0)


class CartPoles:
    """Carts on a track of 4.8 m, each with a pole of 1 m that has to stay within 12°."""

    GRAVITY, CART, POLE, HALF, FORCE, STEP = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02

    def __init__(self, count):
        # Position and velocity of the cart, angle and angular velocity of the pole.
        self.state = rng.uniform(-0.05, 0.05, (count, 4))

    def step(self, right):
        """Push each cart to the right or to the left; return which poles stand."""
        _, v, angle, spin = self.state.T
        force = np.where(right, self.FORCE, -self.FORCE)
        sin, cos = np.sin(angle), np.cos(angle)
        mass = self.CART + self.POLE
        push = (force + self.POLE * self.HALF * spin**2 * sin) / mass
        turn = (self.GRAVITY * sin - cos * push) / (
            self.HALF * (4 / 3 - self.POLE * cos**2 / mass)
        )
        pull = push - self.POLE * self.HALF * turn * cos / mass
        self.state = self.state + self.STEP * np.stack([v, pull, spin, turn], axis=1)
        return (abs(self.state[:, 0]) < 2.4) & (abs(self.state[:, 2]) < np.radians(12))


policy = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
optimizer = aino.optim.Adam(policy.parameters(), lr=0.01)


def play():
    """Play until all poles have fallen; return states, actions, and which poles still stood."""
    poles, standing = CartPoles(POLES), np.ones(POLES, bool)
    states, actions, stood = [], [], []
    with aino.no_grad():
        while standing.any() and len(states) < LONGEST:
            state = aino.from_numpy(poles.state.astype(np.float32))
            action = Categorical(logits=policy(state)).sample()
            states.append(state)
            actions.append(action)
            stood.append(standing)
            standing = standing & poles.step(action.numpy() == 1)
    return aino.stack(states), aino.stack(actions), np.stack(stood)


for number in range(ROUNDS):
    states, actions, stood = play()
    lengths = stood.sum(axis=0)
    # The return of a step: how long the pole stands from then on, less what is usual by then.
    returns = stood[::-1].cumsum(axis=0)[::-1] * stood
    usual = returns.sum(axis=1, keepdims=True) / np.maximum(stood.sum(axis=1, keepdims=True), 1)
    advantage = aino.from_numpy(((returns - usual) * stood).astype(np.float32))
    advantage = advantage / (advantage.std() + 1e-6)

    optimizer.zero_grad()
    said = Categorical(logits=policy(states)).log_prob(actions)
    loss = -(said * advantage).sum() / float(stood.sum())
    loss.backward()
    optimizer.step()
    if number == 0:
        first = lengths.mean()
    if number % 10 == 0 or number == ROUNDS - 1:
        print(f"round {number:2}: a pole stands for {lengths.mean():5.1f} of {LONGEST} steps")

last = play()[2].sum(axis=0).mean()
print(f"before: {first:.0f} steps, after: {last:.0f} of {LONGEST}")
assert last > 150 > 5 * first
