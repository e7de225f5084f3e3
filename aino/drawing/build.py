"""From recorded nodes to a graph of vertices: what is an input, what a parameter, what a step."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from aino.autograd.function_node import FunctionNode
from aino.autograd.memory import written_since
from aino.autograd.node import GONE, Leaf, Node
from aino.autograd.tensor import Tensor
from aino.drawing.formulas import formula_of, numbered, short_names, spoken
from aino.drawing.gradients import Live, check_scalar
from aino.drawing.graph import Box, Edge, Graph, Value, Vertex
from aino.drawing.lines import line_of, line_of_error, user_line
from aino.drawing.names import Named, Names, kind_of
from aino.drawing.numbers import brief, number_lines, parameter_text
from aino.drawing.run import Passed, Run
from aino.drawing.slopes import slope_of
from aino.drawing.titles import title_of
from aino.drawing.values import Values, edges_of, known_of
from aino.drawing.walk import walk
from aino.errors import GradientError

#: Up to so many operations, edges show local derivatives where nothing is said about them.
_FEW = 24
#: A constant without a name of up to so many letters stands in the formulas themselves.
_SHORT = 16


class Builder:
    """Makes the vertices of recorded nodes, and the edges between them."""

    def __init__(
        self,
        outputs: list[tuple[str, Tensor]],
        names: Names,
        run: Run | None = None,
        gradients: bool = False,
        derivatives: bool | None = False,
    ) -> None:
        self.names = names
        self.run = run
        self.begin: Mapping[Node, Named] = run.inputs if run is not None else {}
        self.boxes = sorted(run.boxes if run is not None else [], key=lambda box: box.start)
        self._starts = [box.start for box in self.boxes]
        self.graph = Graph()
        self._of_node: dict[Node, Vertex] = {}
        self._of_array: dict[int, Vertex] = {}
        self._edges: dict[tuple[Vertex, Vertex], Edge] = {}
        self._held: list[np.ndarray] = []
        self._outputs = {y.node: name for name, y in outputs if y.node is not None}
        self._taken: dict[str, Vertex] = {}
        self._numbered: dict[Vertex, str] = {}
        self._counts: Counter[str] = Counter()
        self._infected: set[Any] = set()
        self._recorded_at: dict[Vertex, int] = {}
        roots = [y.node for _, y in outputs if y.requires_grad and y.node is not None]
        if run is not None and run.error is not None:
            roots = [*run.ends(), *self.begin]
        nodes, cut = walk(roots, self.begin)
        tensors = {node: named.tensor for node, named in self.begin.items()}
        for node in nodes:
            if (named := names.of_node(node)) is not None:
                tensors.setdefault(node, named.tensor)
        for _, y in outputs:
            if y.node is not None:
                tensors.setdefault(y.node, y)
        self.values = Values(nodes, tensors, {})
        if derivatives is None:
            derivatives = not self.boxes and len(nodes) <= _FEW
        self._live = None
        if gradients or derivatives:
            try:
                self._live = Live(nodes, self.values, self.begin)
            except GradientError:
                if gradients:
                    raise
        if gradients and self._live is not None:
            self.values.grads = self._live.gradients(check_scalar(outputs))
        self._derivatives = derivatives and self._live is not None
        self._more = Vertex("more", "earlier operations")
        if cut:
            self.graph.vertices.append(self._more)
        for node in nodes:
            self._add(node)
        if self._live is not None:
            for (tail, head), back in self._live.handed.items():
                self._edges[self._of_node[tail], self._of_node[head]].back = back
        for name, y in outputs:
            self._mark(name, y)
        self._settle()
        if run is not None:
            for passed in run.passed:
                self._pass(passed)
            if run.error is not None:
                self._fail(run, run.error)

    # Vertices

    def _add(self, node: Node) -> None:
        value = self.values.of(node)
        named = self.begin.get(node) or self.names.of_node(node)
        if node in self.begin or type(node) is Leaf:
            self._of_node[node] = self._leaf(node, named, value)
            return
        label = node.extras.label if node.extras is not None else None
        if label in self.names:  # which has moved on, as the tensor was written in place
            label = None
        vertex = self._operation(node, value)
        name = named.name if named is not None else label or self._outputs.get(node, "")
        vertex.name = self._free(name, vertex)
        vertex.box = self._box_at(node.sequence)
        vertex.line = (self.run and self.run.nodes.get(node)) or line_of(node)
        self._of_node[node] = vertex
        self._recorded_at[vertex] = node.sequence
        self._connect(node, vertex)
        self.graph.vertices.append(vertex)
        if value.array is not None and value.array.dtype.kind in "fc":
            self._look_for_nan(node, vertex, value.array)

    def _leaf(self, node: Node, named: Named | None, value: Value) -> Vertex:
        if named is not None:
            kind = named.kind
            if value.grad is None and named.tensor.grad is not None:
                value.grad = named.tensor.grad.array
        else:
            tensor = node.tensor() if isinstance(node, Leaf) else None
            kind = "input" if tensor is None else kind_of(tensor)
        vertex = Vertex(kind, "", values=[value])
        vertex.title = self._free(named.name if named is not None else "", vertex)
        self.graph.vertices.append(vertex)
        return vertex

    def _operation(self, node: Node, value: Value) -> Vertex:
        declared = node.primitive
        if declared is not None:
            known = known_of(node)
            values = [] if declared.outputs else [value]  # of several each is drawn by itself
            vertex = Vertex("operation", title_of(node, known), formula_of(declared), values=values)
            vertex.letters = _settings(declared, known)
            return vertex
        if isinstance(node, FunctionNode):
            values = [value] if len(node.outputs) == 1 else []
            return Vertex("operation", title_of(node), values=values)
        return Vertex("operation", title_of(node), values=[value])

    def _constant(self, array: np.ndarray, label: str) -> Vertex:
        """Return the vertex of an array without a gradient; all operations that use it share it."""
        named = self.names.of_array(array)
        key = id(array if named is None else named.tensor)
        vertex = self._of_array.get(key)
        if vertex is None:
            if named is None:
                vertex = Vertex("constant", "", label, values=[_value(array)])
            else:
                vertex = Vertex(named.kind, "", values=[_value_of(named.tensor)])
                vertex.title = self._free(named.name, vertex)
                if named.tensor.requires_grad:
                    vertex.kind, vertex.details = "constant", ["detached"]
                elif named.kind == "parameter":
                    vertex.details = ["frozen"]
            self._of_array[key] = vertex
            self._held.append(array)  # so that no other gets its id
            self.graph.vertices.append(vertex)
        return vertex

    # Names

    def _free(self, name: str, vertex: Vertex) -> str:
        """Return a name that no other vertex has: with a prime where it is taken."""
        while name and self._taken.setdefault(name, vertex) is not vertex:
            name += "′"
        return name

    def _said(self, vertex: Vertex) -> str:
        """Return what a vertex is called in formulas: its name, or a number among its kind."""
        if vertex is self._more:
            return "…"
        own = vertex.name if vertex.kind == "operation" else vertex.title
        if own:
            vertex.said = own
            return own
        if vertex not in self._numbered:
            letter = {"operation": "v", "constant": "c", "parameter": "w"}.get(vertex.kind, "x")
            while True:
                self._counts[letter] += 1
                name = numbered(letter, self._counts[letter])
                if self._taken.setdefault(name, vertex) is vertex:
                    break
            self._numbered[vertex] = vertex.said = name
            if vertex.kind != "operation":
                vertex.title, vertex.formula = name, ""
        return self._numbered[vertex]

    def _speak(self, node: Node, vertex: Vertex, said: dict[str, str], missing: set[str]) -> None:
        """Write the formula in names, and what it does not tell as details."""
        declared = node.primitive
        settings, vertex.letters = vertex.letters, said
        if declared.outputs:
            vertex.details = [f"{name} = {text}" for name, text in settings.items()]
            return
        names = short_names(said)
        if self._said(vertex) in names.values():
            names = said
        if not declared.variadic and len(names) < len(declared.inputs) - len(missing):
            names = {}  # something is not known: the letters of the calculus stay
        if names:
            result = self._said(vertex)
            plain = vertex.spoken = spoken(declared, names, missing, result)
            if settings and not declared.variadic:
                vertex.spoken = spoken(declared, names | settings, missing, result)
            if plain != vertex.spoken:  # some setting stands in it
                settings = {
                    name: text for name, text in settings.items()
                    if spoken(declared, names | {name: text}, missing, result) == plain
                }  # fmt: skip
            if declared.variadic:
                settings = {}
        vertex.details = [f"{name} = {text}" for name, text in settings.items()]

    # Edges

    def _connect(self, node: Node, vertex: Vertex) -> None:
        """Draw the edges to an operation, and what it was given without a gradient."""
        edges = edges_of(node)
        declared = node.primitive
        said: dict[str, str] = {}
        missing: set[str] = set()
        tails: dict[str, Vertex] = {}
        if declared is None:
            for edge in edges.values():
                if edge is not None:
                    self._edge(self._of_node.get(edge, self._more), vertex, "", "gradient")
            return
        known = known_of(node)
        if declared.variadic:
            held = known.get(declared.inputs[0]) or [None] * len(node.inputs)
            given = {str(i): x for i, x in enumerate(held)}
        else:
            given = {name: known.get(name, GONE) for name in declared.inputs}
        for label, constant in given.items():
            edge = edges.get(label)
            if edge is not None:
                tails[label] = self._of_node.get(edge, self._more)
                said[label] = self._said(tails[label])
            elif constant is None:
                missing.add(label)
            elif isinstance(constant, (int, float, complex)):
                said[label] = brief(constant)
            elif isinstance(constant, np.ndarray):
                said[label] = self._stands_in(constant, tails, label, node)
        for label, tail in tails.items():
            self._edge(tail, vertex, label, "gradient" if edges.get(label) else "constant")
        self._speak(node, vertex, said, missing)
        if self._derivatives:
            self._differentiate(node, vertex, tails, said)

    def _differentiate(
        self, node: Node, vertex: Vertex, tails: dict[str, Vertex], said: dict[str, str]
    ) -> None:
        """Write the local derivative at each edge along which a gradient comes back."""
        dtype = self.values.of(node).dtype
        if self._live is None or dtype is None:
            return
        live = self._live.of(node)
        if live.primitive is not node.primitive:  # it was computed again by its definition
            return
        names = short_names(said | {"y": self._said(vertex)})
        seen: list[Edge] = []
        for place, (letter, edge) in enumerate(edges_of(node).items()):
            if edge is None:
                continue
            found = slope_of(live, place, dtype, names)
            known = self._edges[tails[letter], vertex]
            if found is None:
                known.slope = None
                continue
            known.derivative = " + ".join(filter(None, (known.derivative, found.formula)))
            if known not in seen:
                known.slope = found.array
            elif known.slope is None or found.array is None:
                known.slope = None
            else:
                known.slope = known.slope + found.array
            seen.append(known)

    def _stands_in(self, array: np.ndarray, tails: dict, label: str, node: Node) -> str:
        """Return what a constant is called; a number, or a few, stand for themselves."""
        if self.names.of_array(array) is None and id(array) not in self._of_array:
            text = " ".join(number_lines(array)) if array.size <= 4 else ""
            if text and len(text) <= _SHORT and not written_since(array, node.sequence):
                return text
        tails[label] = self._constant(array, label)
        if written_since(array, node.sequence) and "changed since" not in tails[label].details:
            tails[label].details.append("changed since")
        return self._said(tails[label])

    def _edge(self, tail: Vertex, head: Vertex, letter: str, kind: str) -> None:
        known = self._edges.get((tail, head))
        if known is None:
            self._edges[tail, head] = known = Edge(tail, head, "", kind)
            self.graph.edges.append(known)
        known.letters.append(letter)

    def _look_for_nan(self, node: Node, vertex: Vertex, array: np.ndarray) -> None:
        """Mark the first operations whose result is no number, though all they were given is."""
        if not array.size or np.isfinite(array).all():
            return
        self._infected.add(node)
        if not any(edge in self._infected for edge in node.inputs):
            vertex.mark = "nan" if np.isnan(array).any() else "inf"

    # Outputs and boxes

    def _mark(self, name: str, y: Tensor) -> None:
        vertex = self._of_node.get(y.node) if y.node is not None else None
        if vertex is None:
            vertex = Vertex("constant", name or "output", values=[_value_of(y)])
            self.graph.vertices.append(vertex)
        vertex.output = True

    def _pass(self, passed: Passed) -> None:
        """Draw a module that did nothing, between what it was given and what used that later."""
        tail = self._of_node.get(passed.node)
        if tail is None:
            return
        box = passed.box
        vertex = Vertex("module", box.name or box.kind, box=box.parent, mark="passed")
        vertex.formula = box.kind if box.name else ""
        vertex.details = [box.note] if box.note else []
        for edge in self.graph.edges:
            if edge.tail is tail and self._recorded_at.get(edge.head, 0) > box.start:
                edge.tail = vertex
        self.graph.edges.append(Edge(tail, vertex))
        tail.output, vertex.output = False, tail.output
        places = [
            place for place, known in enumerate(self.graph.vertices)
            if self._recorded_at.get(known, 0) > box.start
        ]  # fmt: skip
        self.graph.vertices.insert(min(places, default=len(self.graph.vertices)), vertex)
        self._recorded_at[vertex] = box.start
        self._of_node[passed.node] = vertex  # for what it is passed on to next

    def _fail(self, run: Run, error: Exception) -> None:
        """Draw what was raised after all that was computed, in the module where it was raised."""
        for box in run.open:
            box.mark = "failed"
        vertex = Vertex("operation", type(error).__name__, mark="failed")
        vertex.details = [str(error).partition("\n")[0]]
        vertex.box = run.open[0] if run.open else None
        vertex.line = line_of_error(error) or user_line(sys._getframe())
        used = {edge.tail for edge in self.graph.edges}
        ends = [
            known for known in self.graph.vertices
            if known not in used and known.kind in ("operation", "module", "input")
        ]  # fmt: skip
        self.graph.vertices.append(vertex)
        self.graph.edges += [Edge(end, vertex, kind="constant") for end in ends]

    def _box_at(self, sequence: int) -> Box | None:
        """Return the innermost box that was open when the clock showed ``sequence``."""
        position = bisect_right(self._starts, sequence) - 1
        box = self.boxes[position] if position >= 0 else None
        while box is not None and box.end < sequence:
            box = box.parent
        return box

    def _settle(self) -> None:
        """Put parameters and constants into the innermost box around all that use them."""
        for edge in self.graph.edges:
            letters = [letter for letter in edge.letters if letter]
            if letters and not edge.head.spoken and len(edge.head.letters) > 1:
                edge.label = ", ".join(letters)
        for vertex, heads in self.graph.heads().items():
            if vertex.kind in ("parameter", "constant") and heads:
                vertex.box = _common([head.box for head in heads])
        self._order()

    def _order(self) -> None:
        """Bring parameters and constants to where they are first used, as modules ran."""
        tails: dict[Vertex, list[Vertex]] = {}
        for edge in self.graph.edges:
            tails.setdefault(edge.head, []).append(edge.tail)
        placed: dict[Vertex, None] = {}
        for vertex in self.graph.vertices:
            if vertex.kind in ("input", "more"):
                placed[vertex] = None
        for vertex in self.graph.vertices:
            if vertex.kind == "operation":
                placed.update(dict.fromkeys((*tails.get(vertex, ()), vertex)))
        placed.update(dict.fromkeys(self.graph.vertices))
        self.graph.vertices = list(placed)


def _common(boxes: list[Box | None]) -> Box | None:
    chains = [[] if box is None else box.chain() for box in boxes]
    common = None
    for level in zip(*chains):
        if any(box is not level[0] for box in level):
            break
        common = level[0]
    return common


def _settings(declared: Any, known: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of an operation that differ from their defaults, as text."""
    first = len(declared.parameters) - len(declared.defaults)
    texts = {}
    for position, name in enumerate(declared.parameters):
        value = known.get(name)
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
