"""Where in the code a call was recorded: the section, the primitive, the rule, the user's line."""

from __future__ import annotations

import os
import sys
import weakref
from types import FrameType
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
_ENGINE = os.path.join(_PACKAGE, "autograd", "engine.py")
_OPTIM = os.path.join(_PACKAGE, "optim") + os.sep
_COMPILER = os.path.join(_PACKAGE, "compiler") + os.sep


def _is_ours(filename: str) -> bool:
    return filename.startswith((_PACKAGE, _NUMPY, "<primitive"))


def user_line() -> str:
    """Return ``" (file, line n: text)"`` for the innermost line outside of AINO."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and _is_ours(frame.f_code.co_filename):
        frame = frame.f_back
    if frame is None:
        return ""
    return f" ({frame.f_code.co_filename}, line {frame.f_lineno}, in {frame.f_code.co_name})"


class Context:
    """Reads the stack at every recorded call; ``owners`` are the objects whose methods ran."""

    def __init__(self) -> None:
        self.owners: dict[int, object] = {}
        #: (code, id of ``self``) of the user's functions -> their globals and first argument.
        self.frames: dict[tuple[Any, int], tuple[dict[str, Any], Any]] = {}

    def describe(self) -> tuple[str, str, object, str]:
        """Return the section, the primitive's name, the rule's code and the user's line."""
        section, primitive, rule, line = "forward", "", None, ""
        inner = None
        frame: FrameType | None = sys._getframe(2)
        while frame is not None:
            code = frame.f_code
            filename = code.co_filename
            if filename.startswith("<primitive"):
                if not primitive:
                    primitive = filename[len("<primitive ") : -1]
                    rule = inner if code.co_name == "pullback" else None
            elif filename == _ENGINE:
                section = "backward" if section == "forward" else section
            elif filename.startswith(_OPTIM) and section == "forward":
                section = "update"
            elif not _is_ours(filename):
                line = line or f"{filename}:{frame.f_lineno}"
                self._note(frame)
            if code.co_argcount and code.co_varnames[0] == "self":
                owner = frame.f_locals.get("self")
                kind = type(owner)
                if hasattr(kind, "named_parameters") or hasattr(kind, "add_param_group"):
                    self.owners.setdefault(id(owner), owner)
            if filename.startswith(_COMPILER) and code.co_name == "run_traced":
                break
            if not filename.startswith(_COMPILER):
                inner = code
            frame = frame.f_back
        return section, primitive, rule, line

    def _note(self, frame: FrameType) -> None:
        """Note whose function ran; models and optimizers are watched as a whole."""
        code = frame.f_code
        owner = frame.f_locals.get(code.co_varnames[0]) if code.co_argcount else None
        watched = hasattr(owner, "named_parameters") or hasattr(owner, "add_param_group")
        if watched or isinstance(owner, (type, Tensor)) or not hasattr(owner, "__dict__"):
            key, reference = 0, _nobody
        else:
            key = id(owner)
            try:
                # Weakly: what is made in a trace must not seem to be kept.
                reference = weakref.ref(owner)
            except TypeError:
                reference = _nobody
        self.frames.setdefault((code, key), (frame.f_globals, reference))


def _nobody() -> None:
    """Stand for the reference to a first argument that is not watched."""
