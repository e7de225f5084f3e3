"""``summary``: a model's layers in a table."""

from __future__ import annotations

from typing import Any

import aino
from aino.command_line.models import add_input, depth, input_for, knows_its_input, model_in

HELP = "a table of a model's layers: shapes, parameters, operations, memory"
DESCRIPTION = """\
Print a table of the modules of the model in a .dit: the shapes of their
outputs, their parameters, multiply-adds and memory. Where the shape of the
input is neither given nor told by the first layer, it has the parameters alone.
"""
EXAMPLES = """\
examples:
  python -m aino summary model.dit
  python -m aino summary model.dit --input 32,3,224,224 --depth 2
"""


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FILE", help="a .dit, or a model in ONNX")
    command.add_argument(
        "--depth", type=depth, default=3, metavar="N", help="how many levels of modules are shown"
    )
    add_input(command, "for what depends on it")


def run(chosen: Any) -> str:
    """Return the table."""
    model = model_in(chosen.file)
    if chosen.input is None and not knows_its_input(model):
        return str(aino.summary(model, depth=chosen.depth))
    given = input_for(model, chosen.input, chosen.file)
    return str(aino.summary(model, input_data=given, depth=chosen.depth))
