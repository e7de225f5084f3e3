"""``__array_function__``: what NumPy's functions mean for tensors, or why they have no meaning."""

from __future__ import annotations

import inspect
from importlib import import_module

from aino.ops.tensor.numpy_protocol import (  # noqa: F401  (each enters its functions)
    creating,
    joining,
    linear,
    picking,
    pointwise,
    reductions,
    scans,
    shapes,
    statistics,
    writing,
)
from aino.ops.tensor.numpy_protocol.on_arrays import on_arrays
from aino.ops.tensor.numpy_protocol.table import FUNCTIONS, name_of

#: The entries that are loaded when a function is asked for that none of the others is for.
_LATER = ["along", "decompositions", "fourier", "histograms", "polynomials"]


def array_function(self, function, types, arguments, keywords):
    """Answer a NumPy function that met a tensor."""
    implementation = FUNCTIONS.get(function)
    if implementation is None and _LATER:
        load_rest()
        implementation = FUNCTIONS.get(function)
    if implementation is None:
        return on_arrays(function, arguments, keywords)
    try:
        return implementation(*arguments, **keywords)
    except TypeError as error:
        unknown = _unknown_option(function, implementation, arguments, keywords)
        if unknown is None:
            raise
        raise TypeError(unknown) from error


def load_rest() -> None:
    """Enter the functions that were left for later."""
    while _LATER:
        import_module(f"aino.ops.tensor.numpy_protocol.{_LATER.pop()}")


def _unknown_option(function, implementation, arguments, keywords) -> str | None:
    """Return what to say where a call does not fit the entry's parameters."""
    try:
        inspect.signature(implementation).bind(*arguments, **keywords)
    except TypeError as error:
        return f"{name_of(function)} on tensors: {error}"
    return None
