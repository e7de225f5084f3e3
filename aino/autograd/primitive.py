"""Primitive: a kernel, one rule for each input, a formula; and the call path made of them.

    mul = primitive("mul", np.multiply, formula="a · b", broadcasts=True, promotes="common",
                    jacobian="diagonal",
                    a=lambda g, b: g * b,
                    b=lambda g, a: g * a)

A rule's signature says what it reads, and only that is kept for the backward pass:

    g            the gradient of the output
    y            the output
    a, x, ...    an input, by its name in the kernel
    x_shape      the shape of an input (x_dtype its dtype), where no more is needed
    axis, ...    a parameter of the kernel, by its name

The call path is straight-line Python, written for the primitive's arity when it is first called;
``function.source`` shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from aino.autograd import engine
from aino.autograd.callpath import check_names, forward_source, pullback_source
from aino.autograd.duck import computed
from aino.autograd.memory import owner
from aino.autograd.mode import mode
from aino.autograd.node import GONE, Node, TupleOutput, annotate, noted, seen, tick
from aino.autograd.operands import (
    as_floating,
    check_raw,
    constant,
    explained,
    float32,
    float64,
    only_floating,
    only_ordered,
)
from aino.autograd.sums import sum_to_shape
from aino.autograd.tensor import Tensor, View, make, new, refresh
from aino.dtypes import get_default_dtype, result_type
from aino.errors import LevelError

#: Every primitive by its name.
REGISTRY: dict[str, Primitive] = {}
#: What is told of each function of a primitive whose call path is there from now on.
on_ready: list[Callable[[Any], None]] = []


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
        #: The inputs that may be None, by those names.
        self.optional = self.arguments[1:]
        self.parameters = tuple([p for p in signature if p not in self.inputs])
        if not self.variadic:
            check_names(name, (*self.inputs, *self.parameters))
        self.defaults = getattr(kernel, "__defaults__", None) or ()
        self.differentiable = tuple([name for name in self.inputs if name in rules])
        first = (len(self.outputs) or 1) + (together is not None)
        self.reads = {key: _arguments(rule)[first:] for key, rule in rules.items()}
        self.saved_names = self._saved_names()
        self.function: Any = None
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
        found: dict[Any, Tensor] = engine.walk(roots, wanted, True, True)
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


def primitive(
    name, kernel, *, formula, inputs=None, broadcasts=False, promotes=None, view=False,
    definition=None, outputs="", jacobian=None, jvp=None, linked=False, together=None, **rules,
):  # fmt: skip
    """Declare a primitive and return the function that computes and records it.

    ``inputs`` names the array arguments where they are more than those that have rules, or
    ``"*xs"`` for a list of them. ``broadcasts``: gradients are summed back to the inputs' shapes.
    ``promotes``: ``"common"`` brings the inputs to one dtype, ``"float"`` to a floating or complex
    one; ``"floating"`` refuses what is not floating already, ``"ordered"`` what is complex.
    ``view``: the output may share the input's memory. ``definition``: for a fused kernel, what
    it computes in terms of other primitives; differentiated for derivatives of higher order.
    ``outputs`` names what a kernel returns as a tuple: a rule then begins with the gradient of
    each output, None where nothing arrived for it, and reads outputs by their names.
    ``jacobian`` is what is known of the derivative, from which forward mode follows:
    ``"diagonal"`` where each element depends on its own alone;
    ``"diagonal if real"`` where that holds for real numbers; ``"symmetric"`` where it is its own
    transpose; ``"linear"``, ``"multilinear"`` in all inputs together, or in each of them;
    ``"reduced"`` where each element goes into one result; it is derived from the rules
    alone. ``jvp`` has rules for the tangents of inputs, where they are simpler than that: they
    begin with the tangent, and read what other rules read. ``linked``: the gradient counts as made
    with the input, as in PyTorch, though no rule reads that: it can be differentiated for it.
    ``together`` stands for the rules where all cotangents come of one computation: it begins with
    a tuple that says which of the ``inputs`` want one, and returns one for each of them.
    The function takes arrays too, and then returns arrays and records nothing.
    """
    declared = Primitive(
        name, kernel, formula, inputs, broadcasts, promotes, view, definition, rules, outputs,
        jacobian, jvp, linked, together,
    )  # fmt: skip
    if name in REGISTRY:
        raise TypeError(f"primitive {name!r} is declared twice")
    REGISTRY[name] = declared
    write = _variadic if declared.variadic else _several if declared.outputs else _stub
    function: Any = write(declared)
    function.primitive = declared
    declared.function = function
    if write is not _stub:
        _tell(function)
    return function


def _stub(declared: Primitive):
    """Return a function that writes its own call path when it is first called.

    Writing and compiling a call path takes a quarter of a millisecond: too much to do for all
    of them at import. The code is exchanged in place, so whoever holds the function has it.
    """
    namespace: dict[str, Any] = {
        "Tensor": Tensor, "View": View, "new": new, "refresh": refresh, "mode": mode,
        "tick": tick, "ndarray": np.ndarray, "wrap": wrap, "annotate": annotate,
        "constant": constant, "promote": promote, "as_floating": as_floating,
        "only_floating": only_floating, "only_ordered": only_ordered,
        "float32": float32, "float64": float64, "sum_to": sum_to_shape, "explain": explained,
        "owner": owner, "LevelError": LevelError, "computed": computed,
        "check_raw": check_raw, "kernel": declared.kernel, "Recorded": declared.node_class,
        "declared": declared, "noted": noted, "GONE": GONE,
        "__name__": __name__, "__builtins__": __builtins__,
    }  # fmt: skip
    for name, rule in declared.rules.items():
        namespace[f"rule_{name}"] = rule
    namespace["rule_together"] = declared.together

    function: Any

    def write(arguments, keywords):
        _write(function)
        return function(*arguments, **keywords)

    namespace["write"] = write
    function = FunctionType(_FIRST_CALL.__code__, namespace, declared.name)
    function.__doc__ = declared.formula
    namespace["function"] = function
    return function


def with_out(function: Any, written) -> Any:
    """Return a function with the call path of a primitive that takes ``out=``, too.

    ``written(function, arguments, surplus, out)`` is called where it is given. The function is
    another one: operators and methods, which take no ``out``, do not pay for the question.
    """
    declared = function.primitive

    def write(arguments, keywords):
        if function.__code__ is _FIRST_CALL.__code__:
            _write(function)
        _take_code(form, forward_source(declared, out=True))
        _tell(form)
        return form(*arguments, **keywords)

    namespace = {**function.__globals__, "write": write, "written": written}
    form: Any = FunctionType(_FIRST_CALL.__code__, namespace, function.__name__)
    form.__dict__.update(function.__dict__)
    form.__doc__ = function.__doc__
    declared.forms.append(form)
    return form


def _FIRST_CALL(*arguments, **keywords):
    return write(arguments, keywords)  # type: ignore[name-defined]  # noqa: F821


def _write(function: Any) -> None:
    """Write the call path of a primitive, there and back, as its function is first called."""
    declared = function.primitive
    found = _take_code(function, forward_source(declared) + "\n\n" + pullback_source(declared))
    declared.node_class.pullback = staticmethod(found["pullback"])
    _tell(function)


def _take_code(function: Any, source: str) -> dict[str, Any]:
    """Let a function do what a source says; return what the source defines."""
    found: dict[str, Any] = {}
    name = function.primitive.name
    function.source = source
    exec(compile(source, f"<primitive {name}>", "exec"), function.__globals__, found)
    function.__defaults__, function.__code__ = found[name].__defaults__, found[name].__code__
    return found


def _tell(function: Any) -> None:
    """Tell whoever looks on that the call path of a function is there."""
    for tell in on_ready:
        tell(function)


def _variadic(declared: Primitive):
    """Return the call path of a primitive over a list of tensors."""
    kernel, node_class = declared.kernel, declared.node_class
    (listed,) = declared.inputs
    rule = declared.rules.get(listed)
    reads = declared.reads.get(listed, ())

    def function(tensors, *parameters):
        tensors = list(tensors)
        if not any([isinstance(x, Tensor) for x in tensors]):
            try:
                return kernel(tensors, *parameters)
            except LevelError as error:
                return computed(declared, error, (tensors,), parameters)
        arrays, nodes = [], []
        for x in tensors:
            recorded = isinstance(x, Tensor)
            if recorded and x.view_of is not None:
                refresh(x)
            arrays.append(x.array if recorded else x)
            nodes.append(x.node if recorded else None)
        if declared.promotes and any([x.dtype is not arrays[0].dtype for x in arrays]):
            arrays, nodes = promote(arrays, nodes)
        try:
            y = kernel(arrays, *parameters)
        except LevelError as error:
            y = computed(declared, error, (arrays,), parameters)
        except ValueError as error:
            raise explained(declared, error, arrays) from None
        result = make(y if type(y) is np.ndarray else wrap(y))
        if rule is not None and mode.level and any([node is not None for node in nodes]):
            node: Any = new(node_class)
            result.node = node
            values = {listed: arrays, "y": result.array}
            values |= zip(declared.parameters, parameters)
            values[f"{listed}_shapes"] = [array.shape for array in arrays]
            node.inputs = tuple(nodes)
            node.saved = tuple([values[name] for name in declared.saved_names])
            constants = [GONE if edge is not None else noted(x) for edge, x in zip(nodes, arrays)]
            node.noted = (*constants, *parameters)
            node.shape = result.array.shape
            node.sequence = tick()
            node.extras = None
            if mode.level == 2:
                annotate(node)
        return result

    def pullback(inputs, saved, g):
        values = dict(zip(declared.saved_names, saved))
        cotangents: list[Any] = []
        for position, edge in enumerate(inputs):
            if edge is None:
                cotangents.append(None)
                continue
            values["i"] = position
            cotangents.append(rule(g, *[values[name] for name in reads]))
        return cotangents

    node_class.pullback = staticmethod(pullback)
    function.__name__ = declared.name
    return function


def _several(declared: Primitive):
    """Return the call path of a primitive with several outputs: a node, and one for each of them.

    What is factorised takes far longer than this, so nothing is generated.
    """
    kernel, count = declared.kernel, len(declared.inputs)

    def function(*arguments):
        tensors, parameters = arguments[:count], arguments[count:]
        if not any([isinstance(x, Tensor) for x in tensors]):
            check_raw(declared, *tensors)
            try:
                return kernel(*arguments)
            except LevelError as error:
                return computed(declared, error, tensors, parameters)
        for x in tensors:
            if isinstance(x, Tensor) and x.view_of is not None:
                refresh(x)
        arrays = [x.array if isinstance(x, Tensor) else x for x in tensors]
        nodes = [x.node if isinstance(x, Tensor) else None for x in tensors]
        try:
            found = kernel(*arrays, *parameters)
        except LevelError as error:
            found = computed(declared, error, arrays, parameters)
        results = [make(wrap(y)) for y in found]
        edges = [nodes[declared.inputs.index(name)] for name in declared.differentiable]
        if mode.level and any([edge is not None for edge in edges]):
            node: Any = new(declared.node_class)
            values = dict(zip(declared.inputs, arrays)) | dict(zip(declared.parameters, parameters))
            values |= {name: y.array for name, y in zip(declared.outputs, results)}
            values |= {
                f"{name}_dtype": x.dtype
                for name, x in zip(declared.inputs, arrays) if x is not None
            }  # fmt: skip
            node.inputs = tuple(edges)
            # What a definition has computed has not kept what the kernel keeps for its rule.
            node.saved = tuple([values.get(name) for name in declared.saved_names])
            node.noted = tuple([
                GONE if edge is not None else noted(x)
                for edge, x in zip((*nodes, *[None] * len(parameters)), (*arrays, *parameters))
            ])  # fmt: skip
            node.shape = ()
            node.sequence = tick()
            node.extras = None
            if mode.level == 2:
                annotate(node)
            for place, y in enumerate(results):
                if y.array.dtype.kind in "fc":
                    y.node = TupleOutput(node, place, y.array.shape, y.array.dtype)
        return tuple(results)

    rules = [(name, declared.rules[name]) for name in declared.differentiable]
    together = declared.together
    read_together = declared.reads[declared.inputs[0]] if together else ()

    def pullback(inputs, saved, g):
        arrived = [g.parts.get(place) for place in range(len(declared.outputs))]
        values = dict(zip(declared.saved_names, saved))
        if together is not None:
            wanted = tuple([edge is not None for edge in inputs])
            found = together(wanted, *arrived, *[values[name] for name in read_together])
            return [slope if want else None for slope, want in zip(found, wanted)]
        for name, edge in zip(declared.differentiable, inputs):
            values[f"{name}_shape"] = edge and edge.shape
        return [
            edge and rule(*arrived, *[values[read] for read in declared.reads[name]])
            for (name, rule), edge in zip(rules, inputs)
        ]

    declared.node_class.pullback = staticmethod(pullback)
    function.__name__ = declared.name
    return function


def ready() -> Iterator[Any]:
    """Yield the functions of primitives whose call path is there; others have not been called."""
    for declared in list(REGISTRY.values()):
        for function in (declared.function, *declared.forms):
            if function.__code__ is not _FIRST_CALL.__code__:
                yield function


def _arguments(function) -> tuple[str, ...]:
    """Return the names of a function's positional arguments; none for a ufunc."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    return code.co_varnames[: code.co_argcount] if code is not None else ()


