"""Sequences, which are Python lists here, and optionals, which are a value or None."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.table import Int, Value, operator
from aino.ops.shape.joining import cat, stack


@operator("SequenceEmpty")
def sequence_empty(*, dtype: int = 1) -> list:
    return []


@operator("SequenceConstruct")
def sequence_construct(*inputs: Value) -> list:
    return list(inputs)


@operator("SequenceLength")
def sequence_length(input_sequence: Value) -> np.ndarray:
    return np.array(len(input_sequence), np.int64)


def _place(position: int | None, count: int, most: int) -> int:
    position = count if position is None else int(position)
    if not -count <= position <= most:
        raise OnnxError(f"the place {position} is not in a sequence of {count}")
    return position + count if position < 0 else position


@operator("SequenceAt")
def sequence_at(input_sequence: Value, position: Int) -> Any:
    count = len(input_sequence)
    return input_sequence[_place(position, count, count - 1)]


@operator("SequenceInsert")
def sequence_insert(input_sequence: Value, tensor: Value, position: Int | None = None) -> list:
    count = len(input_sequence)
    place = _place(position, count, count)
    return [*input_sequence[:place], tensor, *input_sequence[place:]]


@operator("SequenceErase")
def sequence_erase(input_sequence: Value, position: Int | None = None) -> list:
    count = len(input_sequence)
    place = _place(-1 if position is None else position, count, count - 1)
    return [*input_sequence[:place], *input_sequence[place + 1 :]]


@operator("ConcatFromSequence")
def concat_from_sequence(input_sequence: Value, *, axis: int, new_axis: int) -> Tensor:
    return stack(input_sequence, axis) if new_axis else cat(input_sequence, axis)


@operator("SplitToSequence")
def split_to_sequence(
    input: Value, split: Value = None, *, axis: int = 0, keepdims: int = 1
) -> list:
    x = Tensor(input) if isinstance(input, np.ndarray) else input
    if split is None:
        parts = x.split(1, axis)
        return list(parts) if keepdims else [part.squeeze(axis) for part in parts]
    sizes = split.tolist()
    return list(x.split(sizes, axis))


@operator("SequenceMap")
def sequence_map(
    input_sequence: Value, *additional_inputs: Value, body: Callable[..., list], outputs: int
) -> tuple[list, ...]:
    results = [
        body(part, *(more[place] if isinstance(more, list) else more for more in additional_inputs))
        for place, part in enumerate(input_sequence)
    ]
    return tuple([result[number] for result in results] for number in range(outputs))


@operator("Optional")
def optional(input: Value = None, *, type: Any = None) -> Any:
    return input


@operator("OptionalGetElement")
def optional_get_element(input: Value) -> Any:
    if input is None:
        raise OnnxError("the optional value that is asked for is not there")
    return input


@operator("OptionalHasElement")
def optional_has_element(input: Value = None) -> np.ndarray:
    return np.array(input is not None)
