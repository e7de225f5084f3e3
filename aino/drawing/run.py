"""Runs a module once while watching: which call of which module recorded what."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.mode import enable_grad, mode
from aino.autograd.node import Node, tick
from aino.autograd.packing import enter_hooks, leave_hooks
from aino.autograd.primitive import alias
from aino.autograd.tensor import Tensor, make
from aino.drawing.graph import Box
from aino.drawing.lines import user_line
from aino.drawing.names import Named, Names
from aino.nn.base.found import as_found, random_as_found
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module

#: Settings that go without saying.
_USUAL = ("bias=True", "elementwise_affine=True", "inplace=False")


class Passed(NamedTuple):
    """A module that handed on what it was given: its box, and the node of that tensor."""

    box: Box
    node: Node


class Run:
    """What one call of a module showed: its output, the calls inside, and its inputs.

    ``inputs`` holds the nodes at which the graph begins. ``boxes`` are in the order of the calls.
    ``nodes`` are those that were recorded, with the user's line of each; ``error`` is what was
    raised, ``open`` the boxes that it was raised in, from the innermost.
    """

    def __init__(self, module: Module, args: tuple, kwargs: dict[str, Any], names: Names) -> None:
        self.names = names
        self.inputs: dict[Node, Named] = {}
        self.boxes: list[Box] = []
        self.passed: list[Passed] = []
        self.open: list[Box] = []
        self.nodes: dict[Node, str] = {}
        self.output: Any = None
        self.error: Exception | None = None
        labels = _argument_names(module, len(args))
        looking_on = _watched(module, self), _recorded(self)
        with random_as_found(), as_found(module), enable_grad(), looking_on[0], looking_on[1]:
            given = [self._stand_in(x, label) for x, label in zip(args, labels)]
            named = {name: self._stand_in(x, name) for name, x in kwargs.items()}
            self.nodes.clear()
            try:
                self.output = module(*given, **named)
            except Exception as error:
                self.error = error

    def ends(self) -> list[Node]:
        """Return the nodes that nothing was computed from: where a run that failed stopped."""
        used = {edge for node in self.nodes for edge in node.inputs}
        return [node for node in self.nodes if node not in used]

    def pack_node(self, node: Node) -> None:
        """Be told of a node that was recorded."""
        self.nodes[node] = user_line(inspect.currentframe())
        if len(mode.saved_hooks) > 1 and mode.saved_hooks[-2] is not None:
            mode.saved_hooks[-2].pack_node(node)

    def _stand_in(self, value: Any, name: str) -> Any:
        """Return what the module is given in the place of an input.

        An input that can have a gradient is replaced by a tensor over the same memory that
        records what is done with it, whether the user asked for its gradient or not.
        """
        if isinstance(value, np.ndarray):
            value = make(value)
        if isinstance(value, Tensor):
            given = self.names.of_array(value.array)
            if given is not None and given.tensor is value:
                name = given.name
            self.names.add(name, value, "input")
            if value.array.dtype.kind not in "fc":
                return value
            recorded = alias(make(value.array).requires_grad_())
            self.inputs[recorded.node] = Named(name, value, "input")
            return recorded
        if isinstance(value, dict):
            return {k: self._stand_in(item, f"{name}[{k!r}]") for k, item in value.items()}
        if type(value) in (list, tuple):
            return type(value)(self._stand_in(x, f"{name}[{i}]") for i, x in enumerate(value))
        return value


def _argument_names(module: Module, count: int) -> list[str]:
    """Return what ``forward`` calls its arguments."""
    names: list[str] = []
    for parameter in inspect.signature(module.forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}[{i}]" for i in range(count - len(names))]
        elif parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            names.append(parameter.name)
    return names + ["input"] * (count - len(names))


@contextmanager
def _recorded(run: Run) -> Iterator[None]:
    """Tell a run of each node that is recorded."""
    hooks: Any = run
    enter_hooks(hooks)
    try:
        yield
    finally:
        leave_hooks()


@contextmanager
def _watched(module: Module, run: Run) -> Iterator[None]:
    """Note the beginning and the end of every call of a module inside; leave no trace."""
    paths = {id(inner): path for path, inner in module.named_modules()}
    calls: dict[int, int] = {}
    open_boxes: list[Box] = []

    def enter(inner: Module, args: tuple) -> None:
        count = calls[id(inner)] = calls.get(id(inner), 0) + 1
        box = box_of(inner, paths[id(inner)], open_boxes[-1] if open_boxes else None)
        if count > 1:
            box.name += f" (call {count})"
        box.start = tick()
        run.boxes.append(box)
        open_boxes.append(box)
        run.open.clear()

    def leave(inner: Module, args: tuple, output: Any) -> None:
        box = open_boxes.pop()
        box.end = tick()
        if output is None:  # something was raised inside, perhaps
            run.open.append(box)
            return
        run.open.clear()
        if isinstance(output, Tensor) and output.node is not None and not _holds(box, run):
            if any(isinstance(x, Tensor) and x.node is output.node for x in args):
                run.passed.append(Passed(box, output.node))

    handles = []
    try:
        for inner in module.modules():
            handles.append(inner.register_forward_pre_hook(enter, prepend=True))
            handles.append(inner.register_forward_hook(leave, always_call=True))
        yield
    finally:
        for handle in handles:
            handle.remove()
        for inner in module.modules():
            forget_empty_hooks(inner)


def _holds(box: Box, run: Run) -> bool:
    """Tell whether other modules were called inside of a box."""
    return any(inner.parent is box for inner in run.boxes)


def box_of(module: Module, path: str, parent: Box | None) -> Box:
    """Return the box of a module, named by its path."""
    own = sum(parameter.array.size for parameter in module.parameters())
    settings = module.extra_repr().replace("\n", ", ").split(", ")
    note = ", ".join(part for part in settings if part not in _USUAL)
    return Box(path, type(module).__name__, note, own, parent, subject=module)
