"""Drawings: what was computed, what a network is made of, and what it did.

    python examples/draw_graph.py [folder]    # assets: the pictures of the README
"""

import sys
from pathlib import Path

import aino
from aino import nn

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
folder.mkdir(parents=True, exist_ok=True)

# A formula: every operation in the names of the variables, every value with its numbers and its
# gradient, every arrow with the local derivative.
x = aino.tensor([1.0, 2.0], requires_grad=True)
w = aino.tensor([0.5, -1.0], requires_grad=True)
y = aino.tanh((w * x).sum())
aino.draw(y, gradients=True).render(folder / "graph.svg")

# The same for numbers, also after backward(); and the backward pass beside the forward one.
d = aino.tensor(2.0, requires_grad=True)
f = aino.tensor(-3.0, requires_grad=True)
a = d * f + 3
L = (2 - a) ** 3
L.backward()
aino.draw(L, gradients=True, values=True).render(folder / "formula.svg")
aino.draw(L, show="both").render(folder / "backward.svg")

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

# A network with what it computes of one flower, and a convolutional one with its feature maps.
flowers = aino.NeuralNetwork(
    [4, 16, 3], activation_type="tanh", output_activation="softmax", seed=0
)
aino.draw(
    flowers,
    sample=[5.0, 2.0, 3.5, 1.0],
    features=["sepal length", "sepal width", "petal length", "petal width"],
    classes=["setosa", "versicolor", "virginica"],
).render(folder / "activations.svg")
aino.manual_seed(0)
digits = nn.Sequential(
    nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(),
    nn.MaxPool2d(2), nn.Flatten(), nn.Linear(256, 10),
)  # fmt: skip
image = aino.zeros(1, 1, 28, 28)
image[0, 0, 4:24, 12:16] = image[0, 0, 4:8, 8:16] = image[0, 0, 20:24, 8:20] = 1.0
aino.draw(digits, sample=image, maps=True).render(folder / "convolutions.svg")

PICTURES = (
    "graph", "formula", "backward", "network", "computation", "folded", "activations",
    "convolutions",
)  # fmt: skip
for picture in PICTURES:
    print(folder / f"{picture}.svg")
