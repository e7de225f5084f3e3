"""Memory without writes: what each region is called at this point of the program.

A program cuts regions out of memory and writes through them; in ONNX nothing is ever written. So
a region that is read is cut out by nodes, and a write makes a new whole with the written part in
its place.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from aino.compiler.ir.operations import Operation
from aino.compiler.ir.regions import Answer, Attribute, Given, Method, Subscript, is_contiguous
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.constants import array_of, constant_of
from aino.onnx.exporting.graph import END, Graph
from aino.onnx.exporting.program import Memory, Value
from aino.onnx.exporting.sizes import Size
from aino.onnx.exporting.table import CALLS


class Places:
    """The names of the values of a program, as it goes on.

    ``parameters``: the names of arrays from outside, by their identities.
    """

    def __init__(self, graph: Graph, parameters: dict[int, str]) -> None:
        self.graph = graph
        self.parameters = parameters
        #: What each value is called, until its memory is written.
        self._names: dict[Memory, dict[Value, str]] = {}
        #: Why what a memory holds can't be written as ONNX.
        self._refused: dict[Memory, OnnxExporterError] = {}
        #: The graph's inputs.
        self._inputs: dict[Memory, str] = {}
        #: Memory that the program has written.
        self._written: set[Memory] = set()

    # What rows ask

    def read(self, value: Value) -> str:
        """Return the name of what a value holds now."""
        if value.dtype.kind == "c":
            raise OnnxExporterError("complex numbers have no counterpart in ONNX")
        if value.memory in self._refused:
            raise self._refused[value.memory]
        names = self._names.setdefault(value.memory, {})
        if value not in names:
            names[value] = self._found(value, names)
        return names[value]

    def bind_argument(self, memory: Memory, name: str) -> None:
        """Note what is called the memory that an argument is."""
        self._inputs[memory] = name

    def bind(self, value: Value, name: str) -> None:
        """Note what new memory is called."""
        self._refused.pop(value.memory, None)
        self._names[value.memory] = {value: name}

    def write(self, value: Value, name: str) -> None:
        """Note what is in a value from now on, and thereby in its memory."""
        if not value.is_whole and value.parent is not None:
            self.write(value.parent, self._updated(value, name))
            self._names[value.memory][value] = name
        else:
            self.bind(value, name)
        self._written.add(value.memory)

    def refuse(self, memory: Memory, error: OnnxExporterError) -> None:
        """Note that what a memory holds has no name, and why."""
        self._refused[memory] = error

    # Reading

    def _found(self, value: Value, names: dict[Value, str]) -> str:
        cut = value.cut
        if value.is_whole and value.memory in self._inputs and value.memory not in self._written:
            return self._inputs[value.memory]
        storage = value.memory.storages[0]
        outside = storage.initial is not None or storage.kind in ("static", "constant")
        if outside and value.memory not in self._written:
            if value.parent is None or type(cut) is Given:
                return self._outside(value)
        if value.parent is not None and type(cut) is not Given:
            if value.parent in names or value.parent.parent is not None or value.parent.is_whole:
                try:
                    return self._cut(value)
                except _NotThereError:
                    pass
        # A function that is written as one has made it in another form.
        for known, name in names.items():
            if is_contiguous(known.regions[0]) and is_contiguous(value.regions[0]):
                if known.regions[0].size == value.regions[0].size:
                    if known.regions[0].offset == value.regions[0].offset:
                        return self.graph.reshape(name, known.shape, value.shape)
        raise _NotThereError("memory that nothing has filled is read")

    def _outside(self, value: Value) -> str:
        """Return the name of what lies outside of the program: a parameter, or a constant."""
        arrays = [array_of(region) for region in value.regions]
        label = self.parameters.get(id(arrays[0]), "")
        if label:
            return self.graph.initializer(label, arrays[0])
        return constant_of(self.graph, arrays, value.shape)

    def _cut(self, value: Value) -> str:
        """Return a region as it is cut out of its parent."""
        graph, parent, cut = self.graph, value.parent, value.cut
        assert parent is not None
        if type(cut) is Answer:
            step = replace(cut.call, results=[value])
            row = CALLS.get(("function", step.function))
            if row is None or step.operation is not Operation.FUNCTION:
                raise OnnxExporterError(f"np.{step.function.__name__} has no counterpart in ONNX")
            found = row(graph, step)
            return found if cut.position is None else found[cut.position]
        name = self.read(parent)
        if type(cut) is Subscript:
            return subscript(graph, name, parent.shape, cut.index)
        axes = order_of(value)
        if axes is not None:
            return graph.transpose(name, axes)
        if isinstance(cut, Attribute):
            if cut.name == "real" and parent.dtype.kind != "c":
                return name
        elif isinstance(cut, Method):
            if cut.name in ("reshape", "ravel", "squeeze"):
                return graph.reshape(name, parent.shape, value.shape)
            if cut.name == "view" and parent.dtype == bool and value.dtype.itemsize == 1:
                return graph.cast(name, parent.dtype, value.dtype)
            if cut.name == "diagonal":
                return _diagonal(graph, name, value)
        raise OnnxExporterError(f"a view by {cut.name!r} has no counterpart in ONNX")

    # Writing

    def _updated(self, value: Value, name: str) -> str:
        """Return the parent of a region with something else in its place."""
        graph, parent, cut = self.graph, value.parent, value.cut
        assert parent is not None
        if type(cut) is Subscript:
            return placed(graph, self.read(parent), parent.shape, cut.index, name)
        axes = order_of(value)
        if axes is not None:
            return graph.transpose(name, np.argsort(axes).tolist())
        if isinstance(cut, Method) and cut.name in ("reshape", "ravel", "squeeze"):
            return graph.reshape(name, value.shape, parent.shape)
        raise OnnxExporterError(f"a write through a view has no counterpart in ONNX ({cut})")


def is_zero(value: Value) -> bool:
    """Tell whether a value is a constant that holds zeros alone."""
    if value.memory.kind != "constant" or not value.is_whole:
        return False
    return not any(array_of(region).any() for region in value.regions)


class _NotThereError(OnnxExporterError):
    """Memory is read of which only another form is known, or none."""


def order_of(value: Value) -> list[int] | None:
    """Return the order of the parent's dimensions that a transposed view has, else None."""
    cut, rank = value.cut, value.ndim
    axes = list(range(rank))
    if isinstance(cut, Attribute) and cut.name in ("T", "mT"):
        return axes[::-1] if cut.name == "T" else [*axes[:-2], axes[-1], axes[-2]]
    if isinstance(cut, Method) and cut.name == "transpose":
        given: Any = cut.arguments
        if len(given) == 1 and isinstance(given[0], (tuple, list)):
            given = given[0]
        if not given or given == (None,):
            return axes[::-1]
        return [axis % rank for axis in given]
    if isinstance(cut, Method) and cut.name == "swapaxes":
        first, second = cut.arguments
        axes[first], axes[second] = axes[second], axes[first]
        return axes
    return None


