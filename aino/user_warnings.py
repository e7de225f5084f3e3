"""Warnings that point at the line of the user's that they are about, however deep they arise."""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")
_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_NUMPY = os.path.dirname(os.path.abspath(np.__file__)) + os.sep
#: Where AINO's own code comes from: its files, NumPy's between them, and what it has written.
OWN = (_HERE, _NUMPY, "<primitive", "<program", "<dispatch")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line that is not AINO's own."""
    frame, level = sys._getframe(1), 2
    while frame.f_code.co_filename.startswith(OWN) and frame.f_back is not None:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def warn_of_numbers(message: str) -> None:
    """Warn of what arithmetic has raised in a program: at the user's line, but as AINO's own.

    Such warnings of AINO's are not shown unless the user asks for them.
    """
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(OWN) and frame.f_back is not None:
        frame = frame.f_back
    registry = frame.f_globals.setdefault("__warningregistry__", {})
    warnings.warn_explicit(
        message, RuntimeWarning, frame.f_code.co_filename, frame.f_lineno,
        "aino.compiler.program", registry,
    )  # fmt: skip


def formerly(
    place: str, function: Callable[_Given, _Result], name: str = ""
) -> Callable[_Given, _Result]:
    """Return a function under the name that it had in PyTorch before: a call warns, and goes on.

    Arguments:
        place: where both names are, as the warning says it.
        function: what is called.
        name: the former name; the function's without its last underscore for none.
    """
    name = name or function.__name__.removesuffix("_")

    @functools.wraps(function)
    def former(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        told = f"`{place}.{name}` is now deprecated in favor of `{place}.{function.__name__}`."
        warn(told, FutureWarning)
        return function(*args, **kwargs)

    former.__name__ = former.__qualname__ = name
    return former
