"""Arrays that a program has from outside: as they are, or as a rule where lengths are dynamic."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.compiler.ir.regions import Given, Region
from aino.onnx.errors import OnnxExporterError
from aino.onnx.exporting.sizes import Size


def array_of(region: Region) -> np.ndarray:
    """Return what a region from outside holds when a program begins."""
    storage = region.storage
    if type(region.cut) is Given:
        return region.cut.array
    return storage.initial if storage.initial is not None else storage.root


def constant_of(graph: Any, arrays: list[np.ndarray], shape: tuple) -> str:
    """Return the name of a constant that is made alike for all lengths."""
    first = arrays[0]
    if not any(isinstance(length, Size) for length in shape):
        same = all(
            np.array_equal(array, first, equal_nan=first.dtype.kind in "fc") for array in arrays
        )
        return graph.constant(first, first.dtype) if same else _number(graph, arrays, shape)
    if first.size and all((array == first.flat[0]).all() for array in arrays):
        number = graph.constant(first.flat[0], first.dtype)
        return graph.shared("Expand", [number, graph.ints(shape)])
    return _rising(graph, arrays, shape)


def _number(graph: Any, arrays: list[np.ndarray], shape: tuple) -> str:
    """Return an array that holds one number, which follows from the dynamic dimensions."""
    numbers = [array.flat[0].item() for array in arrays]
    whole = all(number == int(number) for number in numbers)
    if whole and all((array == array.flat[0]).all() for array in arrays):
        length = graph.shared("Squeeze", [graph.length(Size(tuple(map(int, numbers))))])
        found = graph.cast(length, np.dtype(np.int64), arrays[0].dtype)
        return graph.expand(found, (), shape)
    raise OnnxExporterError(
        f"an array of shape {shape} that the function makes holds something else for other "
        "lengths of the dynamic dimensions; give them fixed lengths"
    )


def _rising(graph: Any, arrays: list[np.ndarray], shape: tuple) -> str:
    """Return an array that rises evenly along its one dynamic dimension, such as positions."""
    dynamic = [axis for axis, length in enumerate(shape) if isinstance(length, Size)]
    if len(dynamic) == 1 and arrays[0].dtype.kind in "if":
        axis = dynamic[0]
        longest = max(arrays, key=lambda array: array.shape[axis])
        row = np.take(longest, [0], axis)
        step = np.take(longest, [1], axis) - row
        for array in arrays:
            count = np.arange(array.shape[axis], dtype=array.dtype)
            counted = count.reshape([-1 if i == axis else 1 for i in range(array.ndim)])
            if not np.array_equal(array, row + counted * step):
                break
        else:
            dtype = longest.dtype
            wide = np.dtype(np.int64)
            zero, one = graph.constant(0, wide), graph.constant(1, wide)
            length = graph.shared("Squeeze", [graph.length(shape[axis])])
            found = graph.shared("Range", [zero, length, one])
            found = graph.cast(found, wide, dtype)
            if longest.ndim > 1:
                to = [-1 if i == axis else 1 for i in range(longest.ndim)]
                found = graph.shared("Reshape", [found, graph.constant(to, wide)])
            if not (step == 1).all():
                found = graph.shared(
                    "Mul", [found, graph.constant(step if longest.ndim > 1 else step[0], dtype)]
                )
            if row.any():
                found = graph.shared(
                    "Add", [found, graph.constant(row if longest.ndim > 1 else row[0], dtype)]
                )
            return found
    raise OnnxExporterError(
        "an array that the function makes depends on the dynamic dimensions in no simple way "
        f"(shapes {' and '.join(str(array.shape) for array in arrays[:2])}); give them fixed "
        "lengths, or compute it by operations on tensors"
    )
