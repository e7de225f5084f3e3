"""From recorded nodes to a graph of vertices: what is an input, what a parameter, what a step."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from typing import Any

import numpy as np

from aino.autograd.function import FunctionNode
from aino.autograd.node import Leaf, Node, TupleOutput
from aino.autograd.tensor import Tensor
from aino.drawing.graph import Box, Edge, Graph, Value, Vertex
from aino.drawing.names import Named, Names, kind_of
from aino.drawing.numbers import brief, parameter_text
from aino.drawing.values import Values, edges_of, saved_of

#: A walk goes no further than this many operations; the rest is drawn as one vertex.
FARTHEST = 10_000
#: Whose inputs may change places: there the edges need no letters.
_SYMMETRIC = ("add", "mul", "maximum", "minimum", "hypot", "logaddexp", "logaddexp2")


def walk(roots: Iterable[Node], begin: Mapping[Node, Any]) -> tuple[list[Node], bool]:
    """Return the nodes that lead to the roots, oldest first, and whether some were left out.

    The walk ends at leaves and at the nodes of ``begin``.
    """
    found: dict[int, Node] = {}
    order: list[int] = []

    def arrive(node: Node) -> None:
        if node.sequence not in found:
            found[node.sequence] = node
            heappush(order, -node.sequence)

    for root in roots:
        arrive(root)
    steps = 0
    left_out = []
    while order:
        node = found[-heappop(order)]
        if node in begin or type(node) is Leaf:
            continue
        if steps == FARTHEST:
            left_out.append(node.sequence)
            continue
        steps += 1
        for edge in node.inputs:
            if edge is not None:
                arrive(edge)
    for sequence in left_out:
        del found[sequence]
    return [found[sequence] for sequence in sorted(found)], bool(left_out)


class Builder:
    """Makes the vertices of recorded nodes, and the edges between them."""

    def __init__(
        self,
        outputs: list[tuple[str, Tensor]],
        names: Names,
        begin: Mapping[Node, Named] | None = None,
        boxes: Iterable[Box] = (),
        grads: Mapping[Node, Tensor] | None = None,
    ) -> None:
        self.names = names
        self.begin = begin or {}
        self.boxes = sorted(boxes, key=lambda box: box.start)
        self._starts = [box.start for box in self.boxes]
        self.graph = Graph()
        self._of_node: dict[Node, Vertex] = {}
        self._of_array: dict[int, Vertex] = {}
        self._edges: dict[tuple[Vertex, Vertex], Edge] = {}
        roots = [y.node for _, y in outputs if y.requires_grad and y.node is not None]
        nodes, cut = walk(roots, self.begin)
        tensors = {node: named.tensor for node, named in self.begin.items()}
        for node in nodes:
            if (named := names.of_node(node)) is not None:
                tensors.setdefault(node, named.tensor)
        for _, y in outputs:
            if y.node is not None:
                tensors.setdefault(y.node, y)
        self.values = Values(nodes, tensors, grads or {})
        self._more = Vertex("more", "earlier operations")
        if cut:
            self.graph.vertices.append(self._more)
        for node in nodes:
            self._add(node)
        for name, y in outputs:
            self._mark(name, y)
        self._settle()

    # Vertices

    def _add(self, node: Node) -> None:
        value = self.values.of(node)
        named = self.begin.get(node) or self.names.of_node(node)
        if node in self.begin or type(node) is Leaf:
            self._of_node[node] = self._leaf(node, named, value)
            return
        vertex = self._operation(node, value)
        label = node.extras.label if node.extras is not None else None
        vertex.name = named.name if named is not None else label or ""
        vertex.box = self._box_at(node.sequence)
        self._of_node[node] = vertex
        self._connect(node, vertex)
        self.graph.vertices.append(vertex)

    def _leaf(self, node: Node, named: Named | None, value: Value) -> Vertex:
        if named is not None:
            kind = named.kind
            if value.grad is None and named.tensor.grad is not None:
                value.grad = named.tensor.grad.array
        else:
            tensor = node.tensor() if isinstance(node, Leaf) else None
            kind = "input" if tensor is None else kind_of(tensor)
        vertex = Vertex(kind, named.name if named is not None else "", values=[value])
        self.graph.vertices.append(vertex)
        return vertex

    def _operation(self, node: Node, value: Value) -> Vertex:
        declared = node.primitive
        if declared is not None:
            details = [
                f"{name} = {text}" for name, text in _settings(declared, saved_of(node)).items()
            ]
            values = [] if declared.outputs else [value]  # of several each is drawn by itself
            return Vertex("operation", declared.name, declared.formula, details, values)
        if isinstance(node, FunctionNode):
            values = [value] if len(node.outputs) == 1 else []
            return Vertex("operation", node.function.__name__, values=values)
        title = f"output {node.index}" if isinstance(node, TupleOutput) else node.name()
        return Vertex("operation", title, values=[value])

    def _constant(self, array: np.ndarray, label: str) -> Vertex:
        """Return the vertex of an array without a gradient; all operations that use it share it."""
        named = self.names.of_array(array)
        key = id(array if named is None else named.tensor)
        vertex = self._of_array.get(key)
        if vertex is None:
            if named is None:
                vertex = Vertex("constant", "", label, values=[_value(array)])
            else:
                vertex = Vertex(named.kind, named.name, values=[_value_of(named.tensor)])
                vertex.details = ["frozen"] if named.kind == "parameter" else []
            self._of_array[key] = vertex
            self.graph.vertices.append(vertex)
        return vertex

    # Edges

    def _connect(self, node: Node, vertex: Vertex) -> None:
        """Draw the edges to an operation, and what it was given without a gradient."""
        edges, saved = edges_of(node), saved_of(node)
        labelled = len(edges) > 1 and vertex.title not in _SYMMETRIC
        for label, edge in edges.items():
            if edge is not None:
                tail = self._of_node.get(edge, self._more)
                self._edge(tail, vertex, label if labelled else "", "gradient")
        declared = node.primitive
        if declared is None:
            return
        if declared.variadic:
            held = saved.get(declared.inputs[0]) or ()
            pairs = [(str(i), x) for i, x in enumerate(held) if node.inputs[i] is None]
        else:
            pairs = [(name, saved.get(name)) for name in declared.inputs if not edges.get(name)]
        for label, array in pairs:
            if not isinstance(array, np.ndarray):
                continue
            if array.ndim == 0 and self.names.of_array(array) is None:
                vertex.details.append(f"{label} = {brief(array.item())}")
            else:
                tail = self._constant(array, label)
                self._edge(tail, vertex, label if labelled else "", "constant")

    def _edge(self, tail: Vertex, head: Vertex, label: str, kind: str) -> None:
        said = tail.name or tail.title or tail.formula
        if said.rpartition(".")[2] == label:
            label = ""
        known = self._edges.get((tail, head))
        if known is not None:
            known.label = ", ".join(filter(None, (known.label, label)))
            return
        self._edges[tail, head] = edge = Edge(tail, head, label, kind)
        self.graph.edges.append(edge)

    # Outputs and boxes

    def _mark(self, name: str, y: Tensor) -> None:
        vertex = self._of_node.get(y.node) if y.node is not None else None
        if vertex is None:
            vertex = Vertex("constant", name or "output", values=[_value_of(y)])
            self.graph.vertices.append(vertex)
        elif vertex.kind == "operation":
            vertex.name = vertex.name or name
        vertex.output = True

    def _box_at(self, sequence: int) -> Box | None:
        """Return the innermost box that was open when the clock showed ``sequence``."""
        position = bisect_right(self._starts, sequence) - 1
        box = self.boxes[position] if position >= 0 else None
        while box is not None and box.end < sequence:
            box = box.parent
        return box

    def _settle(self) -> None:
        """Put parameters and constants into the innermost box around all that use them.

        The letter at the only lettered edge of an operation says nothing, and is dropped.
        """
        lettered = Counter(edge.head for edge in self.graph.edges if edge.label)
        for edge in self.graph.edges:
            if lettered[edge.head] == 1:
                edge.label = ""
        for vertex, heads in self.graph.heads().items():
            if vertex.kind in ("parameter", "constant") and heads:
                vertex.box = _common([head.box for head in heads])


def _common(boxes: list[Box | None]) -> Box | None:
    chains = [[] if box is None else box.chain() for box in boxes]
    common = None
    for level in zip(*chains):
        if any(box is not level[0] for box in level):
            break
        common = level[0]
    return common


def _settings(declared: Any, saved: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of an operation that differ from their defaults, as text."""
    first = len(declared.parameters) - len(declared.defaults)
    texts = {}
    for position, name in enumerate(declared.parameters):
        value = saved.get(name)
        if position >= first and value is declared.defaults[position - first]:
            continue
        if value is None or value is False:
            continue
        if text := parameter_text(value):
            texts[name] = text
    return texts


def _value(array: np.ndarray) -> Value:
    return Value(array.shape, array.dtype, array)


def _value_of(tensor: Tensor) -> Value:
    value = _value(tensor.array)
    value.grad = None if tensor.grad is None else tensor.grad.array
    return value
