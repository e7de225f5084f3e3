"""What is declared of a primitive, and the nodes that it records."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.callpath import check_names
from aino.autograd.node import GONE, Node, TupleOutput, seen
from aino.autograd.tensor import Tensor, make
from aino.autograd.walk import walk

#: Every primitive by its name.
REGISTRY: dict[str, Primitive] = {}


class Primitive:
    """A declared operation: what it computes, how it differentiates, how it reads.

    ``name``, ``kernel``, ``formula``: as declared. ``inputs``: the names of its array arguments,
    ``parameters``: of the others. ``rules``: input name -> rule. ``definition``: for a fused
    primitive, the same thing in terms of other primitives. ``saved_names``: what a node keeps.
    """

    def __init__(
        self, name, kernel, formula, inputs, broadcasts, promotes, view, definition, rules,
        outputs, jacobian, jvp, linked, together,
    ) -> None:  # fmt: skip
        self.name = name
        self.kernel = kernel
        self.formula = formula
        self.broadcasts = broadcasts
        self.promotes = promotes
        self.view = view
        self.definition = definition
        self.jacobian = "given" if jvp else jacobian
        #: Rules for tangents, input name -> rule; they read what other rules read.
        self.jvp: dict[str, Any] = jvp or {}
        #: One rule for the cotangents of all inputs, or None.
        self.together = together
        if together is not None:
            rules = dict.fromkeys(inputs.split(), together)
        self.rules = rules
        self.linked = linked
        #: The names of the outputs where they are several, none where there is one, ``y``.
        self.outputs = tuple(outputs.split())
        self.variadic = inputs is not None and inputs.startswith("*")
        signature = _arguments(kernel)
        self.inputs = tuple(inputs.strip("*").split()) if inputs else tuple(rules)
        #: What the function calls its inputs; ``aino.ops`` gives them PyTorch's names.
        self.arguments = self.inputs
        #: The inputs that may be None, by those names: not where two have a dtype in common.
        self.optional = () if promotes and len(self.inputs) == 2 else self.arguments[1:]
        self.parameters = tuple([p for p in signature if p not in self.inputs])
        if not self.variadic:
            check_names(name, (*self.inputs, *self.parameters))
        self.defaults = getattr(kernel, "__defaults__", None) or ()
        self.differentiable = tuple([name for name in self.inputs if name in rules])
        first = (len(self.outputs) or 1) + (together is not None)
        self.reads = {key: _arguments(rule)[first:] for key, rule in rules.items()}
        self.saved_names = self._saved_names()
        self.function: Any = None
        #: What its call path asks first, by name: nothing until that is written, and nothing
        #: without the package ``aino-native``.
        self.quick: dict[str, Any] = {}
        #: The names of what nodes note, in order.
        self.noted_names: tuple[str, ...] = (*self.inputs, *self.parameters)
        #: The same function once more where it takes ``out=``, for the namespaces that have it.
        self.forms: list[Any] = []
        self.node_class: Any = type(
            _node_name(name),
            (RecordedNode,),
            {"__slots__": (), "primitive": self, "keeps_arrays": self._keeps_arrays()},
        )

    def _saved_names(self) -> tuple[str, ...]:
        free = {"i"} if self.variadic else {f"{name}_shape" for name in self.rules}
        names = [name for reads in self.reads.values() for name in reads if name not in free]
        if self.definition is not None:
            names += [*self.inputs, *self.parameters]
        known = {*(self.outputs or "y"), *self.inputs, *self.parameters}
        known |= {f"{name}_dtype" for name in self.inputs}
        if self.variadic:
            known.add(f"{self.inputs[0]}_shapes")
        for name in names:
            if name not in known:
                raise TypeError(f"primitive {self.name!r}: a rule reads {name!r}, unknown here")
        return tuple(dict.fromkeys(names))

    def _keeps_arrays(self) -> bool | None:
        arrays = {"y", *self.outputs, *self.inputs}
        reading = [not arrays.isdisjoint(reads) for reads in self.reads.values()]
        if self.definition is not None or all(reading):
            return True
        return None if any(reading) or "indices" in self.parameters else False

    def __repr__(self) -> str:
        return f"<primitive {self.name}: {self.formula}>"


class RecordedNode(Node):
    """A node that a primitive recorded.

    ``noted``: what it was given without a gradient and its parameters, where there are any; no
    rule reads it, and no pass frees it.
    """

    __slots__ = ("noted",)
    primitive: Primitive
    pure = True
    #: What a pass in C asks before the pullback, where ``aino-native`` is there.
    quick_back: Any = None
    noted: Any

    def given(self) -> dict[str, Any]:
        """Return constants and parameters by name, as far as they are still there."""
        held = getattr(self, "noted", ())
        if type(held) is not tuple:
            held = [GONE if edge is not None else held for edge in self.inputs]
        if self.primitive.variadic:
            count = len(self.inputs)
            held = ([seen(value) for value in held[:count]], *held[count:])
        found = {name: seen(value) for name, value in zip(self.primitive.noted_names, held)}
        return {name: value for name, value in found.items() if value is not GONE}

    @staticmethod
    def pullback(inputs, saved, g):
        """Return the cotangent of each wanted input; replaced by each primitive's own."""
        raise AssertionError

    def pullback_recorded(self, inputs, g):
        """Return the cotangents as tensors that can be differentiated again."""
        saved = self.saved_as_tensors()
        definition = self.primitive.definition
        if definition is None:
            return self._linked(self.pullback(inputs, saved, g))
        values = dict(zip(self.primitive.saved_names, saved))
        alias = REGISTRY["alias"].function
        # An alias of each input has a node of its own, so that each gets its own partial
        # derivative even where one input was computed from another.
        arguments = [
            values[name] if edge is None else alias(values[name])
            for name, edge in zip(self.primitive.inputs, inputs)
        ]
        y = definition(*arguments, *(values[name] for name in self.primitive.parameters))
        nodes = [None if edge is None else x.node for x, edge in zip(arguments, inputs)]
        wanted = {node for node in nodes if node is not None}
        if self.primitive.outputs:
            roots = [(y[place].node, part) for place, part in g.parts.items()]
            roots = [(node, part) for node, part in roots if node is not None]
        else:
            roots = [(y.node, g)]
        found: dict[Any, Tensor] = walk(roots, wanted, True, True)
        partials = [None if node is None else found.get(node) for node in nodes]
        return self._linked(
            [np.conjugate(p) if p is not None and p.dtype.kind == "c" else p for p in partials]
        )

    def _linked(self, cotangents):
        """Return cotangents of which each depends on what its rule read, be it by a slope of zero.

        So a derivative that has become constant can still be differentiated, as in PyTorch.
        """
        primitive = self.primitive
        if all([c is None or c.node is not None for c in cotangents]):
            return cotangents
        unmoved = REGISTRY["unmoved"].function
        if primitive.linked:  # a cotangent has the shape and the dtype of its input
            return [
                c if c is None or c.node is not None else unmoved(c, make(c.array, edge))
                for c, edge in zip(cotangents, self.inputs)
            ]
        if primitive.variadic or primitive.outputs:
            return cotangents
        values = dict(zip(primitive.saved_names, self.kept()))
        linked = []
        for name, cotangent in zip(primitive.differentiable, cotangents):
            if cotangent is not None and cotangent.node is None:
                for read in primitive.reads[name]:
                    edge = self if read == "y" else self._edge(read)
                    if edge is not None and values.get(read) is not None:
                        cotangent = unmoved(cotangent, make(values[read], edge))
            linked.append(cotangent)
        return linked

    def kept(self) -> tuple:
        """Return what was saved, as it was saved."""
        return self.saved or ()

    def count_outputs(self) -> int:
        return len(self.primitive.outputs) or 1

    def saved_values(self) -> list[tuple[str, Any]]:
        """Return the saved values that a recorded pass reads: a definition reads all of them."""
        if self.primitive.definition is None:
            return self.read_values()
        return list(zip(self.primitive.saved_names, self.saved or ()))

    def read_values(self) -> list[tuple[str, Any]]:
        """Return the saved values that the rules of the wanted inputs read."""
        declared = self.primitive
        saved = zip(declared.saved_names, self.saved or ())
        if declared.variadic:
            return list(saved)
        wanted = [n for n, edge in zip(declared.differentiable, self.inputs) if edge is not None]
        read = {name for rule in wanted for name in declared.reads[rule]}
        return [(name, value) for name, value in saved if name in read]

    def _edge(self, name) -> Node | None:
        """Return the edge of an input: edges stand in the order of the rules."""
        rules = self.primitive.differentiable
        return self.inputs[rules.index(name)] if name in rules else None

    def saved_as_tensors(self) -> tuple:
        """Return what was saved, the arrays as tensors with their provenance."""
        primitive = self.primitive
        values: list[Any] = []
        for name, value in zip(primitive.saved_names, self.kept()):
            if name == "y":
                value = None if value is None else make(value, self)
            elif name in primitive.outputs:
                # Integers are constants, and stay arrays.
                if value is not None and value.dtype.kind in "fc":
                    place = primitive.outputs.index(name)
                    value = make(value, TupleOutput(self, place, value.shape, value.dtype))
            elif primitive.variadic and name == primitive.inputs[0]:
                value = [make(array, edge) for array, edge in zip(value, self.inputs)]
            elif name in primitive.inputs:
                value = None if value is None else make(value, self._edge(name))
            values.append(value)
        return tuple(values)


def _arguments(function) -> tuple[str, ...]:
    """Return the names of a function's positional arguments; none for a ufunc."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()


def _node_name(name: str) -> str:
    return "".join([part.capitalize() for part in name.split("_")]) + "Backward0"
