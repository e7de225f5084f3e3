"""Compute at once what does not depend on the call."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.ir.analysis import analysed
from aino.compiler.ir.operations import METHOD_NAMES, Operation
from aino.compiler.ir.program import Call, Program, map_values
from aino.compiler.ir.regions import Given, Region, Storage, region, region_at, repeats
from aino.compiler.ir.symbolic import SymbolicNumber
from aino.compiler.passes.common_subexpressions import rewrite
from aino.compiler.tracing.shadows import window

#: Constants above this size are left to be computed, rather than kept.
LARGEST = 1 << 20


def settle_written_constants(program: Program) -> int:
    """Give memory that starts as a constant and is then written a fresh start at each call.

    Return how many there are.
    """
    analysis = analysed(program)
    fresh: dict[int, list[Call]] = {}
    for storage in program.storages():
        if storage.kind != "constant" or not storage.written:
            continue
        source = Storage("constant", storage.initial)
        source.initial = storage.initial
        whole = region(source, storage.initial)
        storage.kind = "temporary"
        first = analysis.first_use(storage) or 0
        section = program.calls[first].section
        fill = Call(Operation.COPY, None, (whole,), {}, [], out=storage.whole, section=section)
        fresh.setdefault(first, []).append(fill)
    calls = enumerate(program.calls)
    program.calls[:] = [new for place, call in calls for new in (*fresh.get(place, ()), call)]
    return sum(len(fills) for fills in fresh.values())


def fold_constants(program: Program) -> int:
    """Run calls on constants now, and simplify arithmetic with uniform ones; return how many.

    ``x · 1`` and ``x + 0`` with the right shape and dtype are ``x``; a constant array of one
    repeated number is read as a 0-d array.
    """
    analysis = analysed(program)
    written, own = analysis.writers, analysis.outputs
    replaced: dict[Storage, Storage] = {}
    kept = []
    for call in program.calls:
        if replaced:
            rewrite(call, replaced)
        if _is_constant(call, written):
            _run(call)
            continue
        _shrink_uniform(call)
        source = _identity(call)
        if source is not None and source.is_whole and source.storage.kind == "temporary":
            result = call.results[0].storage
            if result not in written and result not in own and source.storage not in written:
                replaced[result] = source.storage
                continue
        kept.append(call)
    folded = len(program.calls) - len(kept)
    program.calls[:] = kept
    program.analysis = None  # operands are changed that nobody counts
    return folded


def contents(value: Region):
    """Return the array of a region of a constant."""
    storage = value.storage
    initial = storage.initial if storage.initial is not None else storage.root
    if value is storage.whole:
        return initial
    if type(value.cut) is Given and storage.initial is None:
        return value.cut.array
    if repeats(initial):
        if value.dtype == initial.dtype:
            return np.broadcast_to(initial[(0,) * initial.ndim], value.shape)
        initial = initial.copy()
    return window(initial, value.offset, value)


def _is_constant(call: Call, written) -> bool:
    if call.effect or call.touches() or not call.results or call.operation is Operation.NUMBER:
        return False
    if any(v.size * v.dtype.itemsize > LARGEST or v.storage in written for v in call.results):
        return False
    return _without_numbers(call.arguments) and all(
        value.storage.kind == "constant" and value.storage not in written for value in call.reads()
    )


def _without_numbers(tree) -> bool:
    if isinstance(tree, (tuple, list)):
        return all(_without_numbers(item) for item in tree)
    return not isinstance(tree, SymbolicNumber)


def _run(call: Call) -> None:
    arguments = map_values(call.arguments, contents)
    keywords = {key: map_values(item, contents) for key, item in call.keywords.items()}
    result = run(call, arguments, keywords)
    parts = result if isinstance(result, (tuple, list)) else [result]
    for value, part in zip(call.results, parts):
        storage = value.storage
        storage.kind = "constant"
        storage.root = storage.initial = np.asarray(part)


def run(call: Call, arguments, keywords):
    """Make the call on arrays."""
    operation, function = call.operation, call.function
    if operation is Operation.GET:
        return arguments[0][arguments[1]]
    if operation is Operation.ATTRIBUTE:
        return getattr(arguments[0], function)
    if operation is Operation.METHOD:
        return getattr(arguments[0], function)(*arguments[1:], **keywords)
    if operation in (Operation.FUNCTION, Operation.KERNEL):
        return function(*arguments, **keywords)
    return getattr(function, METHOD_NAMES[operation])(*arguments, **keywords)


def _shrink_uniform(call: Call) -> None:
    """Read a constant array of one repeated number as a 0-d array, where NumPy broadcasts it."""
    if call.operation is not Operation.UFUNC or call.function.signature:
        return
    target = call.out or call.results[0]
    for position, value in enumerate(call.arguments):
        if not isinstance(value, Region) or value.storage.kind != "constant" or value.shape == ():
            continue
        others = [
            v.shape for i, v in enumerate(call.arguments) if i != position and isinstance(v, Region)
        ]
        if target.shape not in others or not value.size or value.storage.written:
            continue
        arguments = list(call.arguments)
        arguments[position] = shrunk(value)
        call.arguments = tuple(arguments)


def shrunk(value: Any) -> Any:
    """Return a 0-d constant for one that is the same number everywhere, all else as it is."""
    if not isinstance(value, Region) or value.storage.kind != "constant":
        return value
    if value.storage.written or not value.size or value.shape == ():
        return value
    array = contents(value)
    first = array[(0,) * array.ndim]
    if (array == first).all() and not (first == 0 and np.signbit(array.real).any()):
        return constant(np.array(first))
    return value


def constant(array) -> Region:
    """Return the whole of a new constant."""
    storage = Storage("constant", array)
    storage.initial = array
    return region_at(storage, array.shape, array.dtype, array.strides, 0)


def _identity(call: Call) -> Region | None:
    """Return the operand that a call merely repeats: ``x · 1``, ``x / 1``."""
    if call.operation is not Operation.UFUNC or call.out:
        return None
    if call.function not in (np.multiply, np.divide):
        return None
    if len(call.arguments) != 2 or call.keywords:
        return None
    first, second = call.arguments
    pairs = [(first, second)] + ([(second, first)] if call.function is np.multiply else [])
    for operand, factor in pairs:
        if not isinstance(operand, Region) or not isinstance(factor, Region):
            continue
        result = call.results[0]
        if (
            factor.storage.kind == "constant"
            and factor.shape == ()
            and not factor.storage.written
            and contents(factor) == 1
            and operand.shape == result.shape
            and operand.strides == result.strides
            and operand.dtype == result.dtype
        ):
            return operand
    return None
