"""The command line: ``python -m aino info FILE``, ``verify FILE``, ``coverage``."""

from __future__ import annotations

import argparse
import os
import sys

import aino
from aino.coverage import report
from aino.dit import verify
from aino.errors import FormatError
from aino.formats import describe


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m aino", description="AINO's command line.")
    parser.add_argument("--version", action="version", version=f"aino {aino.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    info = commands.add_parser(
        "info",
        help="what is in a .dit, .safetensors or .pt: architecture, tensors, sizes, metadata",
    )
    check = commands.add_parser("verify", help="check every byte of a .dit, loading nothing")
    commands.add_parser("coverage", help="what PyTorch has and AINO leaves out, with the reasons")
    for command in (info, check):
        command.add_argument("file", metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "coverage":
            text = report()
        else:
            text = describe(chosen.file) if chosen.command == "info" else verify(chosen.file)
        print(text, flush=True)
    except BrokenPipeError:
        # Whoever reads has had enough. Python would flush once more, and complain, at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + 13  # as of a program that the signal SIGPIPE ended
    except (FormatError, ImportError, OSError) as error:
        print(f"aino: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
