"""Which row of the table writes a function or a call as ONNX.

A row is a function ``row(graph, ...)`` that adds nodes and returns the name of what they give, or
several. ``whole`` registers one for a function of AINO's, or a primitive by its name: it is given
the arguments by their names. ``ufunc``, ``function``, ``method`` and ``kernel`` register one for a
call of the program: it is given the call.
"""

from __future__ import annotations

from aino.compiler.export.rows import Rows

_ROWS = Rows()
#: The rows of AINO's own functions, and of primitives; those of calls.
WHOLE, CALLS = _ROWS.functions, _ROWS.calls


class DeclinedError(Exception):
    """ONNX has no operator for these arguments: the calls are written one by one instead."""


whole = _ROWS.whole
#: For a ufunc, its ``reduce`` and ``accumulate``; a function or a method of arrays; a kernel.
ufunc, reduction, accumulation = map(_ROWS.of, ("ufunc", "reduce", "accumulate"))
function, method, attribute, kernel = map(_ROWS.of, ("function", "method", "attribute", "kernel"))
