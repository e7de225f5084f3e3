"""``draw``: a network as a picture."""

from __future__ import annotations

import os
from typing import Any

import aino
from aino.command_line.models import add_input, depth, input_for, model_in

HELP = "draw a model into an .svg, .html, .png, .pdf or .dot"
DESCRIPTION = """\
Draw the model in a .dit. Its layers are drawn as they stand in each other; with
--input it is run, and what it computes is drawn, each operation with its
formula. An .html is a page to look around in; it needs nothing but a browser.
"""
EXAMPLES = """\
examples:
  python -m aino draw model.dit model.svg
  python -m aino draw model.dit computation.html --input 1,4
"""


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument("file", metavar="FILE", help="a .dit, or a model in ONNX")
    command.add_argument("picture", metavar="OUT", help="what is written; its suffix says how")
    command.add_argument(
        "--depth", type=depth, metavar="N", help="fold what stands deeper than N modules"
    )
    add_input(command, "what it computes from that is drawn")


def run(chosen: Any) -> str:
    """Write the picture, and return where it is."""
    folder = os.path.dirname(chosen.picture)
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(2, "no such folder", folder)
    model = model_in(chosen.file).eval()
    given = [] if chosen.input is None else [input_for(model, chosen.input, chosen.file)]
    return str(aino.draw(model, *given, depth=chosen.depth).render(chosen.picture))
