"""Construction without initial values: they will come from the file."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from aino.ops.random import intercepted


class Building(threading.local):
    """``active`` is True in a thread while it rebuilds modules from their descriptions.

    Initialisers have nothing to do then.
    """

    active = False


building = Building()


@contextmanager
def rebuilding() -> Iterator[None]:
    """Construct modules inside without drawing random numbers.

    A checkpoint that is saved or loaded in the middle of a run must not move its generators.
    """
    before = building.active, intercepted.function
    building.active, intercepted.function = True, _draw_nothing
    legacy_state = np.random.get_state() if before[0] is False else None
    try:
        yield
    finally:
        building.active, intercepted.function = before
        if legacy_state is not None:
            np.random.set_state(legacy_state)


def _draw_nothing(_: Any, kind: str, shape: Any, dtype: np.dtype, *parameters: Any) -> np.ndarray:
    if kind == "permutation":
        return np.arange(parameters[0]).astype(dtype)
    return np.zeros(shape, dtype)
