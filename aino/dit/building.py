"""Construction without initial values: they will come from the file."""

import math
import mmap
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from aino.errors import DitError
from aino.ops.random.generator import intercepted

_PAGES_FROM = 1 << 20


class Building(threading.local):
    """``active`` is True in a thread while it rebuilds modules from their descriptions.

    Initialisers leave parameters as they are then.
    """

    active = False
    #: How many more parameters may be made, so that no description builds without an end.
    room = 0

    def blank(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """The memory of a parameter that waits for its values: zeros.

        Large ones are pages that the system gives out when they are touched, which costs neither
        time nor memory, whatever size a file asks for.
        """
        self.room -= 1
        if self.room < 0:
            raise DitError("makes far more parameters than the file has values for")
        size = math.prod(shape) * dtype.itemsize
        if size < _PAGES_FROM or not hasattr(mmap, "MAP_PRIVATE"):
            return np.zeros(shape, dtype)
        pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        return np.ndarray(shape, dtype, pages)


building = Building()


@contextmanager
def rebuilding(entries: int) -> Iterator[None]:
    """Construct modules inside without drawing random numbers, for a state of so many entries.

    A checkpoint that is saved or loaded in the middle of a run must not move its generators, nor
    NumPy's global one, which a user's constructor may draw from.
    """
    if building.active:
        yield
        return
    # Arguments that are only copied, and parts that were replaced since, come on top.
    building.active, building.room = True, 10_000 + 10 * entries
    before, intercepted.function = intercepted.function, _draw_nothing
    numpy_random = sys.modules.get("numpy.random")
    numpy_state = numpy_random.get_state() if numpy_random else None
    try:
        yield
    finally:
        building.active, intercepted.function = False, before
        if numpy_random:
            numpy_random.set_state(numpy_state)


def _draw_nothing(_: Any, kind: str, shape: Any, dtype: np.dtype, *parameters: Any) -> np.ndarray:
    if kind == "permutation":
        return np.arange(parameters[0]).astype(dtype)
    return np.zeros(shape, dtype)
