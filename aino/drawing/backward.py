"""The backward pass as a graph of its own: a vertex for each gradient, and how it comes about."""

from __future__ import annotations

import re

from aino.drawing.graph import Edge, Graph, Value, Vertex

#: The gradient of the head in the formula of a derivative that is no plain factor.
_INCOMING = re.compile(r"(?<![\w′])g(?=ᵀ|(?![\w′]))")


def backward_graph(forward: Graph, both: bool) -> Graph:
    """Return the graph of the gradients of a forward graph that has them.

    ``both``: beside the forward graph. Arrows go as the pass goes, from the output to the leaves;
    each gradient is what arrives from all that the value went into, added.
    """
    (root,) = [vertex for vertex in forward.vertices if vertex.output]
    loss = root.said or root.title
    uses: dict[Vertex, list[Edge]] = {vertex: [] for vertex in forward.vertices}
    for edge in forward.edges:
        if edge.kind == "gradient":
            uses[edge.tail].append(edge)
    gradients: dict[Vertex, Vertex] = {}
    for vertex in forward.vertices:
        values = [value for value in vertex.values if value.grad is not None]
        if not values:
            continue
        title = _slope(loss, vertex.said or vertex.title)
        shown = [Value(v.shape, v.grad.dtype, v.grad) for v in values if v.grad is not None]
        gradients[vertex] = Vertex("gradient", title, values=shown)
    for vertex, gradient in gradients.items():
        if vertex is root:
            gradient.spoken = f"{gradient.title} = 1"
            gradient.output = True
            continue
        parts = [_part(loss, edge) for edge in uses[vertex] if edge.head in gradients]
        if len(parts) == 1:
            parts = [re.sub(r"^\((-[^()]*)\)$", r"\1", parts[0])]
        if parts:
            gradient.spoken = f"{gradient.title} = {' + '.join(parts)}"
    vertices = list(gradients.values())[::-1]
    edges = [
        Edge(gradients[edge.head], gradients[edge.tail], kind="backward",
             derivative=edge.derivative, slope=edge.slope)
        for vertex in gradients for edge in uses[vertex] if edge.head in gradients
    ]  # fmt: skip
    if both:
        turn = Edge(root, gradients[root], kind="turn")
        return Graph([*forward.vertices, *vertices], [*forward.edges, *edges, turn])
    return Graph(vertices, edges)


def _slope(loss: str, name: str) -> str:
    return f"∂{loss}/∂{name}"


def _part(loss: str, edge: Edge) -> str:
    """Return what one use of a value adds to its gradient."""
    head = edge.head.said or edge.head.title
    incoming = _slope(loss, head)
    factor = edge.derivative
    if not factor:
        return f"{incoming} · {_slope(head, edge.tail.said or edge.tail.title)}"
    if _INCOMING.search(factor):
        return _INCOMING.sub(f"({incoming})", factor)
    if factor in ("1", "-1"):
        return incoming if factor == "1" else f"(-{incoming})"
    if re.search(r"[ ](?:[-+/]|where|and|or)[ ]|^-", factor):
        factor = f"({factor})"
    return f"{incoming} · {factor}"
