"""Compiled forward and backward: what a program returns still leads back to its inputs.

The function runs in a trace with recording on. The values that its graph keeps for the backward
pass become results of the program beside its own; the graph itself, without values, is kept as a
plan. At a call the program's outputs get one node, which holds those values. When gradients
arrive, the plan is walked over them; that walk is a compiled function, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.mode import mode
from aino.autograd.node import Cotangents, Leaf, Node, TupleOutput, tick
from aino.autograd.tensor import Tensor, make, refresh
from aino.compiler.backward_plan import Plan, plan_of
from aino.compiler.guards.text import MISS
from aino.compiler.programs import Programs, Settings
from aino.compiler.tracing.lifting import gradient_of, slot_of
from aino.compiler.tracing.tracer import Tracer
from aino.compiler.uncompiled import RunEagerly
from aino.errors import CompileError, GradientError
from aino.pytree import is_container, mapped, parts_of
from aino.tracing import one_call, session

# The node of a call


class CompiledBackward(Node):
    """The node behind what a compiled function returned: its backward pass is a program."""

    __slots__ = ("plan", "name_of_function", "places")
    plan: Plan
    name_of_function: str
    #: How many of the saved arrays are the values of the plan.
    places: int

    def name(self) -> str:
        return "CompiledFunctionBackward"

    def count_outputs(self) -> int:
        return len(self.plan.outputs)

    def saved_values(self) -> list[tuple[str, Any]]:
        return [(f"saved value {i}", array) for i, array in enumerate(self.saved or ())]

    def pullback(self, inputs, saved, g):
        plan = self.plan
        parts = g.parts if type(g) is Cotangents else {0: g}
        arrived = tuple([position in parts for position in range(len(plan.outputs))])
        cotangents = [
            make(_array(parts[position])) if there else None
            for position, there in enumerate(arrived)
        ]
        wanted = tuple([edge is not None for edge in inputs])
        values = [make(x) if hasattr(x, "strides") else x for x in saved[: self.places]]
        found = None
        if session.trace is None:
            try:
                with plan.lock:
                    program = plan.walk_for(wanted, arrived, self.name_of_function)
                    found = program.call((values, cotangents), {})
            except RunEagerly as signal:
                if signal.call is not None:
                    with one_call(signal.call):
                        found = plan.backward(values, cotangents, list(wanted))
        if found is None:
            found = plan.backward(values, cotangents, list(wanted))
        return [None if gradient is None else _cotangent(gradient) for gradient in found]

    def pullback_recorded(self, inputs, g):
        raise GradientError(
            f"the backward pass of the compiled {self.name_of_function} is a program, which "
            "records nothing: create_graph=True can't differentiate it again; call the function "
            "uncompiled, or compile the whole step that takes both derivatives"
        )


def _array(part):
    return np.asarray(part) if isinstance(part, np.generic) else part


def _cotangent(gradient: Tensor):
    """Return a gradient as the engine hands it on: free of PyTorch's conjugate."""
    array = gradient.array
    return np.conjugate(array) if array.dtype.kind == "c" else array


# The forward program


