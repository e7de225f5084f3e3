"""What is known of the values in a graph, where the tensors themselves are gone.

A node keeps what its rules read, and that is often the output of the node before; it notes its
constants, too, which no pass frees. What nobody kept is computed again from what is known, where
that is little work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aino.autograd.function_node import FunctionNode
from aino.autograd.memory import written_since
from aino.autograd.node import GONE, Leaf, Node, TupleOutput
from aino.autograd.operands import constant
from aino.autograd.tensor import Tensor, make
from aino.drawing.graph import Value
from aino.dtypes import result_type
from aino.errors import AinoError

#: An operation on more elements than these is not computed again for the sake of a drawing.
_LITTLE = 1_000_000
_COMPLEX_TO_REAL = ("abs", "angle", "real", "imag")


def _overwritten(base: np.ndarray, value: Any, path: Any) -> np.ndarray:
    """Return what a write in place left: the rule's kernel only hands on the memory."""
    written = base.copy(order="K")
    path(written)[...] = value
    return written


#: What writes do, given what was there before.
WRITES = {
    "overwrite": _overwritten,
    "replace": lambda base, value: np.broadcast_to(value, base.shape).astype(base.dtype),
}
#: Whose parameter is the shape that the output has.
_RESHAPING = ("reshape", "expand", "spread")


def edges_of(node: Node) -> dict[str, Node | None]:
    """Return a node's edges by the names of its inputs."""
    declared = node.primitive
    if declared is None or declared.variadic:
        return {str(i): edge for i, edge in enumerate(node.inputs)}
    return dict(zip(declared.differentiable, node.inputs))


def saved_of(node: Node) -> dict[str, Any]:
    """Return what a node keeps for its rules, by name; nothing after it was freed."""
    if node.primitive is None or node.saved is None:
        return {}
    return dict(zip(node.primitive.saved_names, node.saved))


def known_of(node: Node) -> dict[str, Any]:
    """Return what is known of a node's inputs and parameters, by name: kept, or noted."""
    kept = saved_of(node)
    if node.primitive is None:
        return kept
    given = node.given()  # type: ignore[attr-defined]
    # What no wanted rule reads is not kept; None stands for it, as for what was not given.
    return {**kept, **{k: x for k, x in given.items() if not isinstance(kept.get(k), np.ndarray)}}


