"""What the pictures of these tests are made of, made once."""

import types

import numpy as np
import pytest

import aino
from aino import nn


class Restless(nn.Module):
    """Counts its calls in buffers, and draws random numbers: all that a picture must not leave."""

    def __init__(self):
        super().__init__()
        self.first, self.norm = nn.Linear(2, 6), nn.BatchNorm1d(6)
        self.drop, self.last = nn.Dropout(0.5), nn.Linear(6, 3)
        self.register_buffer("calls", aino.zeros(1))
        self.register_buffer("replaced", aino.zeros(1))

    def forward(self, x):
        self.calls += 1
        self.replaced = self.replaced + 1
        aino.rand(1), np.random.rand()
        return self.last(self.drop(self.norm(self.first(x)).relu()))


@pytest.fixture(scope="session")
def made():
    """Models and samples; tests leave them as they are, which is tested, too."""
    pytest.importorskip("matplotlib")
    state = aino.get_rng_state()
    aino.manual_seed(1)
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 2)).astype(np.float32)
    t = (X[:, 0] > 0) + (X[:, 1] > 0.3).astype(int)
    labels = np.array(["cat", "dog", "emu"])[t]
    wave = np.sin(2 * X[:, 0]) + X[:, 1]
    module = Restless()
    module(aino.tensor(X)).logsumexp(1).sum().backward()
    module.norm.eval()
    animals = aino.NeuralNetwork(hidden=[6], seed=0).fit(X, labels, epochs=10, verbose=False)
    numbers = aino.NeuralNetwork(hidden=[6], seed=0).fit(X, wave, epochs=10, verbose=False)
    binary = aino.NeuralNetwork([2, 6, 1], seed=0)
    binary.fit(X, (t > 0).astype(int), epochs=10, verbose=False)
    seen, way = aino.plot.GradientHistory(), aino.plot.WeightPath()
    small = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
    trainer = aino.train.Trainer(small, "sgd", "mse", lr=0.3, callbacks=[seen, way])
    history = trainer.fit(X, wave, epochs=4, batch_size=30, verbose=False, validation=0.2)
    heads = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 8, batch_first=True), 1)
    words = aino.randn(2, 5, 8)
    aino.set_rng_state(state)
    return types.SimpleNamespace(
        X=X, t=t, labels=labels, wave=wave, module=module, animals=animals, numbers=numbers,
        binary=binary, seen=seen, way=way, small=small, history=history, heads=heads, words=words,
    )  # fmt: skip
