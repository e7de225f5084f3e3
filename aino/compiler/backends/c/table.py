"""Which row writes a function or a call as C.

A row is a function ``row(c, ...)`` that adds statements to the builder ``c``. ``whole`` registers
one for a function of AINO's, or a primitive by its name: it is given the arguments by their names,
and ``result``. ``ufunc``, ``function``, ``method``, ``reduction`` and ``kernel`` register one for
a call of the program: it is given the call.
"""

from __future__ import annotations

from aino.compiler.export.rows import Rows

_ROWS = Rows()
#: The rows of AINO's own functions, and of primitives; those of calls.
WHOLE, CALLS = _ROWS.functions, _ROWS.calls


class DeclinedError(Exception):
    """C has no one function for these arguments: the calls are written one by one instead."""


class RefusedError(Exception):
    """What can't be written, in words."""


whole = _ROWS.whole
#: For a ufunc and its ``reduce``; a function or a method of arrays; a kernel.
ufunc, reduction = map(_ROWS.of, ("ufunc", "reduce"))
function, method, kernel = map(_ROWS.of, ("function", "method", "kernel"))
