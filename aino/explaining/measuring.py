"""Runs a model once and watches what each module in it returns, computes and keeps."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.autograd.memory import owner
from aino.autograd.mode import enable_grad
from aino.autograd.node import Node
from aino.autograd.packing import SavedHooks, enter_hooks, leave_hooks
from aino.autograd.primitive import alias
from aino.autograd.tensor import Tensor, make
from aino.explaining.counting import multiply_adds
from aino.func.modules import functional_call
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.nn.base.parameter import Buffer, Parameter
from aino.ops.random.generator import default_generator


@dataclass(slots=True, eq=False)
class Measured:
    """What one module did, in all of its calls together.

    ``inputs``, ``output``: the shapes of its last call, nested as it was called. ``forward``: the
    bytes of what it and the modules inside of it returned, ``backward``: of what their operations
    kept for the backward pass; memory that is shared is counted once.
    """

    calls: int = 0
    inputs: Any = None
    output: Any = None
    multiply_adds: int = 0
    forward: int = 0
    backward: int = 0


@dataclass(slots=True, eq=False)
class _Watch:
    of: dict[int, Measured]
    open: list[Measured] = field(default_factory=list)
    #: Memory that has been counted, or that belongs to the model or the caller: held, so that no
    #: other takes its place.
    returned: dict[int, Any] = field(default_factory=dict)
    kept: dict[int, Any] = field(default_factory=dict)

    def see(self, node: Node) -> None:
        """Count what an operation computes and keeps, for all modules that are at work."""
        count, size = (
            multiply_adds(node),
            sum([self._new(x, self.kept) for x in _arrays(node.saved)]),
        )
        for measured in self.open:
            measured.multiply_adds += count
            measured.backward += size

    def enter(self, module: Module, args: tuple, kwargs: dict) -> None:
        measured = self.of[id(module)]
        measured.calls += 1
        measured.inputs = shapes([*args, *kwargs.values()])
        self.open.append(measured)

    def leave(self, module: Module, args: tuple, output: Any) -> None:
        measured = self.open[-1]
        measured.output = shapes(output)
        size = sum([self._new(x, self.returned) for x in _arrays(output)])
        for outer in self.open:
            outer.forward += size
        self.open.pop()

    @staticmethod
    def _new(array: np.ndarray, known: dict[int, Any]) -> int:
        root = owner(array)
        if id(root) in known:
            return 0
        known[id(root)] = root
        return int(getattr(root, "nbytes", 0))


def _arrays(value: Any) -> Iterator[np.ndarray]:
    if isinstance(value, Tensor):
        value = value.array
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _arrays(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _arrays(item)


def shapes(value: Any) -> Any:
    """Return the shapes of tensors, nested as they are; None for what is no tensor."""
    if isinstance(value, (Tensor, np.ndarray)):
        return tuple(value.shape)
    if isinstance(value, dict):
        return {key: shapes(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        found = [shapes(item) for item in value]
        return found[0] if len(found) == 1 else found
    return None


def measure(model: Module, args: tuple, kwargs: dict[str, Any], mode: str) -> dict[int, Measured]:
    """Run a model on stand-ins for its state and its inputs; return what each module did.

    It runs twice: as it is, which shows what is kept for its backward pass, and with everything
    asking for gradients, so that every operation is recorded and counted. The model, its
    gradients, its buffers, the inputs and the random numbers that are drawn later are as before.
    """
    watch = _Watch({id(module): Measured() for module in model.modules()})
    _run(model, args, kwargs, mode, watch, everything=False)
    counting = _Watch({id(module): Measured() for module in model.modules()})
    _run(model, args, kwargs, mode, counting, everything=True)
    for key, measured in watch.of.items():
        measured.multiply_adds = counting.of[key].multiply_adds
    return watch.of


def _run(
    model: Module, args: tuple, kwargs: dict[str, Any], mode: str, watch: _Watch, everything: bool
) -> None:
    state: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        wants = parameter.requires_grad or (everything and parameter.array.dtype.kind in "fc")
        state[name] = Parameter(make(parameter.array), requires_grad=wants)
    for name, buffer in model.named_buffers():
        state[name] = Buffer(make(buffer.array.copy()))
    args, kwargs = _stand_in(args, everything), _stand_in(kwargs, everything)
    for array in _arrays([*state.values(), *args, *kwargs.values()]):
        root = owner(array)
        watch.returned[id(root)] = watch.kept[id(root)] = root
    with _unchanged(model, mode), enable_grad(), _watched(model, watch):
        functional_call(model, state, args, kwargs)


def _stand_in(value: Any, everything: bool) -> Any:
    """Return copies of tensors, which record what is done with them where that is asked for."""
    if isinstance(value, np.ndarray):
        value = make(value)
    if isinstance(value, Tensor):
        copy = make(value.array.copy())
        wants = value.requires_grad or (everything and copy.array.dtype.kind in "fc")
        return alias(copy.requires_grad_()) if wants else copy
    if type(value) is dict:
        return {key: _stand_in(item, everything) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_stand_in(item, everything) for item in value])
    return value


@contextmanager
def _unchanged(model: Module, mode: str) -> Iterator[None]:
    """Set the mode of all modules for a while; random numbers go on as if none were drawn."""
    chance = default_generator.get_state()
    others = random.getstate(), np.random.get_state()  # noqa: NPY002 - what a user's model draws
    before = [(module, module.training) for module in model.modules()]
    try:
        for module, training in before:
            if mode != "same" and training != (mode == "train"):
                module.training = mode == "train"
        yield
    finally:
        for module, training in before:
            if module.training != training:
                module.training = training
        default_generator.set_state(chance)
        random.setstate(others[0])
        np.random.set_state(others[1])  # noqa: NPY002


@contextmanager
def _watched(model: Module, watch: _Watch) -> Iterator[None]:
    """Tell a watch of every call of a module, and of every operation."""
    handles = []
    same: Callable[[Any], Any] = lambda value: value  # noqa: E731
    enter_hooks(SavedHooks(same, same, watch.see))
    try:
        for inner in model.modules():
            handles.append(
                inner.register_forward_pre_hook(watch.enter, prepend=True, with_kwargs=True)
            )
            handles.append(inner.register_forward_hook(watch.leave, always_call=True))
        yield
    finally:
        leave_hooks()
        for handle in handles:
            handle.remove()
        for inner in model.modules():
            forget_empty_hooks(inner)