class RecordedForward(Programs):
    """The programs of a function whose result may want a backward pass."""

    def __init__(self, function, settings: Settings, said: list[str]) -> None:
        super().__init__(function, None, settings, True, said)

    def _run(self, *args, **kwargs):
        """Run the function; return its result, the values of its graph, and the plan."""
        result = self.function(*args, **kwargs)
        leaf_places: dict[Leaf, int] = {}
        for place, tensor in enumerate(_tensors((args, kwargs))):
            if type(tensor.node) is Leaf:
                leaf_places.setdefault(tensor.node, place)
                if gradient_of(tensor.node) is not None:
                    raise CompileError(
                        "a backward pass inside the function reaches an argument that wants a "
                        "gradient, and its result wants another; detach() one of the two"
                    )
        outputs = _recorded_outputs(result)
        if not outputs:
            return result, [], None
        plan, values = plan_of(outputs, leaf_places, self.settings)
        memory = [slot_of(output) for output in outputs.values()]
        storages = [array.value.storage for array in memory if type(array) is Tracer]
        if len(set(storages)) < len(outputs) or any(s.root is not None for s in storages):
            raise CompileError(
                "what is returned shares memory with another result or with an argument, and "
                "wants a backward pass; return a clone()"
            )
        for output in outputs.values():
            output.node = output.view_of = None
        return result, values, plan

    def _call_slowly(self, args, kwargs):
        self.last_call = args, kwargs
        return super()._call_slowly(args, kwargs)

    def dispatch(self, args, kwargs):
        """Make a call with recording on; ``MISS`` where nothing is recorded."""
        if not mode.level:
            return MISS
        if mode.level == 2:
            raise RunEagerly  # anomaly mode wants to see the function's own lines
        originals: dict[int, Tensor] = {}
        if any([_has_node(item) for item in args]) or (
            kwargs and any([_has_node(item) for item in kwargs.values()])
        ):
            args, kwargs = _stand_ins(args, kwargs, originals)
        result, values, plan = self.call(args, kwargs)
        if plan is not None:
            self._attach(result, values, plan, args, kwargs, originals)
        if originals:
            result = mapped(result, lambda item: originals.get(id(item), item))
        return result

    def _attach(self, result, values, plan: Plan, args, kwargs, originals) -> None:
        """Give the outputs the node that leads back to parameters and arguments."""
        node = object.__new__(CompiledBackward)
        node.plan, node.name_of_function, node.places = plan, self.name, len(values)
        sources: list[Any] = plan.leaves
        if originals:
            given = _tensors((args, kwargs))
            sources = [
                originals[id(given[leaf])].node if type(leaf) is int else leaf for leaf in sources
            ]
        node.inputs = tuple(sources)
        node.saved = (
            *[value.array if isinstance(value, Tensor) else value for value in values], *plan.held
        )  # fmt: skip
        node.sequence, node.extras = tick(), None
        if result.__class__ is Tensor:
            result.node, node.shape = node, result.array.shape
            return
        tensors = _tensors(result)
        outputs = [tensors[position] for position in plan.positions]
        node.shape = outputs[0].array.shape if len(outputs) == 1 else ()
        for index, output in enumerate(outputs):
            output.node = node if len(outputs) == 1 else TupleOutput(
                node, index, output.array.shape, output.array.dtype)  # fmt: skip


def _has_node(item) -> bool:
    if item.__class__ is Tensor:
        return item.node is not None
    if is_container(item):
        return any(_has_node(part) for part in parts_of(item))
    return isinstance(item, Tensor) and item.node is not None


def _stand_ins(args, kwargs, originals: dict[int, Tensor]):
    """Return the arguments, those that want gradients as leaves of their own.

    ``originals``: what each stands for, by its identity.
    """
    made: dict[int, Tensor] = {}

    def change(item):
        if not isinstance(item, Tensor):
            return item
        if item.view_of is not None:
            refresh(item)
        if item.node is None:
            return item
        if id(item) not in made:
            made[id(item)] = make(item.array).requires_grad_()
            originals[id(made[id(item)])] = item
        return made[id(item)]

    return mapped((args, kwargs), change)


def _tensors(tree) -> list[Tensor]:
    """Return the tensors in nested containers, in order."""
    if isinstance(tree, Tensor):
        return [tree]
    return [tensor for part in parts_of(tree) for tensor in _tensors(part)]


def _recorded_outputs(result) -> dict[int, Tensor]:
    """Return the tensors of a result that want a backward pass, each once, by their places."""
    found: dict[int, Tensor] = {}
    seen: set[int] = set()
    for place, tensor in enumerate(_tensors(result)):
        if tensor.view_of is not None:
            refresh(tensor)
        if tensor.node is not None and type(tensor.node) is not Leaf and id(tensor) not in seen:
            seen.add(id(tensor))
            found[place] = tensor
    return found
