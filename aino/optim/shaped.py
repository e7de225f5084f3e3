"""ShapedOptimizer: the step of optimizers that look at each parameter in its own shape.

Rows, columns and whole matrices have a meaning for them, so parameters are not strung together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.autograd.memory import stamp_write
from aino.autograd.tensor import Tensor, make
from aino.errors import ShapeError
from aino.optim.bucket import Segment
from aino.optim.flat import FlatOptimizer, Layout
from aino.optim.optimizer import Optimizer
from aino.optim.state import ParameterState
from aino.tracing import hyperparameters, session, untraced


class Single(Segment):
    """One parameter, with state arrays that have shapes of their own."""

    __slots__ = ("shapes",)

    def __init__(
        self,
        parameter: Tensor,
        state: ParameterState,
        shapes: dict[str, tuple[int, ...]],
        numbers: dict[str, Any],
    ) -> None:
        self.shapes = shapes
        super().__init__([parameter], [state], tuple(shapes), lambda kind: 0.0, numbers)

    def _pack(self, kind: str, fill: float, states: list[ParameterState]) -> None:
        array = np.full(self.shapes[kind], fill, self.dtype)
        entries = states[0].entries
        if kind in entries:
            array[...] = entries[kind].array
        self.flat[kind] = entries[kind] = make(array)


class ShapedOptimizer(FlatOptimizer):
    """Base of optimizers whose update needs the shape of a parameter."""

    # What an optimizer adds

    def _shapes(self, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the state arrays of a parameter of this shape, by their names."""
        raise NotImplementedError

    def _change(self, group, numbers, parameter, gradient, states: dict[str, Any]) -> None:
        """Advance the numbers and the states by one step, and change the parameter in place."""
        raise NotImplementedError

    # The step

    def _kinds(self, group: Mapping[str, Any]) -> tuple[str | None, ...]:
        return ()

    def _check_parameters(self, group: dict[str, Any]) -> None:
        super()._check_parameters(group)
        for parameter in group["params"]:
            if parameter.array.dtype.kind == "c":
                raise RuntimeError(f"{type(self).__name__} does not support complex parameters")

    @untraced
    def _divide(self, group: dict[str, Any], kinds: tuple) -> Layout:
        """Give each parameter that has a gradient a segment of its own."""
        segments: list[Segment] = []
        waiting: list[Tensor] = []
        for parameter in group["params"]:
            state = self.state[parameter]
            if state.segment is not None:
                segments.append(state.segment)
            elif parameter.grad is None:
                waiting.append(parameter)
            else:
                shapes = self._shapes(parameter.array.shape)
                self._check_shapes("", shapes, state.entries)
                segments.append(Single(parameter, state, shapes, self._numbers(state, group)))
        layout = self._layouts[id(group)] = Layout(group, kinds, segments, waiting)
        return layout

    def _advance(self, segment: Segment, group: dict[str, Any], gradients: list) -> None:
        parameter, gradient = segment.parameters[0].array, gradients[0]
        states = {kind: tensor.array for kind, tensor in segment.flat.items()}
        if session.trace is None:
            if not parameter.flags.writeable:
                segment._lay([parameter])  # says so in words
            for array in (parameter, *states.values()):
                stamp_write(array)
        self._change(
            hyperparameters(group), hyperparameters(segment.numbers), parameter, gradient, states
        )

    # Loading

    def _check_shapes(self, position, shapes: dict, entries: Mapping[str, Any]) -> None:
        for kind, shape in shapes.items():
            if kind in entries and entries[kind].array.shape != shape:
                raise ShapeError(
                    f"state {kind!r} of parameter {position} has shape "
                    f"{entries[kind].array.shape}, it should have {shape}"
                )

    def _loaded(self, position, parameter: Tensor, group, entries) -> Any:
        loaded = Optimizer._loaded(self, position, parameter, group, entries)
        loaded = {name: value for name, value in loaded.items() if value is not None}
        shapes = self._shapes(parameter.array.shape)
        known = [name for name in self.known if name not in self._all_kinds() or name in shapes]
        title = type(self).__name__
        for name in loaded:
            if name not in known:
                raise ValueError(
                    f"the state of parameter {position} has {name!r}, which {title} does not keep "
                    f"of one of shape {parameter.array.shape} (it keeps {', '.join(known)})"
                )
        if loaded:
            for name in shapes:
                if name not in loaded:
                    raise ValueError(f"the state of parameter {position} lacks {title}'s {name!r}")
            self._check_shapes(position, shapes, loaded)
        return loaded

    def _all_kinds(self) -> tuple[str, ...]:
        return tuple(name for name in self.known if name not in self.counts)