def _node_name(name: str) -> str:
    return "".join([part.capitalize() for part in name.split("_")]) + "Backward0"


def wrap(y):
    """Return what a kernel returned as an array: NumPy reduces to scalars."""
    return np.asarray(y) if isinstance(y, (np.generic, bool, int, float, complex)) else y


def promote(arrays, nodes, floating=False):
    """Bring arrays to the dtype they have in common; what is recorded is cast on record."""
    dtype = result_type(*arrays)
    if floating and dtype.kind not in "fc":
        dtype = get_default_dtype()
    arrays, nodes = list(arrays), list(nodes)
    for position, array in enumerate(arrays):
        if array.dtype is dtype:
            continue
        if nodes[position] is None:
            arrays[position] = array.astype(dtype)
        else:
            tensor = cast(make(array, nodes[position]), dtype)
            arrays[position], nodes[position] = tensor.array, tensor.node
    return arrays, nodes


def _cast_kernel(x, dtype):
    return (x.real if x.dtype.kind == "c" and dtype.kind != "c" else x).astype(dtype)


cast = primitive(
    "cast", _cast_kernel, formula="x as dtype", jacobian="diagonal",
    x=lambda g, x_dtype: cast(g, x_dtype),
)  # fmt: skip

alias = primitive("alias", lambda x: x, formula="x", jacobian="diagonal", x=lambda g: g)

#: A value that does not change with x, though it was made with it: the slope is zero, not missing.
unmoved = primitive(
    "unmoved", lambda value, x: value, formula="value, whatever x is",
    value=lambda g: g,
    x=lambda g, x_shape, x_dtype: cast(np.zeros_like(g, shape=x_shape), x_dtype),
)  # fmt: skip
