"""``python -m aino``: what is in a file, pictures, summaries, programs, conversions, small shows.

A file of this folder is a command: ``add`` describes it, ``run`` does it and returns what is to be
printed.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import os
import sys
import warnings
from typing import Any, NoReturn

import aino
from aino.command_line import convert, coverage, demo, draw, info, play, source, summary, verify
from aino.errors import AinoError

COMMANDS = (info, verify, summary, draw, source, convert, coverage, demo, play)

_DESCRIPTION = """\
AINO's command line: look into model files, draw them, turn them into programs
and into other formats. Each command explains itself:
python -m aino COMMAND --help
"""
_EXAMPLES = """\
examples:
  python -m aino info                              versions, for a report of a bug
  python -m aino info model.dit                    what is in a file
  python -m aino draw model.dit model.svg          the network as a picture
  python -m aino convert weights.pt weights.dit    from one format to another
  python -m aino demo xor                          a small network learns before your eyes
"""
#: What a shell reports of a program that was ended by such a signal.
_ENDED_BY_PIPE, _ENDED_BY_KEYBOARD = 128 + 13, 128 + 2


class Parser(argparse.ArgumentParser):
    """A parser that says which command may have been meant."""

    def error(self, message: str) -> NoReturn:
        names = [command.__name__.rpartition(".")[2] for command in COMMANDS]
        given = message.partition("invalid choice: ")[2].split("'")[1:2]
        close = difflib.get_close_matches(given[0], names, 1) if given else []
        if close:
            message = f"there is no command {given[0]!r}; did you mean {close[0]!r}?"
        elif given and self.prog == "python -m aino":
            message = f"there is no command {given[0]!r}; there are {', '.join(names)}"
            if os.path.exists(given[0]):
                message += f" (to look into a file: python -m aino info {given[0]})"
        super().error(message)


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    whole = Parser(
        prog="python -m aino", description=_DESCRIPTION, epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    whole.add_argument("--version", action="version", version=f"aino {aino.__version__}")
    commands = whole.add_subparsers(metavar="COMMAND", title="commands", dest="command")
    for command in COMMANDS:
        made = commands.add_parser(
            command.__name__.rpartition(".")[2], help=command.HELP, description=command.DESCRIPTION,
            epilog=command.EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        command.add(made)
        made.set_defaults(run=command.run)
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return its exit status: 0 where all is well, 1 for a failure, 2 for misuse.

    Arguments:
        arguments: the words behind ``python -m aino``; those of this process for None.
    """
    whole = parser()
    _write_whatever_there_is(sys.stdout)
    try:
        chosen: Any = whole.parse_args(arguments)
        if chosen.command is None:
            print(whole.format_help(), end="", flush=True)
            return 0
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            text = chosen.run(chosen)
        if text:
            print(text, flush=True)
    except BrokenPipeError:
        # Whoever reads has had enough. Python would flush once more, and complain, at its end.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _ENDED_BY_PIPE
    except KeyboardInterrupt:
        return _ENDED_BY_KEYBOARD
    except (AinoError, ImportError, MemoryError, OSError, TypeError, ValueError) as error:
        print(f"aino: {_said(error)}", file=sys.stderr)
        return 1
    return 0


def _said(error: Exception) -> str:
    """Return an error's words; Python's own of files without their numbers."""
    if isinstance(error, OSError) and error.strerror:
        said = error.strerror.lower()
        return said if error.filename is None else f"{error.filename}: {said}"
    return str(error) or type(error).__name__


def _warn(message: Any, *where: Any, **others: Any) -> None:
    """Write a warning as the error of a command is written: no line of a program is to be seen."""
    print(f"aino: {message}", file=sys.stderr)


def _write_whatever_there_is(stream: Any) -> None:
    """Let a terminal without some letters show a question mark in their place."""
    if hasattr(stream, "reconfigure"):
        with contextlib.suppress(ValueError, OSError):
            stream.reconfigure(errors="replace")
