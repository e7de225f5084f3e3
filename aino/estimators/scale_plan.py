"""Which scales a network is to have: decided before it learns, set when all else is checked."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.estimators.data import Inputs
from aino.estimators.objective import Objective
from aino.estimators.scaling import Scale, input_scale, output_scale
from aino.estimators.targets import Targets
from aino.nn.modules.perceptron import Layer
from aino.nn.modules.scaling import InputScaling, OutputScaling

#: What float32 may lose of a column that cannot be scaled, in deviations.
_LOST = 1e-3


class ScalePlan:
    """The scales of inputs and targets, and the layers that have to be adapted to them.

    A network that has scales keeps them. One whose weights were only drawn gets them: such weights
    are meant for scaled numbers. One whose weights were given, by a file without scales say, gets
    them, too, and its first and last layer are adapted, so that it says what it said before: with
    x = m + s x'

        W x + b = (W s) x' + (b + W m).

    Raises ``ValueError`` where that cannot be, and the network's dtype does not hold the data.

    Arguments:
        network: the network that is to learn.
        layers: its layers, which it may still have to be given.
        begins: whether the weights are only drawn.
        X: the samples.
        goal: what it learns.
    """

    def __init__(self, network: Any, layers: Any, begins: bool, X: Inputs, goal: Objective) -> None:
        self.layers, self.goal, self.dtype = layers, goal, layers[-1].weight.dtype
        self._first = self._last = None
        self.inputs: Scale | None = None
        self.outputs: Scale | None = None
        self._find_inputs(None if begins else network.input_scaling, begins, X)
        self._find_outputs(None if begins else network.output_scaling, begins)
        scale = 1.0 if self.outputs is None else float(self.outputs.scale[0])
        power = goal.power or 0
        #: Whether the loss compares numbers of the scale that they have: squares and distances of
        #: scaled numbers are those of the raw ones in another unit, nothing else is.
        self.raw = self.outputs is not None and (goal.raw or (power == 0 and scale != 1.0))
        with np.errstate(over="ignore"):
            #: What a loss of scaled numbers is multiplied by.
            self.unit = 1.0 if self.raw else float(np.float64(scale) ** power)
        if not np.isfinite(self.unit):
            raise ValueError(
                f"squared errors of numbers that vary by {scale:.3g} are larger than any float64: "
                "scale y, or give loss='l1'"
            )

    def _find_inputs(self, known: Any, begins: bool, X: Inputs) -> None:
        if known is not None:
            self.inputs = Scale(known.mean.array, known.scale.array)
            return
        if not begins:
            self._first = self._adaptable(0)
            if self._first is None:
                self._check_digits("X", X, "the layer that takes it is frozen, shared, or no Layer")
                return
        self.inputs = input_scale(X)

    def _find_outputs(self, known: Any, begins: bool) -> None:
        goal = self.goal
        if known is not None:
            self.outputs = Scale(known.mean.array, known.scale.array)
            return
        if goal.kind != "numbers":
            return
        values, why = Inputs(goal.targets, None, False), "the last layer is frozen or shared"
        if goal.power is not None and not begins:
            self._last = self._adaptable(-1)
        if goal.power is not None and (begins or self._last is not None):
            self.outputs = output_scale(goal.targets, goal.power > 0)
            return
        if goal.power is None:
            why = f"the output activation {goal.activation!r} leaves no room for a scale"
        self._check_digits("y", values, why)

    def _adaptable(self, place: int) -> Any:
        """Return a layer that can be adapted to a scale: it is learned, and stands once."""
        layer = self.layers[place]
        if type(layer) is not Layer or layer.bias is None:
            return None
        own = [layer.weight, layer.bias]
        others = [p for part in self.layers if part is not layer for p in part.parameters()]
        shared = {id(p) for p in others}.intersection(map(id, own))
        once = sum(part is layer for part in self.layers) == 1
        return layer if once and not shared and all(p.requires_grad for p in own) else None

    def _check_digits(self, name: str, X: Inputs, why: str) -> None:
        """Raise where the network's dtype does not hold columns that have to stay as they are."""
        mean, scale = input_scale(X)
        for _, rows in X.blocks():
            with np.errstate(over="ignore", invalid="ignore"):
                lost = np.abs(rows.astype(self.dtype) - rows.astype(np.float64)).max(axis=0)
            wrong = np.flatnonzero(~(lost <= _LOST * scale))
            if len(wrong):
                column = int(wrong[0])
                seen = f"{mean[column]:.10g} ± {scale[column]:.3g}"
                raise ValueError(
                    f"column {column} of {name} is {seen}, which {self.dtype} does not hold, and "
                    f"{why}: scale it yourself, or call network.double()"
                )

    def install(self, network: Any, targets: Targets) -> None:
        """Give the network its scales, and adapt its layers to them."""
        if self._first is not None and self.inputs is not None:
            mean, scale = self.inputs
            _write(self._first.bias, self._first.weight.array @ mean)
            _write(self._first.weight, factor=scale)
        if self._last is not None and self.outputs is not None:
            mean, scale = self.outputs
            _write(self._last.bias, -mean, 1.0 / scale)
            _write(self._last.weight, factor=1.0 / scale[:, None])
        network.input_scaling = self._module(network.input_scaling, InputScaling, self.inputs)
        # float64 holds the targets, unless they came in less.
        given = targets.dtype
        dtype = np.promote_types(given, self.dtype) if given.kind == "f" else np.dtype(np.float64)
        network.output_scaling = self._module(
            network.output_scaling, OutputScaling, self.outputs, dtype=dtype
        )

    def _module(self, held: Any, kind: Any, scale: Scale | None, **options: Any) -> Any:
        """Return the module of a scale: the one that is held, where it is of this one."""
        if scale is None:
            return None
        if held is not None and held.mean.array is scale.mean:
            return held
        return kind(len(scale.mean), *scale, **options)


def _write(parameter: Any, add: Any = 0.0, factor: Any = 1.0) -> None:
    """Let a parameter be (itself + ``add``) · ``factor``, computed in float64."""
    array = parameter.array
    np.copyto(array, (array.astype(np.float64) + add) * factor, casting="same_kind")
    stamp_write(array)
