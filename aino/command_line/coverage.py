"""``coverage``: what AINO has of PyTorch."""

from typing import Any

from aino.coverage import report

HELP = "what PyTorch has and AINO leaves out, with the reasons"
DESCRIPTION = """\
How many of the public names of PyTorch AINO has, and each that it leaves out,
with the reason.
"""
EXAMPLES = "example:\n  python -m aino coverage | grep sparse\n"


def add(command: Any) -> None:
    """The command has no arguments."""


def run(chosen: Any) -> str:
    """Return the list; ``chosen`` changes nothing."""
    return report()