def _diagonal(graph: Graph, name: str, value: Value) -> str:
    arguments = list(value.cut.arguments)
    offset, first, second = arguments + [0, 0, 1][len(arguments) :]
    shape = value.parent.shape  # type: ignore[union-attr]
    rank = len(shape)
    first, second = first % rank, second % rank
    others = [axis for axis in range(rank) if axis not in (first, second)]
    turned = graph.transpose(name, [*others, first, second])
    rows, columns = shape[first], shape[second]
    flat = (*[shape[axis] for axis in others], rows * columns)
    joined = graph.reshape(turned, (*flat[:-1], rows, columns), flat)
    start = offset if offset >= 0 else -offset * columns
    places = [start + i * (columns + 1) for i in range(value.shape[-1])]
    return graph.node("Gather", [joined, graph.constant(places, np.int64)], axis=len(flat) - 1)


# Subscripts


def expanded(index: Any, rank: int) -> list[Any]:
    """Return the parts of an index, one for each dimension and None for each new one."""
    parts = list(index) if isinstance(index, tuple) else [index]
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    missing = [slice(None)] * (rank - taken)
    if any(part is Ellipsis for part in parts):
        at = next(i for i, part in enumerate(parts) if part is Ellipsis)
        return [*parts[:at], *missing, *parts[at + 1 :]]
    return [*parts, *missing]


