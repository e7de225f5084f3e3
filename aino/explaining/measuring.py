"""Runs a model once and watches what each module in it returns, computes and keeps."""

from __future__ import annotations

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
from aino.explaining.counting import Counting
from aino.nn.base.found import as_found, random_as_found
from aino.nn.base.hooks import forget_empty_hooks
from aino.nn.base.module import Module
from aino.tracing import session


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

    def count(self, multiply_adds: int) -> None:
        """Count what an operation computes, for all modules that are at work."""
        for measured in self.open:
            measured.multiply_adds += multiply_adds

    def keep(self, node: Node) -> None:
        """Count what an operation keeps."""
        size = sum([self._new(x, self.kept) for x in _arrays(node.saved)])
        for measured in self.open:
            measured.backward += size

    def enter(self, module: Module, args: tuple, kwargs: dict) -> None:
        measured = self.of[identity(module)]
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
    """Run a model once on copies of its inputs; return what each module did, by ``identity``.

    The model and all that it holds, the inputs and the random numbers that are drawn later are as
    before.
    """
    modules = {identity(module): module for module in model.modules()}
    watch = _Watch({key: Measured() for key in modules})
    before, session.as_it_is = session.as_it_is, True  # a program would hide what it computes
    try:
        with random_as_found(), as_found(model), enable_grad():
            for module in modules.values():
                if mode != "same" and module.training != (mode == "train"):
                    module.training = mode == "train"
            args, kwargs = _copied(args), _copied(kwargs)
            given = [x.array for x in (*model.parameters(), *model.buffers())]
            for array in (*given, *_arrays([*args, *kwargs.values()])):
                root = owner(array)
                watch.returned[id(root)] = watch.kept[id(root)] = root
            with _watched(list(modules.values()), watch):
                model(*args, **kwargs)
    finally:
        session.as_it_is = before
    return watch.of


def identity(module: Module) -> int:
    """Return what a module and its compiled face have in common."""
    return id(vars(module))


def _copied(value: Any) -> Any:
    """Return copies of arrays and tensors, which ask for a gradient where those do."""
    if isinstance(value, np.ndarray):
        value = make(value)
    if isinstance(value, Tensor):
        copy = make(value.array.copy())
        return alias(copy.requires_grad_()) if value.requires_grad else copy
    if type(value) is dict:
        return {key: _copied(item) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)([_copied(item) for item in value])
    return value


@contextmanager
def _watched(modules: list[Module], watch: _Watch) -> Iterator[None]:
    """Tell a watch of every call of a module, and of every operation."""
    handles = []
    same: Callable[[Any], Any] = lambda value: value  # noqa: E731
    enter_hooks(SavedHooks(same, same, watch.keep))
    try:
        with Counting(watch.count):
            for inner in modules:
                handles.append(
                    inner.register_forward_pre_hook(watch.enter, prepend=True, with_kwargs=True)
                )
                handles.append(inner.register_forward_hook(watch.leave, always_call=True))
            yield
    finally:
        leave_hooks()
        for handle in handles:
            handle.remove()
        for inner in modules:
            forget_empty_hooks(inner)
