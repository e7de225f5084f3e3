"""What a module is made of, layer by layer: names, shapes and counts of parameters."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from aino.autograd.tensor import Tensor
from aino.drawing.graph import Box, Edge, Graph, Value, Vertex, counted
from aino.drawing.run import box_of
from aino.nn.base.module import Module
from aino.nn.base.uninitialized import is_lazy
from aino.nn.modules.container import ModuleList, Sequential
from aino.nn.modules.perceptron import Layer

#: Where a network keeps the scales of its data.
_SCALES = ("input_scaling", "output_scaling")


def parts_in_order(module: Module) -> list[tuple[str, Any]] | None:
    """Return a module's parts if it runs them one after another, else None.

    A neural network is recognised by its ``sizes``, and its ``layers``, one less than these.
    """
    if isinstance(module, Sequential):
        return [(name, part) for name, part in vars(module).items() if isinstance(part, Module)]
    layers, sizes = getattr(module, "layers", None), getattr(module, "sizes", None)
    if isinstance(layers, ModuleList) and isinstance(sizes, list):
        if len(sizes) == len(layers) + 1 and all(isinstance(layer, Layer) for layer in layers):
            parts: list[tuple[str, Any]] = [(f"layers.{i}", part) for i, part in enumerate(layers)]
            before, after = [getattr(module, name, None) for name in _SCALES]
            if before is not None:
                parts.insert(0, (_SCALES[0], before))
            return parts if after is None else [*parts, (_SCALES[1], after)]
    return None


def architecture(module: Module) -> Graph:
    """Return the modules inside, in boxes; arrows where it is certain what follows on what."""
    graph = Graph()
    first, last = _place(graph, module, "", None)
    width = getattr(first.subject, "in_features", getattr(first.subject, "features", None))
    if first is not last and isinstance(width, int) and parts_in_order(module) is not None:
        given = Vertex("input", "input", details=[f"(…, {width})"])
        graph.vertices.insert(0, given)
        graph.edges.insert(0, Edge(given, first))
    return graph


def _place(graph: Graph, module: Module, path: str, parent: Box | None) -> tuple[Vertex, Vertex]:
    """Add a module to the graph; return its first and its last vertex."""
    box = box_of(module, path, parent)
    children = list(module.named_children())
    ordered = parts_in_order(module)
    if not children:
        kind = box.kind if path else ""
        vertex = Vertex("module", path or box.kind, kind, box=parent, subject=module)
        vertex.details = _description(module, box)
        vertex.held = {
            name: _value(parameter)
            for name, parameter in module.named_parameters(recurse=False)
            if not is_lazy(parameter)
        }
        graph.vertices.append(vertex)
        return vertex, vertex
    own = [
        Vertex("parameter", f"{path}.{name}" if path else name, box=box,
               values=[Value(tuple(parameter.shape), parameter.dtype)],
               held={} if is_lazy(parameter) else {name: _value(parameter)})
        for name, parameter in module.named_parameters(recurse=False)
    ]  # fmt: skip
    graph.vertices += own
    ends = [(vertex, vertex) for vertex in own]
    for name, part in ordered or children:
        ends.append(_place(graph, part, f"{path}.{name}" if path else name, box))
    for (_, tail), (head, _) in pairwise(ends):
        known = ordered is not None and tail.kind == "module"
        width = getattr(tail.subject, "out_features", getattr(tail.subject, "features", None))
        label = f"(…, {width})" if known and isinstance(width, int) else ""
        graph.edges.append(Edge(tail, head, label, "gradient" if known else "unseen"))
    return ends[0][0], ends[-1][1]


def _value(parameter: Tensor) -> Value:
    grad = None if parameter.grad is None else parameter.grad.array
    return Value(parameter.array.shape, parameter.array.dtype, parameter.array, grad)


def _description(module: Module, box: Box) -> list[str]:
    """Return what is written under a module's name: settings and parameters."""
    lines = [box.note] if box.note else []
    own = list(module.named_parameters(recurse=False))
    shapes = [f"{name} {'(…)' if is_lazy(p) else tuple(p.shape)}" for name, p in own]
    if shapes:
        lines.append(", ".join(shapes))
        if not any([is_lazy(p) for _, p in own]):
            lines.append(counted(box.parameters, "parameter"))
    return lines
