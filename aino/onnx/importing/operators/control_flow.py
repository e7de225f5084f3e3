"""Nodes that run graphs of their own, with Python's values: not within ``aino.compile``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.errors import OnnxError
from aino.onnx.importing.block import as_tensor
from aino.onnx.importing.table import Int, Value, operator
from aino.ops.shape.joining import stack

Body = Callable[..., list[Any]]


@operator("If")
def if_(cond: Int, *, then_branch: Body, else_branch: Body) -> tuple[Any, ...]:
    return tuple(then_branch() if cond else else_branch())


@operator("Loop")
def loop(
    M: Int | None = None, cond: Int | None = None, *v_initial: Value, body: Body, outputs: int
) -> tuple[Any, ...]:
    carried, scanned = list(v_initial), []
    going, turn = cond is None or bool(cond), 0
    while going and (M is None or turn < M):
        condition, *results = body(np.array(turn, np.int64), np.array(True), *carried)
        going = bool(condition.item())
        carried = results[: len(v_initial)]
        scanned.append(results[len(v_initial) :])
        turn += 1
    count = outputs - len(v_initial)
    return (*carried, *_stacked(scanned, count, [0] * count, [0] * count))


def _stacked(turns: list[list[Any]], count: int, axes: list[int], backward: list[int]) -> list[Any]:
    """Return what all turns gave, along a new axis for each."""
    if count and not turns:
        raise OnnxError("no turn is made, so that the shape of what turns give is not known")
    results = []
    for number in range(count):
        parts = [turn[number] for turn in turns]
        if isinstance(parts[0], list):
            raise OnnxError("what turns give is put together from tensors, not from sequences")
        results.append(stack(parts[::-1] if backward[number] else parts, axes[number]))
    return results


@operator("Scan", 9)
def scan(
    *initial_state_and_scan_inputs: Value,
    body: Body,
    num_scan_inputs: int,
    scan_input_axes: list[int] | None = None,
    scan_input_directions: list[int] | None = None,
    scan_output_axes: list[int] | None = None,
    scan_output_directions: list[int] | None = None,
    outputs: int,
) -> tuple[Any, ...]:
    given = [as_tensor(value) for value in initial_state_and_scan_inputs]
    states = given[: len(given) - num_scan_inputs]
    scanned = given[len(given) - num_scan_inputs :]
    axes = scan_input_axes or [0] * num_scan_inputs
    directions = scan_input_directions or [0] * num_scan_inputs
    parts = [
        x.flip(axis).unbind(axis) if direction else x.unbind(axis)
        for x, axis, direction in zip(scanned, axes, directions)
    ]
    turns = []
    for turn in zip(*parts):
        results = body(*states, *turn)
        turns.append(results[len(states) :])
        states = results[: len(states)]
    count = outputs - len(states)
    return (*states, *_stacked(turns, count, scan_output_axes or [0] * count,
                               scan_output_directions or [0] * count))  # fmt: skip


@operator("Scan", 8)
def former_scan(
    sequence_lens: Value,
    *initial_state_and_scan_inputs: Value,
    body: Body,
    num_scan_inputs: int,
    directions: list[int] | None = None,
    outputs: int,
) -> tuple[Any, ...]:
    if sequence_lens is not None:
        raise OnnxError("sequences of different lengths (the input sequence_lens) are not scanned")
    given = [as_tensor(value) for value in initial_state_and_scan_inputs]
    samples = [
        scan(
            *(value[number] for value in given), body=body, num_scan_inputs=num_scan_inputs,
            scan_input_directions=directions, outputs=outputs,
        )
        for number in range(given[0].shape[0])
    ]  # fmt: skip
    return tuple(stack(list(parts)) for parts in zip(*samples))
