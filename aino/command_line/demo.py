"""``demo``: small shows of what AINO does."""

from __future__ import annotations

import inspect
from argparse import ArgumentTypeError
from typing import Any

from aino.command_line.demos import circles, compiled, derivative, drawing, xor

_DEMOS = {
    "derivative": derivative, "xor": xor, "circles": circles, "compile": compiled, "draw": drawing,
}  # fmt: skip

HELP = "run a small show: a derivative, a network that learns, a program, a drawing"
DESCRIPTION = "Run one of a few small shows; without a name, list them.\n\n" + "\n".join(
    [f"  {name:<12}{(demo.__doc__ or '').splitlines()[0]}" for name, demo in _DEMOS.items()]
)
EXAMPLES = """\
examples:
  python -m aino demo xor
  python -m aino demo xor --source      its program, to be read and changed
"""


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument(
        "name", metavar="NAME", nargs="?", type=_known, help="which one; none lists them"
    )
    command.add_argument("--source", action="store_true", help="print its program, run nothing")


def _known(text: str) -> str:
    if text not in _DEMOS:
        raise ArgumentTypeError(f"there is no demo {text!r}; there are {', '.join(_DEMOS)}")
    return text


def run(chosen: Any) -> str:
    """Run the show, and return what is left to be printed."""
    if chosen.name is None:
        return DESCRIPTION
    module = _DEMOS[chosen.name]
    if chosen.source:
        return inspect.getsource(module).rstrip()
    module.main()
    return ""
