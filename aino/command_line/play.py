"""``play``: the playground."""

from __future__ import annotations

import webbrowser
from argparse import ArgumentTypeError
from importlib import import_module
from typing import Any

HELP = "open a page on which a small network learns before your eyes"
DESCRIPTION = """\
Open the playground in a browser: draw points or bring a table of your own,
build a network, and watch it learn, step by step, forwards and back; see one
perceptron's formula with its numbers, and one sample's way through the network
and its gradient's way back. What was learned can be taken home, as a .dit and
as a program.

The page is served on this machine alone, under an address that nobody else
knows. Ctrl-C ends it.
"""
EXAMPLES = """\
examples:
  python -m aino play
  python -m aino play --port 8123 --no-browser
"""


def add(command: Any) -> None:
    """Describe the command's arguments."""
    command.add_argument(
        "--port", type=_port, default=0, metavar="N", help="where it listens; a free one for 0"
    )
    command.add_argument(
        "--no-browser", action="store_true", help="open no browser, show the address alone"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise ArgumentTypeError(f"{text!r} is no port: a number from 0 to 65535")
    return int(text)


def run(chosen: Any) -> str:
    """Serve the page until Ctrl-C."""
    # No other command needs the server.
    Playground = import_module("aino.playground.server").Playground
    try:
        made = Playground(chosen.port)
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise ValueError(f"port {chosen.port}: {said}; --port 0 takes a free one") from error
    with made as server:
        print(f"the playground is at {server.url}\nCtrl-C ends it", flush=True)
        if not chosen.no_browser:
            webbrowser.open(server.url)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass
    return ""
