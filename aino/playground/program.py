"""The program to take home: it learns what the page has learned, with the same numbers."""

from __future__ import annotations

from typing import Any

_PROGRAM = '''\
"""A network that tells {count} classes apart: {steps} steps from the playground of AINO."""

import aino
from aino import nn

X = aino.tensor({points}, dtype=aino.float64)
y = aino.tensor({classes})

model = aino.NeuralNetwork(
    {sizes}, activation_type="{activation}", output_activation="{output}", seed={seed}
)
{scaling}optimizer = aino.optim.{optimizer}(model.layers.parameters(), lr={lr})
inputs = {inputs}.to(aino.float32)

for step in range({steps}):
    optimizer.zero_grad()
    loss = nn.functional.{loss}(model.sums(inputs), {targets})
    loss.backward()
    optimizer.step()

with aino.no_grad():
    loss = nn.functional.{loss}(model.sums(inputs), {targets})
print(f"the loss after {steps} steps: {{loss.item():.6f}}")
model.save("playground.dit")    # aino.load("playground.dit") brings it back
'''


def program(session: Any) -> str:
    """Return the program as text."""
    scaling = session.network.input_scaling
    made = ""
    if scaling is not None:
        mean, deviation = scaling.mean.array.tolist(), scaling.scale.array.tolist()
        made = (
            "from aino.nn.modules.scaling import InputScaling\n\n"
            f"model.input_scaling = InputScaling(2, {mean}, {deviation})\n"
        )
    several = session.several
    return _PROGRAM.format(
        count=len(session.data.labels), steps=session.step, points=session.data.points.tolist(),
        classes=session.data.classes.tolist(), sizes=session.sizes, seed=session.seed,
        activation=session.activation, output="softmax" if several else "sigmoid", scaling=made,
        optimizer={"sgd": "SGD", "adam": "Adam"}[session.optimizer_name], lr=float(session.lr),
        inputs="X" if scaling is None else "model.input_scaling(X)",
        loss="cross_entropy" if several else "binary_cross_entropy_with_logits",
        targets="y" if several else "y[:, None].float()",
    )  # fmt: skip
