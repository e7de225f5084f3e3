"""The node of a Function's recorded call: what it saved, and its backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.node import Cotangents, Node, TupleOutput
from aino.autograd.primitive import cast
from aino.autograd.sums import sum_to_shape
from aino.autograd.tensor import Tensor, make
from aino.errors import GradientError, ShapeError


class FunctionNode(Node):
    """The recorded call of a Function.

    ``saved`` holds, for each saved tensor, None or (array, node, input, output): where it came
    from is looked up only when it is asked for, so that no cycle arises.
    """

    __slots__ = ("ctx", "arguments", "outputs")
    #: The class that was called, and what its forward left.
    function: Any
    ctx: Any
    #: For each argument of ``apply``: (shape, dtype), None where it isn't a tensor.
    arguments: list
    #: For each output: (shape, dtype, a weak reference to its TupleOutput), None for other objects.
    outputs: list

    @property
    def saved_tensors(self) -> tuple:
        if self.saved is None:
            raise GradientError(
                f"the tensors that {self.name()} saved were freed by an earlier backward pass; "
                "pass retain_graph=True to it to read them again"
            )
        return tuple([None if kept is None else self._restore(*kept) for kept in self.saved])

    def _restore(self, array, node, source, output) -> Tensor:
        if source is not None:
            node = self.inputs[source]
        elif output is not None:
            shape, dtype, pick = self.outputs[output]
            node = self if pick is None else (pick() or TupleOutput(self, output, shape, dtype))
        return make(array, node)

    def input_places(self) -> list[int]:
        return [k for k, argument in enumerate(self.arguments) if argument is not None]

    def count_outputs(self) -> int:
        return len(self.outputs)

    def saved_values(self) -> list[tuple[str, Any]]:
        kept = enumerate(self.saved or ())
        return [(f"saved tensor {i}", entry[0]) for i, entry in kept if entry is not None]

    def pullback(self, inputs, saved, g):
        return [None if x is None else x.array for x in self.pullback_recorded(inputs, g)]

    def pullback_recorded(self, inputs, g):
        returned = self.function.backward_function()(self.ctx, *self._received(g))
        returned = returned if isinstance(returned, tuple) else (returned,)
        count = len(inputs)
        if len(returned) < count or any([extra is not None for extra in returned[count:]]):
            raise GradientError(
                f"{self.name()} returned an incorrect number of gradients (expected {count}, "
                f"got {len(returned)})"
            )
        accepted = []
        for position, (edge, gradient) in enumerate(zip(inputs, returned)):
            if gradient is not None:
                gradient = self._accepted(position, gradient)
            accepted.append(None if edge is None else gradient)
        return accepted

    def _received(self, g) -> list:
        """Return what arrived for each output, as tensors of PyTorch's convention."""
        parts = g.parts if type(g) is Cotangents else {0: g}
        received: list[Any] = []
        for position, output in enumerate(self.outputs):
            part = parts.get(position)
            if part is None:
                if output is None or not self.ctx.materialize_grads:
                    received.append(None)
                    continue
                part = make(np.zeros(output[0], output[1]))
            if not isinstance(part, Tensor):
                part = make(np.asarray(part) if isinstance(part, np.generic) else part)
            received.append(np.conjugate(part) if part.dtype.kind == "c" else part)
        return received

    def _accepted(self, position, gradient) -> Tensor:
        """Return a gradient as the engine wants it: the shape and dtype of the input."""
        argument = self.arguments[position]
        if argument is None:
            raise GradientError(
                f"{self.name()} returned a gradient different from None at position {position}, "
                "but the corresponding argument of forward was not a tensor"
            )
        if not isinstance(gradient, Tensor):
            raise GradientError(
                f"{self.name()} returned {type(gradient).__name__} at position {position}; "
                "expected a tensor or None"
            )
        shape, dtype = argument
        if gradient.array.shape != shape:
            if not _expands(shape, gradient.array.shape):
                raise ShapeError(
                    f"{self.name()} returned an invalid gradient at index {position} - got "
                    f"{list(gradient.array.shape)} but expected shape compatible with {list(shape)}"
                )
            gradient = sum_to_shape(gradient, shape)
        if gradient.array.dtype != dtype:
            gradient = cast(gradient, dtype)
        return np.conjugate(gradient) if dtype.kind == "c" else gradient


def _expands(shape, target) -> bool:
    """Tell whether an array of ``shape`` can be broadcast to ``target``."""
    pairs = zip(reversed(shape), reversed(target))
    return len(shape) <= len(target) and all(a in (1, b) for a, b in pairs)
