"""Turns DOT into pictures, by whichever Graphviz there is."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

import graphviz

from aino.errors import MissingExtraError, RenderError

# In a process of its own: the library writes its warnings to the process's error output.
_EMBEDDED = """
import sys, pygraphviz
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode("utf-8"))
sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
"""


def picture(source: str, format: str) -> bytes:
    """Return the picture of a drawing: ``format`` is ``svg``, ``png`` or ``pdf``.

    Raises ``MissingExtraError`` where there is no Graphviz, ``RenderError`` where it fails.
    """
    library = importlib.util.find_spec("pygraphviz") is not None
    if shutil.which("dot") is not None:
        try:
            return _by_program(source, format)
        except RenderError:
            # A program may have been built without this format.
            if not library:
                raise
    if library:
        return _by_library(source, format)
    raise MissingExtraError(
        "a drawing is turned into a picture by Graphviz, which is not here. Either install its "
        "program (apt install graphviz, brew install graphviz, winget install graphviz), or let "
        "pip bring it: pip install 'aino[draw]'. Without it, drawing.source is there, and can be "
        "rendered anywhere"
    )


def _by_program(source: str, format: str) -> bytes:
    try:
        return graphviz.Source(source).pipe(format=format)
    except (graphviz.ExecutableNotFound, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", None) or b""
        message = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        raise RenderError(f"dot could not make a {format}: {message.strip() or error}") from error


def _by_library(source: str, format: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-c", _EMBEDDED, format],
        input=source.encode("utf-8"),
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    if done.returncode or not done.stdout:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise RenderError(f"pygraphviz could not make a {format}: {said}")
    return done.stdout