class Values:
    """Arrays, dtypes and gradients of the nodes of a graph, given in the order of computation."""

    def __init__(
        self, nodes: list[Node], tensors: Mapping[Node, Tensor], grads: Mapping[Node, Tensor]
    ) -> None:
        self.grads = grads
        self._arrays: dict[Node, np.ndarray] = {}
        self._dtypes: dict[Node, np.dtype | None] = {}
        #: What operations of several outputs computed, computed again.
        self._several: dict[Node, tuple] = {}
        for node in nodes:
            tensor = tensors.get(node)
            if tensor is None:
                tensor = _tensor_of(node)
            if tensor is not None and tensor.array.shape == node.shape:
                self._arrays[node] = tensor.array
        for node in nodes:
            for kept_of, array in _kept(node):
                if array.shape == kept_of.shape and not written_since(array, node.sequence):
                    self._arrays.setdefault(kept_of, array)
        for node in nodes:
            if node not in self._arrays and (again := self._again(node)) is not None:
                self._arrays[node] = again
            self._dtypes[node] = self._dtype(node)

    def of(self, node: Node) -> Value:
        return Value(node.shape, self._dtypes[node], self._arrays.get(node), self._grad(node))

    def _grad(self, node: Node) -> np.ndarray | None:
        if node in self.grads:
            return self.grads[node].array
        if type(node) is Leaf:
            grad = make(None, node).grad
        else:
            keeper = None if node.extras is None else node.extras.keeper
            grad = None if keeper is None else keeper[1].grad
        return None if grad is None else grad.array

    def _again(self, node: Node) -> np.ndarray | None:
        """Compute a node's output again, None where that is not possible or much work."""
        if isinstance(node, TupleOutput):
            several = self._several.get(node.inputs[0])
            return None if several is None else several[node.index]
        declared = node.primitive
        if declared is None:
            return None
        inputs = self.inputs_of(node)
        sizes = [x.size for x in inputs if isinstance(x, np.ndarray)]
        if any(x is None or x is GONE for x in inputs) or sum(sizes) > _LITTLE:
            return None
        try:
            with np.errstate(all="ignore"):
                again = computed_again(node, inputs)
        except (AinoError, TypeError, ValueError, IndexError, AttributeError):
            return None  # of what it read, something is missing
        if declared.outputs:  # each has a node of its own
            self._several[node] = again
            return None
        again = np.asarray(again)
        return again if again.shape == node.shape else None

    def inputs_of(self, node: Node) -> list[Any]:
        """Return the arrays that a node computed with, None for each that is not known.

        An optional input that was not given is ``False``.
        """
        declared, edges, known = node.primitive, edges_of(node), known_of(node)
        if declared.variadic:
            held = known.get(declared.inputs[0]) or [None] * len(node.inputs)
            return [
                self._fresh(e, node) if e is not None else self._unwritten(x, node)
                for e, x in zip(node.inputs, held)
            ]
        found: list[Any] = []
        for name in declared.inputs:
            if edges.get(name) is not None:
                found.append(self._fresh(edges[name], node))
            elif known.get(name, GONE) is None:
                found.append(False)
            else:
                found.append(self._unwritten(known.get(name, GONE), node))
        return found

    @staticmethod
    def _unwritten(array: Any, user: Node) -> Any:
        """Return a constant, unless it was written since ``user`` read it."""
        if isinstance(array, np.ndarray) and written_since(array, user.sequence):
            return None
        return None if array is GONE else array

    def _fresh(self, edge: Node | None, user: Node) -> np.ndarray | None:
        """Return an input's array, unless it was written since ``user`` read it."""
        array = None if edge is None else self._arrays.get(edge)
        return None if array is None or written_since(array, user.sequence) else array

    def _dtype(self, node: Node) -> np.dtype | None:
        if node in self._arrays:
            return self._arrays[node].dtype
        if isinstance(node, (Leaf, TupleOutput)):
            return node.dtype
        if isinstance(node, FunctionNode) and len(node.outputs) == 1:
            return node.outputs[0][1]
        declared = node.primitive
        if declared is None or declared.name == "cast":
            return None
        arrays = [x for x in saved_of(node).values() if isinstance(x, np.ndarray)]
        dtypes = [self._dtypes.get(edge) for edge in node.inputs if edge is not None]
        dtypes += [x.dtype for x in arrays if x.dtype.kind in "fc"]
        if not dtypes or None in dtypes:
            return None
        dtype = result_type(*(np.empty(1, dtype) for dtype in dtypes))
        return None if dtype.kind == "c" and declared.name in _COMPLEX_TO_REAL else dtype


def _tensor_of(node: Node) -> Tensor | None:
    """Return the tensor that a leaf or a retained gradient belongs to, if it is still there."""
    if type(node) is Leaf:
        return node.tensor()
    if node.extras is not None and node.extras.keeper is not None:
        return node.extras.keeper[0]()
    return None


def _kept(node: Node) -> Iterator[tuple[Node, np.ndarray]]:
    """Yield the arrays that a node keeps, each with the node whose output it is."""
    if isinstance(node, FunctionNode):
        for array, _, source, output in filter(None, node.saved or ()):
            owner = node if output is not None else source is not None and node.inputs[source]
            if owner and len(node.outputs) == 1:
                yield owner, array
        return
    edges = edges_of(node)
    for name, value in saved_of(node).items():
        if node.primitive.variadic and name == node.primitive.inputs[0]:
            yield from (
                (edge, array) for edge, array in zip(node.inputs, value) if edge is not None
            )
        elif isinstance(value, np.ndarray):
            owner = node if name == "y" else edges.get(name)
            if owner is not None:
                yield owner, value


def computed_again(node: Node, inputs: list[Any]) -> Any:
    """Return what a node's kernel makes of its inputs, or its definition, which needs less."""
    declared, known = node.primitive, known_of(node)
    if declared.name in _RESHAPING:
        known["shape"] = node.shape
    missing = [p for p in declared.parameters if known.get(p, GONE) is GONE]
    like = next((x for x in inputs if isinstance(x, np.ndarray)), None)
    parameters = [None if p in missing else known[p] for p in declared.parameters]
    if missing and declared.definition is None:
        raise TypeError(f"not known: {missing}")
    if declared.variadic:
        return declared.kernel(inputs, *parameters)
    arrays = [
        None if x is False else constant(x, like) if isinstance(x, (int, float)) else x
        for x in inputs
    ]
    kernel = declared.definition if missing else WRITES.get(declared.name, declared.kernel)
    return kernel(*arrays, *parameters)
