"""What each initializer is to a module, and what is computed once, when the model is loaded.

An initializer that says *how* to compute (a shape, axes, the places to gather dimensions from) is
part of the graph. Of the others those with floating elements are parameters, unless a row names
them as buffers, and the rest are buffers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.onnx.importing.block import Block, Running, Step
from aino.onnx.importing.elements import is_foreign
from aino.onnx.importing.table import STRUCTURE

_MOST_FOLDED = 4096


def kinds_of(block: Block, initial: dict[int, tuple[str, np.ndarray]]) -> dict[int, str]:
    """Return for each initializer what it is: ``constant``, ``parameter`` or ``buffer``.

    Arguments:
        block: the graph.
        initial: names and values of the initializers by their numbers.
    """
    uses = _uses(block, set(initial))
    kinds = {}
    for number, (_, array) in initial.items():
        floating = array.dtype.kind in "fc"
        structural = number in uses.structure and not (floating and number in uses.data)
        if is_foreign(array) or structural:
            kinds[number] = "constant"
        elif floating and number not in uses.buffers:
            kinds[number] = "parameter"
        else:
            kinds[number] = "buffer"
    return kinds


class _Uses:
    """What the values of a block are used for: as structure, as data, as buffers."""

    def __init__(self) -> None:
        self.structure: set[int] = set()
        self.data: set[int] = set()
        self.buffers: set[int] = set()


def _blocks(step: Step) -> list[Block]:
    return [value for value in step.attributes.values() if type(value) is Block]


def _uses(block: Block, still: set[int]) -> _Uses:
    """Follow structure back from where it is read, through what data has no part in.

    Arguments:
        block: a graph.
        still: its values that are the same at each call: initializers.
    """
    still = still | set(block.constants)
    quiet = []
    for step in block.steps:
        own = [number for number in step.inputs if number is not None]
        silent = not step.row.random and not _blocks(step) and still.issuperset(own)
        quiet.append(silent)
        if silent or step.row.knows:
            still.update(number for number in step.outputs if number is not None)
    found = _Uses()
    for step, silent in zip(reversed(block.steps), reversed(quiet)):
        asked = any(number in found.structure for number in step.outputs)
        for place, (number, way) in enumerate(zip(step.inputs, step.ways)):
            if number is None:
                continue
            if way in STRUCTURE or (asked and silent and not step.row.knows):
                found.structure.add(number)
            else:
                found.data.add(number)
            if place in step.row.buffers:
                found.buffers.add(number)
        for inner in _blocks(step):
            inside = _uses(inner, {inner.captured[n] for n in inner.captured if n in still})
            for outer, number in inner.captured.items():
                for mine, theirs in zip(
                    (found.structure, found.data, found.buffers),
                    (inside.structure, inside.data, inside.buffers),
                ):
                    if number in theirs:
                        mine.add(outer)
    return found


def settle(block: Block, names: dict[int, str], known: set[int] | None = None) -> None:
    """Compute what is constant, and note which nodes are known before the data is.

    Arguments:
        block: the graph, whose constants are in it; it is changed.
        names: the parameters and buffers by their numbers.
        known: the values that are captured and known.
    """
    known = set(block.constants) | (known or set())
    steps = []
    for step in block.steps:
        own = [number for number in step.inputs if number is not None]
        step.known = not step.row.random and not _blocks(step) and known.issuperset(own)
        step.held = {
            place: names[number] for place, number in enumerate(step.inputs) if number in names
        }
        if step.known or step.row.knows:
            known.update(number for number in step.outputs if number is not None)
        for inner in _blocks(step):
            _settle_inside(inner, block, names, known)
        if not (step.known and not step.row.grows and _fold(step, block.constants)):
            steps.append(step)
    block.steps = steps


def _settle_inside(inner: Block, block: Block, names: dict[int, str], known: set[int]) -> None:
    """Settle a graph within another: what is constant around it is so in it."""
    for outer, number in list(inner.captured.items()):
        if outer in block.constants:
            inner.constants[number] = block.constants[outer]
            del inner.captured[outer]
    inside = {number: names[outer] for outer, number in inner.captured.items() if outer in names}
    settle(inner, inside, {n for outer, n in inner.captured.items() if outer in known})


def _fold(step: Step, constants: dict[int, Any]) -> bool:
    """Compute a node of small constants; False where that is for each call to do."""
    own = [number for number in step.inputs if number is not None]
    if not all(number in constants for number in own):
        return False
    values = {number: constants[number] for number in own}
    if sum(_size(value) for value in values.values()) > _MOST_FOLDED:
        return False
    room: list[Any] = [None] * (1 + max([*own, *(n for n in step.outputs if n is not None)]))
    for number, value in values.items():
        room[number] = value
    try:
        step.run(room, Running(False))
    except Exception:
        return False  # it is the call that fails, if it comes to this node
    constants.update({number: room[number] for number in step.outputs if number is not None})
    return True


def _size(value: Any) -> int:
    if isinstance(value, list):
        return sum(map(_size, value))
    return value.size if isinstance(value, np.ndarray) else 0
