"""Node: one recorded operation. Leaf: where a gradient is kept.

A node holds the edges to its inputs' nodes and exactly the values that its rules read. It never
holds its output tensor, so no cycle arises and a graph goes when its last reference goes.
"""

from __future__ import annotations

import inspect
import itertools
import traceback
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from aino.autograd.mode import mode
from aino.errors import LevelError

#: One clock for the process: it numbers nodes and writes, so that "written since" is one compare.
tick = itertools.count(1).__next__


class Spent(tuple):
    """Saved values that a backward pass has used and left: shapes and axes, not worth freeing."""

    __slots__ = ()


#: Constants of up to so many bytes are noted themselves, others by a weak reference.
_NOTED = 512
_PLAIN = (int, float, bool, str, complex, slice, type(...), type(None), np.dtype)
#: Stands for a constant that is no longer there.
GONE = object()


def noted(value):
    """Return what a node notes of a constant, for those who show what was computed.

    What is large is not kept alive, nor by a small part of it.
    """
    if value.__class__ is np.ndarray:
        return value if value.nbytes <= _NOTED and value.base is None else weakref.ref(value)
    if value.__class__ is tuple:
        return tuple([noted(part) for part in value])
    return value if isinstance(value, _PLAIN) else GONE


def seen(value):
    """Return the constant that was noted, ``GONE`` where it is no longer there."""
    if value.__class__ is weakref.ref:
        found = value()
        return GONE if found is None else found
    if value.__class__ is tuple:
        parts = tuple([seen(part) for part in value])
        return GONE if any([part is GONE for part in parts]) else parts
    return value


