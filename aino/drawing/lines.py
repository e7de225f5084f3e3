"""Lines of the user's code, as pictures show them: where a step was made, where one failed."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from typing import Any

from aino.autograd.node import Node
from aino.user_warnings import OWN


def user_line(frame: Any) -> str:
    """Return the line of the user's that led to a frame of AINO's: ``net.py:12  y = x``."""
    while frame is not None and frame.f_code.co_filename.startswith(OWN):
        frame = frame.f_back
    return "" if frame is None else line_text(frame.f_code.co_filename, frame.f_lineno)


def line_text(path: str, number: int) -> str:
    """Return a line of a program with where it stands."""
    return f"{os.path.basename(path)}:{number}  {linecache.getline(path, number).strip()}".strip()


def line_of(node: Node) -> str:
    """Return the user's line that recorded a node, where it was noted: ``train.py:12  y = w @ x``.

    ``aino.autograd.detect_anomaly(check_nan=False)`` notes it.
    """
    trace = node.extras.trace if node.extras is not None else None
    found = re.findall(r'File "(.*?)", line (\d+), in .*\n\s*(.*)', trace or "")
    if not found:
        return ""
    path, number, code = found[-1]
    return f"{os.path.basename(path)}:{number}  {code}"


def line_of_error(error: BaseException) -> str:
    """Return the last line of the user's on the way to what was raised."""
    frames = [
        (frame.f_code.co_filename, number)
        for frame, number in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(OWN)
    ]
    return line_text(*frames[-1]) if frames else ""
