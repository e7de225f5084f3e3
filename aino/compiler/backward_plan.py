"""The graph behind the results of a compiled function, without its values: how to walk it back."""

from __future__ import annotations

import threading
import weakref
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.declared import RecordedNode
from aino.autograd.memory import any_written_since, clock
from aino.autograd.node import Leaf, Node, TupleOutput, tick
from aino.autograd.tensor import Tensor, make
from aino.autograd.walk import walk
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.programs import Programs, Settings
from aino.compiler.tracing.tracer import Tracer
from aino.errors import CompileError
from aino.pytree import rebuild

#: What nodes keep beside values, and what is the same in every run that recorded the same.
_PLAIN = (bool, int, float, complex, str, type(...), np.dtype, np.generic, type)


class Slot(NamedTuple):
    """Stands in a plan for a value that the forward program returns, by its place there."""

    place: int


class Held:
    """A tensor of the plan over memory that stays where it is, such as a parameter's."""

    __slots__ = ("array",)

    def __init__(self, array) -> None:
        self.array = array

    def __eq__(self, other) -> bool:
        if type(other) is not Held or other.array is self.array:
            return type(other) is Held
        return other.array.dtype == self.array.dtype and np.array_equal(other.array, self.array)

    __hash__ = None  # type: ignore[assignment]


class Step(NamedTuple):
    """One node of a plan: its class, what it saved, its inputs by place, its form."""

    kind: type[Node]
    saved: tuple
    #: The places of earlier steps, ``~place`` for a leaf, None where no gradient is wanted.
    inputs: tuple
    shape: tuple
    #: For one of several outputs: which, and its dtype.
    output: tuple | None


def _filled(item, values):
    """Return what a node keeps, with the values of one run in the places of their slots."""
    if type(item) is Slot:
        value = values[item.place]
        return value.array if isinstance(value, Tensor) else value
    if type(item) is Held:
        return item.array
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), [_filled(part, values) for part in item])
    return item


class Plan:
    """A recorded graph without its values; two runs that recorded the same have equal plans."""

    def __init__(self, steps: list[Step], outputs, positions, leaves, shapes, settings) -> None:
        self.steps = steps
        #: The steps that the outputs came from, and their places among the result's tensors.
        self.outputs: list[int] = outputs
        self.positions: list[int] = positions
        #: Leaves from outside, and places among the arguments' tensors.
        self.leaves: list[Any] = leaves
        self.shapes: list[tuple] = shapes
        #: How the function is compiled, and so its walks.
        self.settings: Settings = settings
        #: The compiled walk for the inputs that are wanted and the outputs that got a gradient.
        self.walks: dict[tuple, Programs] = {}
        #: Memory that stays where it is, which must not be written before the backward pass.
        self.held = [item.array for step in steps for item in _held(step.saved)]
        self.lock = threading.RLock()

    def _what(self) -> tuple:
        return self.steps, self.outputs, self.positions, self.leaves

    def __eq__(self, other) -> bool:
        return type(other) is Plan and self._what() == other._what()

    __hash__ = None  # type: ignore[assignment]

    def backward(self, values, cotangents: list, wanted: list[bool]) -> list:
        """Walk the plan over the values of one run; return a gradient for each leaf.

        ``values`` are tensors, ``cotangents`` one for each output, None where nothing arrived.
        """
        leaves = [_bare_leaf(shape) for shape in self.shapes]
        nodes: list[Node] = []

        def edge_of(place):
            if place is None or place >= 0:
                return None if place is None else nodes[place]
            return leaves[~place] if wanted[~place] else None

        for step in self.steps:
            inputs = tuple([edge_of(place) for place in step.inputs])
            if step.output is not None:
                node: Node = TupleOutput(inputs[0], step.output[0], step.shape, step.output[1])
            else:
                node = object.__new__(step.kind)
                node.sequence, node.extras = tick(), None
                node.inputs, node.shape = inputs, step.shape
            node.saved = _filled(step.saved, values)
            nodes.append(node)
        roots = [
            (nodes[place], cotangent.array)
            for place, cotangent in zip(self.outputs, cotangents)
            if cotangent is not None
        ]
        targets: set[Node] = {leaf for leaf, want in zip(leaves, wanted) if want}
        found = walk(roots, targets, True, False) if targets else {}
        return [found.get(leaf) for leaf in leaves]

    def walk_for(self, wanted: tuple, arrived: tuple, name: str) -> Programs:
        """Return the compiled walk that computes these gradients from these."""
        key = (wanted, arrived)
        if key not in self.walks:
            plan = weakref.proxy(self)

            def backward(values, cotangents):
                return plan.backward(values, cotangents, list(wanted))

            settings = Settings(
                self.settings.passes, name=f"{name}_backward", native=self.settings.native
            )
            self.walks[key] = Programs(backward, backward, settings, False)
        return self.walks[key]


