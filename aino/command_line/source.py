"""``source``: the program that predicts."""

from __future__ import annotations

from typing import Any

import aino
from aino.command_line.models import add_input, input_for, model_in

HELP = "print the program that a model's prediction comes to"
DESCRIPTION = """\
Print the straight-line NumPy program that computes the model's output from its
input: what aino.compile makes of it. It is for reading; save_source() of a
compiled function writes one that runs by itself.
"""
EXAMPLES = """\
examples:
  python -m aino source model.dit
  python -m aino source model.dit --input 1,3,32,32 | less
  python -m aino source model.dit --code        as it runs, with its buffers
"""


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FILE", help="a .dit, or a model in ONNX")
    command.add_argument("--code", action="store_true", help="the program as it runs")
    add_input(command, "needed where the model's first layer does not tell it")


def run(chosen: Any) -> str:
    """Return the program."""
    model = model_in(chosen.file).eval()
    given = input_for(model, chosen.input, chosen.file)

    def predict(x):
        return model(x)

    compiled = aino.compile(predict, fullgraph=True, name="predict")
    with aino.no_grad():
        for _ in range(2):
            compiled(given)
    return (compiled.code if chosen.code else compiled.source).rstrip()
