"""What duals answer, by what they are asked: filled by the modules beside this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

#: NumPy's functions that are linear: ``answer(level, function, arguments, keywords)``.
FUNCTIONS: dict[Any, Callable] = {}
#: Linear ufuncs and their methods, by (ufunc, method): ``answer(level, ufunc, inputs, keywords)``.
UFUNCS: dict[tuple[Any, str], Callable] = {}


class Computing:
    """How a primitive is computed of duals, and pulled back; set by ``dual/tangents.py``."""

    compute: Callable
    pull_back: Callable
    checked: Callable


computing = Computing()
