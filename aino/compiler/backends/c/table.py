"""Which row writes a function or a call as C.

A row is a function ``row(c, ...)`` that adds statements to the builder ``c``. ``whole`` registers
one for a function of AINO's, or a primitive by its name: it is given the arguments by their names,
and ``result``. ``ufunc``, ``function``, ``method``, ``reduction`` and ``kernel`` register one for
a call of the program: it is given the call.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from aino.compiler.export.recording import Table

#: The rows of AINO's own functions, and of primitives.
WHOLE = Table()
#: The rows of calls: (operation, function or name) -> row.
CALLS: dict[tuple[str, Any], Any] = {}


class DeclinedError(Exception):
    """C has no one function for these arguments: the calls are written one by one instead."""


class RefusedError(Exception):
    """What can't be written, in words."""


def whole(*functions: Any) -> Callable:
    """Register a row for functions of AINO's that are written as they stand, and primitives."""

    def register(row):
        row.takes = tuple(inspect.signature(row).parameters)[1:]
        for function in functions:
            WHOLE.add(function, row)
        return row

    return register


def _of_calls(operation: str) -> Callable:
    def named(*functions: Any) -> Callable:
        def register(row):
            for function in functions:
                CALLS[operation, function] = row
            return row

        return register

    return named


#: For a ufunc and its ``reduce``; a function or a method of arrays; a kernel.
ufunc, reduction = map(_of_calls, ("ufunc", "reduce"))
function, method, kernel = map(_of_calls, ("function", "method", "kernel"))