def bounds(part: slice, length: Any) -> tuple[Any, Any, int] | None:
    """Return start, stop and step of a slice as ONNX has them; None where it is all."""
    step = 1 if part.step is None else part.step
    if step > 0:
        start, stop = part.start or 0, END if part.stop is None else part.stop
        if isinstance(part.start, Size):
            start = part.start
        if (isinstance(stop, Size) and isinstance(length, Size) and stop == length) or (
            not isinstance(stop, Size) and not isinstance(length, Size) and stop >= length
        ):
            stop = END
        if step == 1 and not isinstance(start, Size) and start == 0 and stop == END:
            return None
        return start, stop, step
    return (
        (END if part.start is None else part.start),
        (-END if part.stop is None else part.stop),
        step,
    )


def subscript(graph: Graph, name: str, shape: tuple, index: Any) -> str:
    """Return what basic indices cut out."""
    parts = expanded(index, len(shape))
    slices, dropped, new = [], [], []
    axis = place = 0
    for part in parts:
        if part is None:
            new.append(place)
            place += 1
            continue
        if isinstance(part, slice):
            found = bounds(part, shape[axis])
            if found is not None:
                slices.append((axis, *found))
            place += 1
        else:
            dropped.append((axis, part))
        axis += 1
    if slices:
        axes, starts, stops, steps = zip(*slices)
        inputs = [name, graph.ints(starts), graph.ints(stops), graph.ints(axes)]
        if any(step != 1 for step in steps):
            inputs.append(graph.ints(steps))
        name = graph.node("Slice", inputs)
    for axis, number in reversed(dropped):
        at = graph.constant(number, np.int64) if not isinstance(number, Size) else graph.node(
            "Squeeze", [graph.length(number)])  # fmt: skip
        name = graph.node("Gather", [name, at], axis=axis)
    if new:
        name = graph.node("Unsqueeze", [name, graph.constant(new, np.int64)])
    return name


def placed(graph: Graph, name: str, shape: tuple, index: Any, new: str) -> str:
    """Return an array with something else in the place that basic indices cut out."""
    parts = expanded(index, len(shape))
    if any(part is None for part in parts):
        raise OnnxExporterError("a write through a new dimension has no counterpart in ONNX")
    dropped = [axis for axis, part in enumerate(parts) if not isinstance(part, slice)]
    if dropped:
        new = graph.node("Unsqueeze", [new, graph.constant(dropped, np.int64)])
    slices = []
    for axis, part in enumerate(parts):
        if isinstance(part, slice):
            found = bounds(part, shape[axis])
        else:
            found = (part, END if part == -1 else part + 1, 1)
        if found is not None:
            slices.append((axis, *found))
    return _placed(graph, name, shape, slices, new)


def _placed(graph: Graph, name: str, shape: tuple, slices: list, new: str) -> str:
    """Put something into slices along axes, the first axis outermost."""
    if not slices:
        return new
    axis, start, stop, step = slices[0]
    if len(slices) > 1:
        inner = graph.slice(name, axis, start, stop, step)
        new = _placed(graph, inner, shape, slices[1:], new)
    if step == 1:
        parts = [new]
        if isinstance(start, Size) or start != 0:
            parts.insert(0, graph.slice(name, axis, 0, start))
        if isinstance(stop, Size) or stop != END:
            parts.append(graph.slice(name, axis, stop, END))
        return graph.node("Concat", parts, axis=axis) if len(parts) > 1 else new
    length = shape[axis]
    if any(isinstance(x, Size) for x in (length, start, stop)):
        raise OnnxExporterError("a write with steps along a dynamic dimension can't be exported")
    places = np.arange(length)
    last = None if stop == -END else stop
    chosen = places[slice(None if start == END and step < 0 else start, last, step)]
    order = places.copy()
    order[chosen] = length + np.arange(len(chosen))
    both = graph.node("Concat", [name, new], axis=axis)
    return graph.node("Gather", [both, graph.constant(order, np.int64)], axis=axis)
