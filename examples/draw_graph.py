"""Drawings: what was computed, and what the network is made of.

    python examples/draw_graph.py [folder]
"""

import sys
from pathlib import Path

import aino

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
folder.mkdir(parents=True, exist_ok=True)

# A formula: each box is an operation with its formula, each value shows its numbers, and after
# backward() its gradient.
x = aino.tensor([1.0, 2.0], requires_grad=True)
w = aino.tensor([0.5, -1.0], requires_grad=True)
y = aino.tanh((w * x).sum())
y.backward()
aino.draw(y).render(folder / "formula.svg")

# A network, layer by layer, perceptron by perceptron.
model = aino.NeuralNetwork([2, 3, 1], activation_type="sigmoid")
aino.draw(model).render(folder / "network.svg")

# What that network did with one batch: modules are boxes around their operations.
output = model(aino.tensor([[0.0, 1.0], [1.0, 0.0]]))
aino.draw(output).render(folder / "computation.svg")
aino.draw(output, depth=1).render(folder / "folded.svg")

for picture in ("formula", "network", "computation", "folded"):
    print(folder / f"{picture}.svg")
