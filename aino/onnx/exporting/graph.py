"""The graph that is being written: nodes in order, initializers, and names that can be read."""

from __future__ import annotations

import math
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.program import Value
from aino.onnx.exporting.sizes import Dimensions, Size

INT64 = np.dtype(np.int64)
#: Stands in a slice for an end that is none.
END = (1 << 63) - 1


@dataclass(eq=False)
class Node:
    """One node: its operator, the names of what it reads and gives, its attributes."""

    operator: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any]
    name: str


@dataclass
class Graph:
    """Nodes and initializers; rows of the table add to it.

    ``opset``: the version of ONNX's operators. ``path``: of the module whose calls are written.
    ``memory``: what is known of the program's memory, by which values have names.
    """

    opset: int
    dimensions: Dimensions
    nodes: list[Node] = field(default_factory=list)
    initializers: dict[str, np.ndarray] = field(default_factory=dict)
    path: str = ""
    memory: Any = None
    _names: set[str] = field(default_factory=set)
    _constants: dict[tuple, str] = field(default_factory=dict)
    _shared: dict[tuple, str] = field(default_factory=dict)
    #: What transposes are made of: the name before, and the order of its dimensions.
    _turned: dict[str, tuple[str, Any]] = field(default_factory=dict)

    # Names

    def unique(self, wish: str) -> str:
        """Return a name that nothing has yet."""
        name, number = wish, 0
        while name in self._names:
            number += 1
            name = f"{wish}_{number}"
        self._names.add(name)
        return name

    # Nodes

    def node(self, operator: str, inputs: Any, count: int = 0, **attributes: Any) -> Any:
        """Add a node; return the name of its output, or of ``count`` outputs.

        Inputs are names, values of the program, or None for one that is left out. Attributes that
        are None are left out, too.
        """
        names = [self.name(item) for item in inputs]
        while names and not names[-1]:
            names.pop()
        name = self.unique(f"{self.path}.{operator}" if self.path else operator)
        plain = re.sub(rf"{operator}(_\d+)?$", lambda m: operator.lower() + (m[1] or ""), name)
        if count:
            outputs = [self.unique(f"{plain}.{i}") for i in range(count)]
        else:
            outputs = [self.unique(plain)]
        kept = {key: item for key, item in attributes.items() if item is not None}
        self.nodes.append(Node(operator, names, outputs, kept, name))
        return outputs if count else outputs[0]

    def shared(self, operator: str, inputs: Any, **attributes: Any) -> str:
        """Add a node that is made once for the same inputs and attributes."""
        names = [self.name(item) for item in inputs]
        key = (operator, *names, repr(sorted(attributes.items())))
        if key not in self._shared:
            self._shared[key] = self.node(operator, names, **attributes)
        return self._shared[key]

    def name(self, item: Any) -> str:
        """Return the name of a value of the program; of nothing the empty one."""
        if item is None:
            return ""
        return self.memory.read(item) if isinstance(item, Value) else item

    def name_outputs(self, inner: list[str], names: list[str], inputs: list[str]) -> None:
        """Call the outputs of the graph by their names."""
        makers = {output: node for node in self.nodes for output in node.outputs}
        renamed: dict[str, str] = {}
        for given, name in zip(inner, names):
            if given in makers and given not in renamed and name not in self._names:
                self._names.add(name)
                renamed[given] = name
            else:
                self.path = ""
                copied = self.node("Identity", [renamed.get(given, given)])
                renamed[copied] = name
        for node in self.nodes:
            node.inputs = [renamed.get(item, item) for item in node.inputs]
            node.outputs = [renamed.get(item, item) for item in node.outputs]

    # Constants

    def initializer(self, wish: str, array: np.ndarray) -> str:
        """Add an initializer under a name of its own."""
        name = self.unique(wish)
        self.initializers[name] = array
        return name

    def constant(self, value: Any, dtype: Any, wish: str = "") -> str:
        """Return the name of a constant; equal ones have one name."""
        array = np.array(value, dtype)
        if array.dtype.kind == "c":
            raise OnnxExporterError("complex numbers have no counterpart in ONNX")
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            wish = wish or _described(array)
            self._constants[key] = self.initializer(wish, array)
        return self._constants[key]

    # Lengths

    def ints(self, numbers: Any) -> str:
        """Return the name of a list of whole numbers, computed where they are dynamic."""
        numbers = list(numbers)
        if not any(isinstance(number, Size) for number in numbers):
            return self.constant(numbers, INT64)
        parts: list[str] = []
        plain: list[int] = []
        for number in [*numbers, None]:
            if isinstance(number, int):
                plain.append(number)
                continue
            if plain:
                parts.append(self.constant(plain, INT64))
                plain = []
            if number is not None:
                parts.append(self.length(number))
        return parts[0] if len(parts) == 1 else self.shared("Concat", parts, axis=0)

    def length(self, size: Size) -> str:
        """Return the name of a list with one dynamic length."""
        found = self.dimensions.formula(size)
        if found is None:
            raise OnnxExporterError(
                f"a length is needed that follows from the dynamic dimensions in no simple way "
                f"({size}); give them fixed lengths"
            )
        names, multiple, rest = found
        with self.at(""):
            product = ""
            for name in names:
                place, axis = self.dimensions.places[name]
                one = self.shared("Shape", [place], start=axis, end=axis + 1)
                product = self.shared("Mul", [product, one]) if product else one
            if multiple != 1:
                product = self.shared("Mul", [product, self.constant([multiple], INT64)])
            if rest:
                product = self.shared("Add", [product, self.constant([rest], INT64)])
        return product

    @contextmanager
    def at(self, path: str):
        """Let nodes have the names of another module for a while."""
        before, self.path = self.path, path
        try:
            yield
        finally:
            self.path = before

    # What many rows need

    def cast(self, item: Any, given: np.dtype, wanted: Any) -> str:
        """Return an item in a dtype."""
        if given == wanted:
            return self.name(item)
        return self.node("Cast", [item], to=onnx_type(wanted))

    def reshape(self, item: Any, before: tuple, after: tuple) -> str:
        """Return an item in another shape."""
        if tuple(before) == tuple(after):
            return self.name(item)
        sizes = [i for i, n in enumerate(after) if isinstance(n, Size)]
        target: list[Any] = list(after)
        if 0 not in after:
            for i in sizes:
                if i < len(before) and before[i] == after[i]:
                    target[i] = 0  # as long as it was
            left = [i for i in sizes if target[i] != 0 or isinstance(target[i], Size)]
            if left:
                hard = [i for i in left if self.dimensions.formula(target[i]) is None]
                target[(hard or left)[-1]] = -1
            return self.node("Reshape", [item, self.ints(target)])
        return self.node("Reshape", [item, self.ints(target)], allowzero=1)

    def expand(self, item: Any, before: tuple, after: tuple) -> str:
        """Return an item broadcast to another shape."""
        if tuple(before) == tuple(after):
            return self.name(item)
        return self.node("Expand", [item, self.ints(after)])

    def transpose(self, item: Any, axes: Any) -> str:
        """Return an item with its dimensions in another order."""
        name, axes = self.name(item), list(axes)
        before, order = self._turned.get(name, (name, range(len(axes))))
        axes = [order[axis] for axis in axes]
        if axes == sorted(axes):
            return before
        found = self.shared("Transpose", [before], perm=axes)
        self._turned[found] = before, axes
        return found

    def reduce(self, operator: str, item: Any, axes: Any, keepdims: bool) -> str:
        """Return a reduction over axes: an input from version 18 on, and of sums from 13 on."""
        if self.opset >= 18 or operator == "ReduceSum":
            listed = self.constant(list(axes), INT64)
            return self.node(operator, [item, listed], keepdims=int(keepdims))
        return self.node(operator, [item], axes=list(axes), keepdims=int(keepdims))

    def slice(self, item: Any, axis: int, start: Any, stop: Any, step: int = 1) -> str:
        """Return a slice along one axis."""
        return self.node(
            "Slice", [item, self.ints([start]), self.ints([stop]), self.ints([axis]),
                      *([self.ints([step])] if step != 1 else [])],
        )  # fmt: skip


def _described(array: np.ndarray) -> str:
    """Return a name for a constant that says what it is, where it is small."""
    kind = {"f": "float", "i": "int", "u": "int", "b": "bool"}[array.dtype.kind]
    if array.size > 6 or array.ndim > 1:
        return f"{kind}s"
    words = [f"{x:.6g}" if kind == "float" else "end" if x == END else str(x)
             for x in array.reshape(-1).tolist()]  # fmt: skip
    return "_".join([f"{kind}s" if array.ndim else kind, *words])


def onnx_type(dtype: Any) -> int:
    """Return ONNX's number of a dtype."""
    from onnx import helper

    return int(helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def product_of(lengths: Any) -> Any:
    """Return the product of lengths, dynamic ones among them."""
    return math.prod(lengths, start=1)