def _bare_leaf(shape) -> Leaf:
    """Return a node that a gradient is wanted for; rules read its shape."""
    leaf = object.__new__(Leaf)
    leaf.inputs, leaf.saved, leaf.sequence, leaf.shape, leaf.extras = (), (), tick(), shape, None
    return leaf


# From a recorded run to its plan


def _emptied(item, known: dict[int, Slot], values: list):
    """Return what a node keeps with slots in the places of what each run has anew."""
    if isinstance(item, np.ndarray):
        return Held(item)
    if type(item) is Tracer:
        if item.value.storage.kind == "static":
            return Held(item.trace.real_array(item))
        if id(item) not in known:
            known[id(item)] = Slot(len(values))
            values.append(make(item))
        return known[id(item)]
    if type(item) is SymbolicNumber:
        values.append(item)
        return Slot(len(values) - 1)
    if isinstance(item, (tuple, list)):
        return rebuild(type(item), [_emptied(part, known, values) for part in item])
    if type(item) is slice:
        if all(type(part) in (int, type(None)) for part in (item.start, item.stop, item.step)):
            return item
    elif item is None or isinstance(item, _PLAIN) or hasattr(item, "stays_in_plans"):
        return item
    raise CompileError(
        f"the graph of what is returned keeps a {type(item).__name__}, which a compiled "
        "backward pass can't; call backward() inside the compiled function"
    )


def plan_of(outputs: dict[int, Tensor], leaf_places: dict[Leaf, int], settings) -> tuple:
    """Return the plan of the graph behind some outputs, and its values: tensors and numbers.

    ``outputs``: by their places in the result. ``leaf_places``: which of the leaves stand among
    the arguments, and where.
    """
    order = _nodes_behind(list(outputs.values()))
    places: dict[Node, int] = {}
    leaves: dict[Leaf, int] = {}
    values: list[Any] = []
    known: dict[int, Slot] = {}
    steps: list[Step] = []

    def place_of(edge):
        if edge is None:
            return None
        if type(edge) is Leaf:
            return ~leaves.setdefault(edge, len(leaves))
        return places[edge]

    for node in order:
        _check(node)
        kept = _emptied(tuple(node.saved or ()), known, values)
        output = (node.index, node.dtype) if type(node) is TupleOutput else None
        inputs = tuple([place_of(edge) for edge in node.inputs])
        places[node] = len(steps)
        steps.append(Step(type(node), kept, inputs, node.shape, output))
    ends = [places[output.node] for output in outputs.values()]  # type: ignore[index]
    sources = [leaf_places.get(leaf, leaf) for leaf in leaves]
    return Plan(steps, ends, list(outputs), sources, [x.shape for x in leaves], settings), values


def _nodes_behind(outputs: list[Tensor]) -> list[Node]:
    """Return the recorded nodes that lead to the outputs, oldest first."""
    seen: set[Node] = set()
    stack = [output.node for output in outputs]
    while stack:
        node = stack.pop()
        if node is None or type(node) is Leaf or node in seen:
            continue
        seen.add(node)
        stack.extend(node.inputs)
    return sorted(seen, key=lambda node: node.sequence)


def _check(node: Node) -> None:
    """Raise for a node whose backward pass is more than its rule and its values."""
    if not isinstance(node, (RecordedNode, TupleOutput)):
        raise CompileError(
            f"{node.name()} stands in the graph of what is returned, and its backward pass is "
            "code of its own; call backward() inside the compiled function"
        )
    if node.extras is not None and (node.extras.hook_keys() or node.extras.keeper is not None):
        raise CompileError(
            f"a hook, or retain_grad(), waits for the gradient of {node.name()} in the graph of "
            "what is returned; call backward() inside the compiled function"
        )
    if node.saved is None:
        raise CompileError(f"the graph behind {node.name()} has been freed by a backward pass")
    if clock.last_write > node.sequence and any_written_since(node.saved, node.sequence):
        flat = [part for item in node.saved
                for part in (item if isinstance(item, (tuple, list)) else (item,))]  # fmt: skip
        if any_written_since([a.shadow if type(a) is Tracer else a for a in flat], node.sequence):
            raise CompileError(f"a value that {node.name()} needs was changed in place")


def _held(saved) -> list[Held]:
    found = []
    for item in saved:
        if type(item) is Held:
            found.append(item)
        elif isinstance(item, (tuple, list)):
            found += _held(item)
    return found
