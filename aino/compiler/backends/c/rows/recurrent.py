"""Recurrent layers: one call for each layer, direction and sample, over all steps."""

from __future__ import annotations

from typing import Any

from aino.compiler.backends.c.builder import Builder, in_shape, part
from aino.compiler.backends.c.statements import Matrix, Moving
from aino.compiler.backends.c.table import DeclinedError, RefusedError, whole
from aino.compiler.ir.regions import Region, is_contiguous
from aino.nn.functional import recurrent

#: How many gates each has, and how many numbers of memory for one element of the state.
_GATES = {"lstm": (4, 4), "gru": (3, 6), "rnn_tanh": (1, 1), "rnn_relu": (1, 1)}


@whole(recurrent.over_sequence)
def _over_sequence(
    c: Builder, name: str, input: Any, states: Any, weights: Any, batch_first: bool,
    settings: Any, result: Any,
) -> None:  # fmt: skip
    """Layers one after the other; those of both directions write beside one another."""
    layers, dropout, train, both = settings
    matrices = [x for group in weights for x in group if x is not None]
    if (dropout and train and layers > 1) or not all(c.is_known(x) for x in matrices):
        raise DeclinedError
    if name == "lstm" and any(group[4:] != [None] for group in weights):
        raise RefusedError("an LSTM with a projection (proj_size)")
    if input.dtype.kind != "f" or any(x.dtype != input.dtype for x in (*states, *matrices)):
        raise DeclinedError
    y, *ends = result
    directions = 2 if both else 1
    hidden = weights[0][1].shape[1]
    # What is left of the states is where they are brought forward, step by step.
    running = [end if is_contiguous(end) else c.new(end.shape, end.dtype) for end in ends]
    for state, end in zip(states, running):
        c.copy(state, end, "the states that it begins with")
    x = input if _has_rows(input) else c.rows(input)
    memory = c.new((_GATES[name][1] * hidden,), input.dtype)
    for layer in range(layers):
        last = layer == layers - 1
        rows = (*input.shape[:2], directions * hidden)
        out = c.new(rows, input.dtype) if not last else y if _has_rows(y) else c.filled(y)
        for direction in range(directions):
            place = layer * directions + direction
            own = [part(end, (place, 0, 0), (1, *end.shape[1:])) for end in running]
            _direction(c, name, x, own, weights[place], out, direction, memory, batch_first)
        x = out
    c.settle(x, y)
    for end, target in zip(running, ends):
        c.settle(end, target)


def _direction(
    c: Builder, name: str, x: Region, states: list, weights: Any, y: Region, direction: int,
    memory: Region, batch_first: bool,
) -> None:  # fmt: skip
    """One layer in one direction, for all samples."""
    w, u = (c.rows(one) for one in weights[:2])
    biases = [None if one is None else c.rows(one) for one in weights[2:4]]
    hidden, features = u.shape[1], w.shape[1]
    batch, steps = (0, 1) if batch_first else (1, 0)
    size = x.dtype.itemsize
    x_step, y_step = (value.strides[steps] // size for value in (x, y))
    samples = x.shape[batch]
    turned = [_by_sample(value, batch) for value in (x, y)]
    rows = [turned[0], _moved(turned[1], direction * hidden)]
    own = [part(state, (0, 0, 0), (1, *state.shape[1:])) for state in states]
    own = [_by_sample(state, 1) for state in own]
    length = x.shape[steps]
    way = ", backwards" if direction else ""
    kind = name.split("_")[0].upper()
    note = f"{kind}, {features} -> {hidden}, {length} steps{way}"
    given = [Moving(rows[0]), x_step, Matrix(w), Matrix(u), *biases, *map(Moving, own), memory,
             Moving(rows[1]), y_step, length, features, hidden, int(bool(direction))]  # fmt: skip
    kinds = {"rnn_tanh": ["0"], "rnn_relu": ["1"]}
    reads = [x, w, u, *[b for b in biases if b is not None], *states, memory]
    c.call("rnn" if name in kinds else name, x.dtype, [*given, *kinds.get(name, [])], reads,
           [y, *states, memory], note, loops=[samples])  # fmt: skip


def _has_rows(value: Region) -> bool:
    """Tell whether the numbers of a step lie beside one another."""
    return value.strides[-1] == value.dtype.itemsize


def _by_sample(value: Region, axis: int) -> Region:
    """Return a region with the axis of its samples first."""
    order = [axis, *[i for i in range(value.ndim) if i != axis]]
    return in_shape(value, [value.shape[i] for i in order], [value.strides[i] for i in order])


def _moved(value: Region, elements: int) -> Region:
    """Return a region without its first elements along the last axis."""
    starts = [0] * (value.ndim - 1) + [elements]
    return part(value, starts, (*value.shape[:-1], value.shape[-1] - elements))