class Node:
    """One recorded operation; each primitive has a subclass of its own, made by ``primitive``.

    ``inputs``: the nodes of the inputs, None where no gradient is wanted.
    ``saved``: the values that the rules name; None once a backward pass has freed them, ``Spent``
    where it found no array among them.
    ``sequence``: when it was recorded. ``shape``: the output's shape.
    ``extras``: None, or what few nodes have: hooks, a kept gradient, the line that made it.
    """

    __slots__ = ("inputs", "saved", "sequence", "shape", "extras", "__weakref__")
    primitive: Any = None
    #: Whether there is an array to be freed, whatever the wanted inputs: True where every rule
    #: reads one, False where none does, None where the saved values have to be looked at.
    keeps_arrays: bool | None = True
    #: Whether its pullback only computes, so that it may be asked again.
    pure = False
    inputs: tuple
    saved: tuple | None
    sequence: int
    shape: tuple[int, ...]
    extras: Extras | None

    @property
    def next_functions(self) -> tuple:
        """The nodes that gradients flow to, each with the output it belongs to."""
        return tuple([(self.inputs[place], 0) for place in self.input_places()])

    def input_places(self) -> Sequence[int]:
        """Return which of ``inputs`` belong to tensors: all, but for a Function's arguments."""
        return range(len(self.inputs))

    def name(self) -> str:
        """The name that PyTorch would print: ``MulBackward0``."""
        return type(self).__name__

    def saved_values(self) -> list[tuple[str, Any]]:
        """Return the saved values, each with the name its rule knows it by."""
        return list(zip(self.primitive.saved_names, self.saved or ()))

    def read_values(self) -> list[tuple[str, Any]]:
        """Return those of them that a pass reads which is not recorded itself."""
        return self.saved_values()

    def count_outputs(self) -> int:
        """Return how many outputs a gradient may arrive for."""
        return 1

    def register_hook(self, hook: Callable) -> HookHandle:
        """Call ``hook(grad_inputs, grad_outputs)`` each time this node has computed gradients.

        Both are tuples: the gradients that the node passes on, one for each of
        ``next_functions``, and those that arrived for its outputs; None stands where there is
        none. A tuple that the hook returns replaces ``grad_inputs``. The node of a leaf passes
        nothing on: it is given ``()`` and what was summed into ``grad``.

        >>> import aino
        >>> x = aino.tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> handle = y.grad_fn.register_hook(lambda grad_inputs, grad_outputs: print(grad_outputs))
        >>> y.backward()
        (tensor(1.),)
        """
        return extras_of(self).add("behind", hook)

    def register_prehook(self, hook: Callable) -> HookHandle:
        """Call ``hook(grad_outputs)`` each time before this node computes gradients.

        ``grad_outputs`` is a tuple: one gradient for each output, None where none arrived. A
        tuple that the hook returns replaces it.

        >>> import aino
        >>> x = aino.tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> handle = y.grad_fn.register_prehook(lambda grad_outputs: (grad_outputs[0] * 10.0,))
        >>> y.backward()
        >>> x.grad
        tensor(60.)
        """
        return extras_of(self).add("before", hook)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} object at {id(self):#x}>"


class Leaf(Node):
    """The node of a tensor that the user asked gradients for: its gradient lives here."""

    __slots__ = ("grad", "dtype", "tensor", "frozen")
    grad: Any

    def __init__(self, tensor) -> None:
        self.inputs = ()
        self.saved = ()
        self.sequence = tick()
        self.shape = tensor.array.shape
        self.dtype = tensor.array.dtype
        self.extras = None
        self.grad = None
        #: Whether its tensor has stopped asking for a gradient: none is summed any more.
        self.frozen = False
        #: A weak reference to the tensor whose node this is, from which drawings show its value.
        self.tensor = weakref.ref(tensor)

    def name(self) -> str:
        return "AccumulateGrad"


class TupleOutput(Node):
    """One of several outputs of a node: it hands its cotangent on in that output's place."""

    __slots__ = ("index", "dtype")

    def __init__(self, node: Node, index: int, shape: tuple[int, ...], dtype) -> None:
        self.inputs = (node,)
        self.saved = ()
        self.sequence = tick()
        self.shape = shape
        self.dtype = dtype
        self.extras = None
        self.index = index

    @property
    def next_functions(self) -> tuple:
        return self.inputs[0].next_functions

    def name(self) -> str:
        return self.inputs[0].name()

    def register_hook(self, hook: Callable) -> HookHandle:
        return self.inputs[0].register_hook(hook)

    def register_prehook(self, hook: Callable) -> HookHandle:
        return self.inputs[0].register_prehook(hook)

    def saved_values(self) -> list[tuple[str, Any]]:
        return []

    def pullback(self, inputs, saved, g):
        return (None if inputs[0] is None else Cotangents({self.index: g}),)

    def pullback_recorded(self, inputs, g):
        return self.pullback(inputs, (), g)


class Cotangents:
    """What has arrived for the outputs of a node with several, by their position."""

    __slots__ = ("parts",)

    def __init__(self, parts: dict[int, Any]) -> None:
        self.parts = parts

    def __add__(self, other: Cotangents) -> Cotangents:
        parts = dict(self.parts)
        for index, part in other.parts.items():
            parts[index] = parts[index] + part if index in parts else part
        return Cotangents(parts)


class SparseCotangent:
    """The cotangent of a part of an array: zero elsewhere.

    The parts of one array are added into one as they arrive, so that going through a tensor
    slice by slice takes linear time. The walk makes it dense before anybody else sees it.
    """

    __slots__ = ("part", "index", "shape", "whole")

    def __init__(self, part, index, shape) -> None:
        self.part = part
        self.index = index
        self.shape = shape
        self.whole: Any = None

    def dense(self):
        """Return the cotangent of the whole array."""
        if self.whole is not None:
            return self.whole
        whole = np.zeros(self.shape, self.part.dtype)
        whole[self.index] = self.part
        return whole

    def added_to(self, whole):
        """Add this to ``whole``, in place, and return it."""
        if self.whole is not None:
            whole += self.whole
        else:
            whole[self.index] += self.part
        return whole

    def __add__(self, other):
        if type(other) is SparseCotangent:
            self.whole = other.added_to(self.dense())
        else:
            self.whole = self.dense()
            self.whole += other
        return self

    def __array_ufunc__(self, ufunc, method, array, placed, out=None):
        """Answer ``array + placed`` and ``array += placed``."""
        if out is not None:
            return placed.added_to(array)
        if type(array) is not np.ndarray:
            # One of a transform is settled before anything is added that is no part of it.
            raise LevelError("the cotangents of slices are added to plain arrays")
        placed.whole = placed.added_to(array.copy())
        return placed


class Extras:
    """What only few nodes carry."""

    __slots__ = ("hooks", "before", "behind", "after", "keeper", "trace", "hands_out",
                 "label", "grad_dtype")  # fmt: skip

    def __init__(self) -> None:
        #: Hooks on the gradient of the tensor that the node made.
        self.hooks: dict[int, Any] = {}
        #: Hooks on the node itself: before it computes gradients, and behind that.
        self.before: dict[int, Any] = {}
        self.behind: dict[int, Any] = {}
        #: Hooks on a leaf whose ``grad`` has been summed.
        self.after: dict[int, Any] = {}
        #: A weak reference to the tensor that asked to keep its gradient, and that gradient.
        self.keeper: Any = None
        self.trace: Any = None
        #: Whether the cotangent goes to a backward function that the user wrote.
        self.hands_out = False
        #: What the user calls the tensor that the node made.
        self.label: str | None = None
        #: What a leaf's gradients are cast to, where that was chosen: a dtype, or "any".
        self.grad_dtype: Any = None

    def add(self, moment: str, hook: Callable) -> HookHandle:
        """Keep a hook for ``moment``, the name of one of the dicts."""
        hooks = getattr(self, moment)
        handle = HookHandle(hooks)
        hooks[handle.id] = hook
        return handle

    def hook_keys(self) -> list[Any]:
        """Return the keys of all hooks, which change when a hook is added or removed."""
        keys = [*self.hooks, *self.before, *self.behind, *self.after]
        # A dtype that was chosen acts as a hook that casts.
        return keys if self.grad_dtype is None else [*keys, str(self.grad_dtype)]


class HookHandle:
    """What registering a hook returns; ``remove()`` takes the hook away."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self._hooks = hooks
        self.id = tick()

    def remove(self) -> None:
        self._hooks.pop(self.id, None)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.remove()


def extras_of(node: Node) -> Extras:
    """Return the node's extras, made when first asked for."""
    if node.extras is None:
        node.extras = Extras()
    return node.extras


_PACKAGE = __file__.rpartition("autograd")[0]


def annotate(node: Node) -> None:
    """Look at a node that was recorded: for the hooks of what it saves, and detect_anomaly."""
    if mode.saved_hooks and mode.saved_hooks[-1] is not None:
        mode.saved_hooks[-1].pack_node(node)
    if mode.anomaly:
        _note_line(node)


def _note_line(node: Node) -> None:
    """Note the user's line that recorded a node."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith((_PACKAGE, "<primitive")):
        frame = frame.f_back
    lines = traceback.format_stack(frame, limit=3) if frame is not None else []
    extras_of(node).trace = "".join(lines)
