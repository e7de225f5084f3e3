"""Construction without initial values: they will come from the file."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from aino.ops.random import intercepted


class Building(threading.local):
    """``active`` is True in a thread while it rebuilds modules from their descriptions.

    Initialisers leave parameters as they are then.
    """

    active = False


building = Building()


@contextmanager
def rebuilding() -> Iterator[None]:
    """Construct modules inside without drawing random numbers.

    A checkpoint that is saved or loaded in the middle of a run must not move its generators, nor
    NumPy's global one, which a user's constructor may draw from.
    """
    before = building.active, intercepted.function
    building.active, intercepted.function = True, _draw_nothing
    numpy_random = None if before[0] else sys.modules.get("numpy.random")
    numpy_state = numpy_random.get_state() if numpy_random else None
    try:
        yield
    finally:
        building.active, intercepted.function = before
        if numpy_random:
            numpy_random.set_state(numpy_state)


def _draw_nothing(_: Any, kind: str, shape: Any, dtype: np.dtype, *parameters: Any) -> np.ndarray:
    if kind == "permutation":
        return np.arange(parameters[0]).astype(dtype)
    return np.zeros(shape, dtype)
