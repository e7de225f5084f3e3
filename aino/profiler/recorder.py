"""Records what is done while a profiler is at work, by calling it through its own functions."""

from __future__ import annotations

import functools
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from time import perf_counter_ns as now
from typing import Any

from aino.autograd import calling, inplace
from aino.autograd.function import called
from aino.autograd.function_node import FunctionNode
from aino.autograd.interposing import Interposed
from aino.autograd.mode import mode
from aino.autograd.node import Node
from aino.autograd.passes import followers
from aino.autograd.tensor import Tensor
from aino.autograd.walk import walk
from aino.compiler.compiled import Compiled
from aino.debug.sites import Modules, frames, short, site_of
from aino.nn.base.module import Module
from aino.optim.optimizer import Optimizer
from aino.profiler.events import FunctionEvent
from aino.profiler.lines import Lines
from aino.profiler.marks import active
from aino.tracing import session


class _Thread(threading.local):
    """What a thread is in, the innermost event last, and the step backward that it made last."""

    def __init__(self) -> None:
        self.open: list[FunctionEvent] = []
        self.last: FunctionEvent | None = None


class Recorder:
    """Records from ``start()`` to ``stop()``, in all threads; ``events`` are in order of begin.

    Arguments:
        shapes: note the shapes of inputs.
        memory: note how much memory each event has added, which slows everything down.
        stacks: note all lines of the user's around each event.
    """

    def __init__(self, shapes: bool, memory: bool, stacks: bool) -> None:
        self.shapes = shapes
        self.memory = memory
        self.stacks = stacks
        self.events: list[FunctionEvent] = []
        self.step = 0
        self._thread = _Thread()
        self._modules = Modules()
        self._made: Any = weakref.WeakKeyDictionary()
        self._looked_at: Interposed | None = None
        self._traces_memory = False

    # From when to when

    def start(self) -> None:
        pairs: list[tuple[Any, Callable[..., Any]]] = [
            (Module.__call__, self._module),
            (walk, functools.partial(self._plain, "backward", "backward")),
            (Compiled.called, self._compiled),
            (called, self._function),
            (FunctionNode.pullback_recorded, self._function_backward),
        ]
        pairs += [(method, functools.partial(self._plain, method.__name__, "cpu_op"))
                  for method in (*inplace.shortcuts, Tensor.copy_, Tensor.__setitem__)]  # fmt: skip
        pairs += [(function, functools.partial(self._optimizer, name))
                  for name, function in _of_optimizers()]  # fmt: skip
        for function in calling.ready():
            pairs += self._pairs(function)
        self._looked_at = Interposed(dict(pairs).items())
        if self.memory and not tracemalloc.is_tracing():
            tracemalloc.start()
            self._traces_memory = True
        self._looked_at.begin()
        calling.on_ready.append(self._look_at)
        followers.append(self._backward)
        active.append(self)

    def stop(self) -> None:
        if self._looked_at is None:
            return
        # What goes on beyond the end ends with it.
        for event in self.events:
            if not event.stop:
                self._close(event, now())
        self._thread = _Thread()
        active.remove(self)
        followers.remove(self._backward)
        calling.on_ready.remove(self._look_at)
        self._looked_at.end()
        self._looked_at = None
        if self._traces_memory:
            tracemalloc.stop()
            self._traces_memory = False

    def _pairs(self, function: Any) -> list[tuple[Any, Callable[..., Any]]]:
        declared = function.primitive
        pairs: list[tuple[Any, Callable[..., Any]]] = [
            (function, functools.partial(self._plain, declared.name, "cpu_op"))
        ]
        if "pullback" in vars(declared.node_class):
            name = declared.node_class.__name__
            pairs.append((declared.node_class.pullback, functools.partial(self._pullback, name)))
        return pairs

    def _look_at(self, function: Any) -> None:
        assert self._looked_at is not None
        for one, around in self._pairs(function):
            if not self._looked_at.has(one):
                self._looked_at.add(one, around)

    # Events

    def begin(self, name: str, kind: str, note: str | None = None) -> FunctionEvent:
        """Begin an event in this thread."""
        entered = now()
        opened = self._thread.open
        parent = opened[-1] if opened else None
        event = FunctionEvent(name, kind, threading.get_ident(), parent)
        if parent is not None:
            parent.cpu_children.append(event)
        event.step = self.step
        event.module = self._modules.now
        event.note = note or ""
        self.events.append(event)
        self._locate(event, parent)
        opened.append(event)
        if self.memory:
            event.cpu_memory_usage = -tracemalloc.get_traced_memory()[0]
        event.start = now()
        if parent is not None:
            parent.overhead += event.start - entered
        return event

    def end(self, event: FunctionEvent) -> None:
        """End an event, and those within that have not come to their end."""
        stopped = now()
        opened = self._thread.open
        if event.stop or event not in opened:
            return
        while opened[-1] is not event:
            self._close(opened.pop(), stopped)
        self._close(opened.pop(), stopped)

    def _close(self, event: FunctionEvent, stopped: int) -> None:
        event.stop = stopped
        if self.memory:
            event.cpu_memory_usage += tracemalloc.get_traced_memory()[0]
        parent = event.cpu_parent
        if parent is not None:
            parent.overhead += event.overhead + now() - stopped

    def _locate(self, event: FunctionEvent, parent: FunctionEvent | None) -> None:
        for frame in frames(3):
            event.site = site_of(frame)
            break
        if self.stacks:
            event.stack = [
                f"{short(f.f_code.co_filename)}({f.f_lineno}): {f.f_code.co_name}"
                for f in frames(3)
            ]

    def _plain(self, name: str, kind: str, call: Callable[..., Any], *given: Any, **keywords: Any):
        """Call a function, recorded."""
        if session.trace is not None:
            return call(*given, **keywords)
        event = self.begin(name, kind)
        if self.shapes and kind == "cpu_op":
            event.input_shapes = [_shape(x) for x in given]
        try:
            result = call(*given, **keywords)
        finally:
            self.end(event)
        if not mode.walking:
            for part in result if type(result) is tuple else (result,):
                if isinstance(part, Tensor) and part.node is not None:
                    self._made[part.node] = event
        return result

    def _function(self, call: Callable[..., Any], cls: Any, given: tuple, *kept: Any):
        """Call a Function of the user's, recorded by its name."""
        return self._plain(cls.__name__, "cpu_op", lambda *args: call(cls, args, *kept), *given)

    def _function_backward(self, call: Callable[..., Any], node: Any, *given: Any):
        return self._pullback(node.name(), call, node, *given)

    def _pullback(self, name: str, call: Callable[..., Any], *given: Any):
        if session.trace is not None:
            return call(*given)
        event = self.begin(name, "backward")
        try:
            return call(*given)
        finally:
            self.end(event)
            self._thread.last = event

    def _backward(self, node: Node, inputs, saved, cotangent, cotangents) -> None:
        """Say of the last step backward what it differentiates, and so where it belongs."""
        event = self._thread.last
        made = self._made.get(node)
        if event is None or made is None or event.name != node.name():
            return
        self._thread.last = None
        event.forward = made
        stack = [event]
        while stack:
            one = stack.pop()
            one.site, one.module, one.stack = made.site, made.module, made.stack
            stack += one.cpu_children

    def _module(self, call: Callable[..., Any], module: Module, *given: Any, **keywords: Any):
        if session.trace is not None:
            return call(module, *given, **keywords)
        called = functools.partial(self._named, call)
        return self._modules.around(called, module, *given, **keywords)

    def _named(self, call: Callable[..., Any], module: Module, *given: Any, **keywords: Any):
        event = self.begin(self._modules.now, "module")
        if self.shapes:
            event.input_shapes = [_shape(x) for x in given]
        try:
            return call(module, *given, **keywords)
        finally:
            self.end(event)

    def _optimizer(self, method: str, call: Callable[..., Any], own: Any, *given: Any, **keywords):
        if session.trace is not None:
            return call(own, *given, **keywords)
        event = self.begin(f"Optimizer.{method}#{type(own).__name__}.{method}", "optimizer")
        try:
            return call(own, *given, **keywords)
        finally:
            self.end(event)

    def _compiled(self, call: Callable[..., Any], compiled: Any, *given: Any, **keywords: Any):
        if session.trace is not None or session.as_it_is:
            return call(compiled, *given, **keywords)
        event = self.begin(f"compiled {compiled.name}", "compiled")
        lines = Lines(self, compiled)
        try:
            with lines:
                return call(compiled, *given, **keywords)
        finally:
            self.end(event)

    def add_line(self, event: FunctionEvent) -> None:
        """Take an event that has begun and ended elsewhere, within the innermost that is open."""
        parent = self._thread.open[-1]
        event.cpu_parent = parent
        parent.cpu_children.append(event)
        event.step, event.site, event.stack = self.step, parent.site, parent.stack
        self.events.append(event)


def _of_optimizers() -> list[tuple[str, Any]]:
    """Return the functions that make an optimizer's step, of all classes, and that forget."""
    found, classes = [("zero_grad", Optimizer.zero_grad)], [Optimizer]
    while classes:
        kind = classes.pop()
        classes += kind.__subclasses__()
        step = vars(kind).get("step")
        if step is not None:
            found.append(("step", step))
    return found


def _shape(value: Any) -> Any:
    if hasattr(value, "shape"):
        return list(value.shape)
    return [_shape(part) for part in value] if isinstance(value, (list, tuple)) else []
