"""Units that give the same for every sample, and so learn nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from aino.autograd import primitive
from aino.autograd.interposing import Interposed
from aino.autograd.tensor import Tensor
from aino.debug.sites import Modules
from aino.nn.base.module import Module

#: Fewer samples than these say nothing of a unit that was silent for all of them.
_ENOUGH = 16
#: primitive -> what a unit is called whose values are all so, and which values those are.
_SILENT: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "relu": ("dead", lambda y: y == 0.0),
    "sigmoid": ("saturated", lambda y: (y < 0.01) | (y > 0.99)),
    "tanh": ("saturated", lambda y: np.abs(y) > 0.99),
}


class Unit(NamedTuple):
    """Units of a layer that give the same for every sample: ``dead`` or ``saturated`` ones."""

    module: str
    activation: str
    state: str
    units: tuple[int, ...]
    of: int


class Units:
    """Looks at activations while a model runs, for units that give the same for all samples."""

    def __init__(self, model: Module) -> None:
        self._modules = Modules(model)
        self._silent: dict[tuple[str, str], np.ndarray] = {}
        self.samples = 0
        self._looked_at = Interposed([(Module.__call__, self._modules.around)])
        for name in _SILENT:
            function = primitive.REGISTRY[name].function
            self._looked_at.watch(function, functools.partial(self._around, name))

    def __enter__(self) -> None:
        self._looked_at.begin()

    def __exit__(self, *_: object) -> None:
        self._looked_at.end()

    def _around(self, name: str, call: Callable[..., Any], *arguments: Any, **keywords: Any):
        result = call(*arguments, **keywords)
        if (
            isinstance(result, Tensor)
            and type(result.array) is np.ndarray
            and result.array.ndim > 1
        ):
            array = result.array
            axis = 1 if array.ndim > 3 else array.ndim - 1
            samples = array.size // max(array.shape[axis], 1)
            if samples >= _ENOUGH:
                others = tuple([i for i in range(array.ndim) if i != axis])
                silent = np.logical_and.reduce(_SILENT[name][1](array), others)
                key = self._modules.now, name
                before = self._silent.get(key)
                same = before is not None and before.shape == silent.shape
                self._silent[key] = before & silent if same else silent
                self.samples = max(self.samples, samples)
        return result

    def found(self) -> list[Unit]:
        """Return the units that were silent for every sample, layer by layer."""
        return [
            Unit(
                module,
                name,
                _SILENT[name][0],
                tuple(np.flatnonzero(silent).tolist()),
                silent.size,
            )
            for (module, name), silent in self._silent.items()
            if silent.any()
        ]
