"""The functions that primitives are called by, and how their call paths come about."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import FunctionType
from typing import Any

import numpy as np

from aino.autograd.callpath import forward_source, pullback_source
from aino.autograd.declared import REGISTRY, Primitive
from aino.autograd.duck import computed
from aino.autograd.memory import owner
from aino.autograd.mode import mode
from aino.autograd.native import quick_calls
from aino.autograd.node import GONE, TupleOutput, annotate, noted, tick
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

#: What is told of each function of a primitive whose call path is there from now on.
on_ready: list[Callable[[Any], None]] = []


def stub(declared: Primitive):
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
        "__name__": "aino.autograd.primitive", "__builtins__": __builtins__,
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
        form.__globals__.update(declared.quick)
        _take_code(form, forward_source(declared, out=True))
        announce(form)
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
    declared.quick = quick_calls(declared)
    function.__globals__.update(declared.quick)
    found = _take_code(function, forward_source(declared) + "\n\n" + pullback_source(declared))
    declared.node_class.pullback = staticmethod(found["pullback"])
    declared.node_class.quick_back = declared.quick.get("quick_back")
    announce(function)


def _take_code(function: Any, source: str) -> dict[str, Any]:
    """Let a function do what a source says; return what the source defines."""
    found: dict[str, Any] = {}
    name = function.primitive.name
    function.source = source
    exec(compile(source, f"<primitive {name}>", "exec"), function.__globals__, found)
    function.__defaults__, function.__code__ = found[name].__defaults__, found[name].__code__
    return found


def announce(function: Any) -> None:
    """Tell whoever looks on that the call path of a function is there."""
    for tell in on_ready:
        tell(function)


def variadic(declared: Primitive):
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


def several(declared: Primitive):
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


def wrap(y):
    """Return what a kernel returned as an array: NumPy reduces to scalars."""
    return np.asarray(y) if isinstance(y, (np.generic, bool, int, float, complex)) else y


def promote(arrays, nodes, floating=False):
    """Bring arrays to the dtype they have in common; what is recorded is cast on record."""
    cast = REGISTRY["cast"].function
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
