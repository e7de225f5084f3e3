"""A program as a graph of ONNX: function by function where a row takes it, else call by call."""

from __future__ import annotations

from typing import Any

import aino.onnx.exporting.rows  # noqa: F401  # fills the table
from aino.compiler.ir.operations import Operation
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.graph import Graph
from aino.onnx.exporting.memory import Places
from aino.onnx.exporting.program import Joined, Step, Value, Whole
from aino.onnx.exporting.table import CALLS, DeclinedError
from aino.pytree import mapped

#: What is not written: checks raise in Python where values are wrong.
_LEFT_OUT = {Operation.CHECK}


def translate(joined: Joined, graph: Graph, places: Places) -> None:
    """Write all of a program; what can't be written is an error where it is read."""
    _items(joined.items, graph, places)


def _items(items: list[Step | Whole], graph: Graph, places: Places) -> None:
    for item in items:
        if isinstance(item, Step):
            _step(item, graph, places)
        elif not _as_one(item, graph, places):
            if not isinstance(item.inner, OnnxExporterError):
                _items(item.inner, graph, places)
                continue
            for value in _values(item.result):
                places.refuse(value.memory, item.inner)


def _as_one(whole: Whole, graph: Graph, places: Places) -> bool:
    """Write a function as one; tell whether its row takes these arguments."""
    graph.path = whole.path
    try:
        names = whole.row(graph, **whole.given())
    except (DeclinedError, OnnxExporterError):
        return False  # what it has begun leads nowhere, and is dropped in the end
    results = _values(whole.result)
    for value, name in zip(results, [names] if isinstance(names, str) else names):
        places.bind(value, name)
    return True


def _values(result: Any) -> list[Value]:
    found: list[Value] = []
    mapped(result, lambda item: found.append(item) if isinstance(item, Value) else None)
    return found


def _step(step: Step, graph: Graph, places: Places) -> None:
    """Write one call."""
    if step.operation in _LEFT_OUT:
        return
    graph.path = step.path
    try:
        if step.error is not None:
            raise step.error
        names = _row_of(step)(graph, step)
    except OnnxExporterError as error:
        error = _located(error, step)
        for value in step.touches():
            places.refuse(value.memory, error)
        return
    if names is None:
        return  # it has written by itself
    filled = step.results if step.out is None else [step.out]
    for value, name in zip(filled, [names] if isinstance(names, str) else names):
        if step.out is None:
            places.bind(value, name)
        else:
            places.write(value, name)


def _row_of(step: Step) -> Any:
    key = step.operation.value
    row = CALLS.get((key, step.function)) or CALLS.get((key, None))
    if row is None and step.operation is Operation.KERNEL:
        inner = getattr(step.function, "__wrapped__", step.function)
        row = CALLS.get((key, inner))
    if step.operation is Operation.DRAW:
        raise OnnxExporterError("a random draw can't be exported; call model.eval() before")
    if row is None:
        raise OnnxExporterError(f"{_spoken(step)} has no counterpart in ONNX")
    return row


def _spoken(step: Step) -> str:
    """Return what a call is, in words."""
    if step.function is None:
        return f"a call of the kind {step.operation.value!r}"
    name = getattr(step.function, "__name__", step.function)
    call = f"np.{name}" if step.operation is not Operation.KERNEL else f"the kernel {name}"
    if step.operation in (Operation.REDUCE, Operation.ACCUMULATE, Operation.AT, Operation.REDUCEAT):
        call += f".{step.operation.value}"
    return f"{step.primitive} ({call})" if step.primitive else call


def _located(error: OnnxExporterError, step: Step) -> OnnxExporterError:
    """Return an error with where the call stands."""
    if getattr(error, "located", False):
        return error
    where = f", in the module {step.path!r}" if step.path else ""
    line = f" ({step.line})" if step.line else ""
    found = OnnxExporterError(f"{error}{where}{line}")
    found.located = True  # type: ignore[attr-defined]
    return found
