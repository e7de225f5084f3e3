"""Gradients of all values of a graph, and the local derivatives, whether it was freed or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from aino.autograd.engine import grad
from aino.autograd.function_node import FunctionNode
from aino.autograd.mode import enable_grad
from aino.autograd.node import GONE, Extras, Leaf, Node, TupleOutput
from aino.autograd.tensor import Tensor, make
from aino.drawing.numbers import length
from aino.drawing.titles import title_of
from aino.drawing.values import WRITES, Values, computed_again, known_of
from aino.errors import AinoError, GradientError
from aino.explaining.passing import placed


class Live:
    """The nodes of a graph as they were recorded, or, where a pass has freed them, anew.

    ``nodes`` come in the order of computation. A graph that was freed is computed again from its
    leaves, beside the old one: no tensor of the user's is touched.
    """

    def __init__(self, nodes: list[Node], values: Values, begin: Mapping[Node, Any]) -> None:
        self.nodes = nodes
        self.values = values
        self.begin = begin
        self.copies: dict[Node, Any] = {}
        #: How long the gradients are that came back, by the input and the operation it was for.
        self.handed: dict[tuple[Node, Node], float] = {}
        if any(node.saved is None for node in nodes if node not in begin):
            with enable_grad():
                for node in nodes:
                    self.copies[node] = self._anew(node)

    def of(self, node: Node) -> Node:
        """Return the node that stands for a node of the graph, with all that its rules read."""
        copy = self.copies.get(node)
        return node if not isinstance(copy, Tensor) or copy.node is None else copy.node

    def _anew(self, node: Node) -> Any:
        """Return what a node computed, computed again."""
        if type(node) is Leaf or node in self.begin:
            array = self.values.of(node).array
            if array is None:
                raise _lost("a tensor that it began with is gone")
            return make(array).requires_grad_()
        if isinstance(node, TupleOutput):
            return self.copies[node.inputs[0]][node.index]
        declared = node.primitive
        if declared is None or isinstance(node, FunctionNode):
            raise _lost(f"what {title_of(node)} keeps for its backward pass is freed")
        arrays = self.values.inputs_of(node)
        known = known_of(node)
        known.setdefault("shape", node.shape)
        edges: Any = node.inputs
        if not declared.variadic:
            edges = [
                node.inputs[declared.differentiable.index(name)]
                if name in declared.differentiable else None
                for name in declared.inputs
            ]  # fmt: skip
        for edge, x in zip(edges, arrays):
            begins = edge is None or type(edge) is Leaf or edge in self.begin
            if x is None and begins:
                raise _lost(f"what {title_of(node)} was given is gone, or was changed since")
        inputs = [
            self.copies[edge] if edge is not None else None if x is False
            else make(x) if isinstance(x, np.ndarray) else x
            for edge, x in zip(edges, arrays)
        ]  # fmt: skip
        missing = [name for name in declared.parameters if known.get(name, GONE) is GONE]
        parameters = [known.get(name) if name not in missing else None
                      for name in declared.parameters]  # fmt: skip
        if missing and declared.definition is None:
            raise _lost(f"{', '.join(missing)} of {title_of(node)} is gone")
        try:
            with np.errstate(all="ignore"):
                if declared.variadic:
                    return declared.function(inputs, *parameters)
                if declared.name in WRITES:
                    # What is recorded of a write stands for memory that was written already.
                    base = [x.array if isinstance(x, Tensor) else x for x in inputs]
                    first: Any = inputs[0]
                    inputs[0] = make(computed_again(node, base), first.node)
                compute = declared.definition if missing else declared.function
                return compute(*inputs, *parameters)
        except (AinoError, TypeError, ValueError, AttributeError) as error:
            raise _lost(f"{title_of(node)} can't be computed again: {error}") from None

    def gradients(self, y: Tensor) -> dict[Node, Tensor]:
        """Return the gradient of every value, leaving all that is kept as it was."""
        assert y.node is not None
        nodes = [node for node in self.nodes if self._has_gradient(node)]
        lived = [self.of(node) for node in nodes]
        own = [(node, node.extras) for node in lived]
        known = {self.of(node): node for node in nodes}
        values = [make(np.broadcast_to(0.0, node.shape), node) for node in lived]
        root = self.copies[y.node] if self.copies else y
        try:
            for node, _ in own:
                # Hooks would run, and gradients that are retained would grow.
                node.extras = None
                if not isinstance(node, (Leaf, TupleOutput)):
                    node.extras = Extras()
                    node.extras.add("behind", self._watcher(node, known))
            found = grad(root, values, retain_graph=True, allow_unused=True)
        finally:
            for node, extras in own:
                node.extras = extras
        return {node: x for node, x in zip(nodes, found) if x is not None}

    def _watcher(self, node: Node, known: Mapping[Node, Node]) -> Callable:
        """Return what notes how long the gradient is that a node hands to each of its inputs."""

        def see(handed: tuple, incoming: tuple) -> None:
            sums: dict[Node, Any] = {}
            for edge, gradient in zip(node.inputs, placed(node, handed)):
                if edge in known and gradient is not None:
                    sums[edge] = sums[edge] + gradient if edge in sums else gradient
            for edge, gradient in sums.items():
                self.handed[known[edge], known[node]] = length(gradient)

        return see

    def _has_gradient(self, node: Node) -> bool:
        return node.primitive is None or not node.primitive.outputs


def _lost(why: str) -> GradientError:
    return GradientError(
        f"the graph was freed by backward(), and can't be computed again: {why}; draw before "
        "backward(), or call backward(retain_graph=True)"
    )


def check_scalar(outputs: list[tuple[str, Tensor]]) -> Tensor:
    """Return the one output that can be differentiated; raise ``GradientError`` for others."""
    y = outputs[0][1]
    if len(outputs) != 1 or y.array.size != 1 or y.array.dtype.kind == "c":
        raise GradientError(
            "gradients=True differentiates one real scalar; draw a loss, or a module that "
            "returns one"
        )
    return y
