"""Where a module's backward hooks meet the backward pass: a gate before the module, one after.

Both gates pass tensors on as they are. On the way back the gate after the module sees the
gradients of its outputs, the gate before it those of its inputs.
"""

from __future__ import annotations

from typing import Any

from aino.autograd.function import Function
from aino.autograd.mode import mode
from aino.autograd.tensor import Tensor, make


class Gates:
    """What the two gates around one call of a module know of each other."""

    def __init__(self, module: Any, hooks: Any) -> None:
        self.module = module
        self.hooks = hooks
        self.inputs = 0
        self.entered: list[int] = []
        self.outputs = 0
        self.left: list[int] = []
        self.grad_output: tuple | None = None

    def backward_outputs(self, gradients: tuple) -> tuple:
        """Show the gradients of the outputs to the pre-hooks; return what they make of them."""
        grad_output = _spread(gradients, self.left, self.outputs)
        for hook in self.hooks.functions("backward_pre"):
            grad_output = _changed("backward pre-hook", hook(self.module, grad_output), grad_output)
        self.grad_output = grad_output
        if not self.entered:
            self._show((None,) * self.inputs)
        return tuple([grad_output[position] for position in self.left])

    def backward_inputs(self, gradients: tuple) -> tuple:
        """Show the gradients of the inputs to the hooks; return what they make of them."""
        grad_input = self._show(_spread(gradients, self.entered, self.inputs))
        self.grad_output = None
        return tuple([grad_input[position] for position in self.entered])

    def _show(self, grad_input: tuple) -> tuple:
        if self.grad_output is None:
            return grad_input
        for hook in self.hooks.functions("backward"):
            returned = hook(self.module, grad_input, self.grad_output)
            grad_input = _changed("backward hook", returned, grad_input)
        return grad_input


def _spread(gradients: tuple, positions: list[int], count: int) -> tuple:
    """Return ``count`` values: the gradients at their positions, None elsewhere."""
    spread: list[Any] = [None] * count
    for position, gradient in zip(positions, gradients):
        spread[position] = gradient
    return tuple(spread)


def _changed(what: str, returned: Any, gradients: tuple) -> tuple:
    if returned is None:
        return gradients
    if not isinstance(returned, tuple):
        returned = (returned,)
    if len(returned) != len(gradients):
        raise RuntimeError(
            f"a {what} returned {len(returned)} gradients in place of {len(gradients)}"
        )
    for new, old in zip(returned, gradients):
        if new is not None and old is None:
            raise RuntimeError(f"a {what} returned a gradient where none is wanted")
    return returned


class _Before(Function):
    """The gate before the module."""

    @staticmethod
    def forward(ctx, gates, *tensors):
        ctx.gates = gates
        return tuple([make(x.array) for x in tensors])

    @staticmethod
    def backward(ctx, *gradients):
        return None, *ctx.gates.backward_inputs(gradients)


class _After(_Before):
    """The gate after the module."""

    @staticmethod
    def backward(ctx, *gradients):
        return None, *ctx.gates.backward_outputs(gradients)


def _pass(gate: type[Function], gates: Gates, values: tuple) -> tuple[tuple, list[int]]:
    """Send the tensors that want gradients through a gate; return the values, and which."""
    positions = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not positions or not mode.level:
        return values, []
    passed = list(values)
    for position, x in zip(positions, gate.apply(gates, *[values[i] for i in positions])):
        passed[position] = x
    return tuple(passed), positions


def watch_inputs(module: Any, hooks: Any, args: tuple) -> tuple[Gates, tuple]:
    """Return the gates of one call, and the arguments behind the first of them."""
    gates = Gates(module, hooks)
    gates.inputs = len(args)
    args, gates.entered = _pass(_Before, gates, args)
    return gates, args


def watch_outputs(gates: Gates, result: Any) -> Any:
    """Return what the module returned, behind the second gate."""
    values = result if isinstance(result, tuple) else (result,)
    gates.outputs = len(values)
    passed, gates.left = _pass(_After, gates, values)
    return passed if isinstance(result, tuple) else passed[0]
