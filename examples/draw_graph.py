"""Drawings: what was computed, what a network is made of, and what it did.

    python examples/draw_graph.py [folder]    # assets: the pictures of the README
"""

import sys
from pathlib import Path

import aino
from aino import nn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
folder.mkdir(parents=True, exist_ok=True)

# A formula: every operation with its name and formula, every value with its numbers, and with
# its gradient. Drawn before backward(), which frees the values on its way.
x = aino.tensor([1.0, 2.0], requires_grad=True)
w = aino.tensor([0.5, -1.0], requires_grad=True)
y = aino.tanh((w * x).sum())
aino.draw(y, gradients=True).render(folder / "graph.svg")

# A network, perceptron by perceptron: blue weights push, orange ones hold back.
model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid", seed=0)
model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=2000, lr=0.5, verbose=False)
aino.draw(model).render(folder / "network.svg")

# What that network does with one sample: modules are boxes around their operations.
aino.draw(model, aino.tensor([[0.0, 1.0]])).render(folder / "computation.svg")

# A larger network, folded to the modules of its first level.
block = nn.Sequential(nn.Linear(16, 16), nn.GELU(), nn.LayerNorm(16))
network = nn.Sequential(nn.Linear(4, 16), block, nn.Dropout(0.1), nn.Linear(16, 3))
aino.draw(network, aino.randn(8, 4), depth=1).render(folder / "folded.svg")

for picture in ("graph", "network", "computation", "folded"):
    print(folder / f"{picture}.svg")
