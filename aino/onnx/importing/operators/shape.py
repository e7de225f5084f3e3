"""Operators that arrange, join, cut and repeat; those that make tensors; and shapes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.elements import dtype_of
from aino.onnx.importing.table import Int, Ints, Value, operator
from aino.ops.pointwise.choosing import where as choose
from aino.ops.shape.joining import cat


@operator("Identity")
def identity(input: Value) -> Any:
    return input


@operator("Shape", knows=True)
def shape(data: Value, *, start: int = 0, end: int | None = None) -> np.ndarray:
    return np.array(tuple(data.shape)[start:end], np.int64)


@operator("Size", knows=True)
def size(data: Value) -> np.ndarray:
    return np.array(math.prod(data.shape), np.int64)


@operator("Reshape", moves=True)
def reshape(data: Tensor, shape: Ints, *, allowzero: int = 0) -> Tensor:
    if not allowzero:
        shape = [size or data.shape[axis] for axis, size in enumerate(shape)]
    if -1 in shape and 0 in shape:
        raise OnnxError(f"a size of the shape {shape} could be any: another is 0")
    return data.reshape(shape)


@operator("Flatten", moves=True)
def flatten(input: Tensor, *, axis: int) -> Tensor:
    axis += input.ndim if axis < 0 else 0
    return input.reshape(math.prod(input.shape[:axis]), math.prod(input.shape[axis:]))


@operator("Squeeze", moves=True)
def squeeze(data: Tensor, axes: Ints | None = None) -> Tensor:
    if axes is None:
        return data.squeeze()
    chosen = {axis % data.ndim for axis in axes}
    if any(data.shape[axis] != 1 for axis in chosen):
        raise OnnxError(f"an axis of {axes} is not of size 1 in {tuple(data.shape)}")
    return data.reshape([size for axis, size in enumerate(data.shape) if axis not in chosen])


@operator("Unsqueeze", moves=True)
def unsqueeze(data: Tensor, axes: Ints) -> Tensor:
    ndim = data.ndim + len(axes)
    chosen = {axis + ndim if axis < 0 else axis for axis in axes}
    if len(chosen) != len(axes) or not all(0 <= axis < ndim for axis in chosen):
        raise OnnxError(f"{axes} are not axes of {ndim} dimensions, each once")
    sizes = iter(data.shape)
    return data.reshape([1 if axis in chosen else next(sizes) for axis in range(ndim)])


@operator("Transpose", moves=True)
def transpose(data: Tensor, *, perm: list[int] | None = None) -> Tensor:
    return data.permute(perm or range(data.ndim)[::-1])


@operator("Concat", moves=True)
def concat(*inputs: Tensor, axis: int = 1) -> Tensor:
    return cat(list(inputs), axis)


@operator("Split", moves=True)
def split(
    input: Tensor, split: Ints | None = None, *, axis: int = 0, num_outputs: int = 0, outputs: int
) -> tuple[Tensor, ...]:
    size = input.shape[axis]
    if split is None:
        part = -(-size // (num_outputs or outputs))
        starts = range(0, part * (num_outputs or outputs), part)
        split = [max(0, min(part, size - start)) for start in starts]
    if sum(split) != size:
        raise OnnxError(f"parts of {split} do not make an axis of {size}")
    return tuple(input.split(split, axis))


@operator("Slice", moves=True)
def slice_(
    data: Tensor, starts: Ints, ends: Ints, axes: Ints | None = None, steps: Ints | None = None
) -> Tensor:
    axes = list(range(len(starts))) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    cuts = [slice(None)] * data.ndim
    backward = []
    for start, end, axis, step in zip(starts, ends, axes, steps):
        axis %= data.ndim
        size = data.shape[axis]
        if step < 0:
            # What is taken backward is taken forward from the axis turned around.
            backward.append(axis)
            chosen = range(size)[slice(start, None if end < -size else end, step)]
            first = chosen[0] if chosen else 0
            cuts[axis] = slice(size - 1 - first, size - 1 - first + len(chosen) * -step, -step)
            if not chosen:
                cuts[axis] = slice(0, 0)
        else:
            cuts[axis] = slice(start, end, step)
    if backward:
        data = data.flip(backward)
    return data[tuple(cuts)]


@operator("Expand", moves=True, grows=True)
def expand(input: Tensor, shape: Ints) -> Tensor:
    return input.broadcast_to(np.broadcast_shapes(tuple(input.shape), tuple(shape)))


@operator("Tile", 6, moves=True, grows=True)
def tile(input: Tensor, repeats: Ints) -> Tensor:
    return input.tile(repeats)


@operator("Tile", moves=True, grows=True)
def former_tile(input: Tensor, tiles: Int, axis: Int) -> Tensor:
    return input.tile([tiles if place == axis else 1 for place in range(input.ndim)])


@operator("DepthToSpace", moves=True)
def depth_to_space(input: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = input.shape
    b = blocksize
    if mode == "DCR":
        x = input.reshape(n, b, b, c // (b * b), h, w).permute(0, 3, 4, 1, 5, 2)
    else:
        x = input.reshape(n, c // (b * b), b, b, h, w).permute(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // (b * b), h * b, w * b)


@operator("SpaceToDepth", moves=True)
def space_to_depth(input: Tensor, *, blocksize: int, mode: str = "DCR") -> Tensor:
    n, c, h, w = input.shape
    b = blocksize
    x = input.reshape(n, c, h // b, b, w // b, b)
    order = (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4)
    return x.permute(order).reshape(n, c * b * b, h // b, w // b)


@operator("Trilu", moves=True)
def trilu(input: Tensor, k: Int | None = None, *, upper: int) -> Tensor:
    return input.triu(k or 0) if upper else input.tril(k or 0)


@operator("Pad", 11, grows=True)
def pad(
    data: Tensor,
    pads: Ints,
    constant_value: Value = None,
    axes: Ints | None = None,
    *,
    mode: str = "constant",
    value: float = 0.0,
) -> Tensor:
    chosen = list(range(data.ndim)) if axes is None else [axis % data.ndim for axis in axes]
    count = len(chosen)
    x = data
    for axis, before, after in zip(chosen, pads[:count], pads[count:]):
        # A negative pad cuts.
        size = x.shape[axis]
        x = x.narrow(axis, max(0, -before), size + min(0, before) + min(0, after))
        before, after = max(0, before), max(0, after)
        if before or after:
            x = _padded(x, axis, before, after, mode, value, constant_value)
    return x


def _padded(
    x: Tensor, axis: int, before: int, after: int, mode: str, value: float, filled: Any
) -> Tensor:
    """Return a tensor with more at both ends of an axis."""
    size = x.shape[axis]
    if mode != "constant":
        kind = {"edge": "edge", "reflect": "reflect", "wrap": "wrap"}.get(mode)
        if kind is None:
            raise OnnxError(f"the mode {mode!r} is none of constant, edge, reflect and wrap")
        places = np.pad(np.arange(size), (before, after), kind)  # type: ignore[call-overload]
        return x.index_select(axis, Tensor(places))
    shape = list(x.shape)
    parts = [x]
    fill = value if filled is None else filled
    for length, end in ((before, 0), (after, 2)):
        if length:
            shape[axis] = length
            parts.insert(end, _full(shape, fill, x.dtype))
    return cat(parts, axis)


def _full(shape: list[int], fill: Any, dtype: np.dtype) -> Tensor:
    if isinstance(fill, Tensor):
        return fill.to(dtype).reshape([1] * len(shape)).broadcast_to(shape)
    return Tensor(np.full(shape, np.asarray(fill).reshape(()), dtype))


@operator("Pad", 2, grows=True)
def former_pad(data: Tensor, *, pads: list[int], mode: str, value: float) -> Tensor:
    return pad(data, pads, mode=mode, value=value)


@operator("ConstantOfShape", grows=True)
def constant_of_shape(input: Ints, *, value: np.ndarray | None = None) -> np.ndarray:
    if value is None:
        return np.zeros(input, np.float32)
    return np.full(input, value.reshape(()), value.dtype)


@operator("EyeLike", grows=True)
def eye_like(input: Tensor, *, dtype: int | None = None, k: int) -> np.ndarray:
    rows, columns = input.shape
    return np.eye(rows, columns, k, dtype_of(dtype) if dtype else input.dtype)


@operator("Range", grows=True)
def range_(start: Value, limit: Value, delta: Value) -> np.ndarray:
    dtype = start.dtype
    first, last, step = (part.item() for part in (start, limit, delta))
    count = max(0, math.ceil((last - first) / step))
    return (np.arange(count) * step + first).astype(dtype)


@operator("OneHot", grows=True)
def one_hot(indices: Tensor, depth: Int, values: Tensor, *, axis: int) -> Tensor:
    count = int(depth)
    places = indices.to("int64").remainder(count) if count else indices
    axis += indices.ndim + 1 if axis < 0 else 0
    inside = (indices >= -count).logical_and(indices < count).unsqueeze(axis)
    shape = [1] * (indices.ndim + 1)
    shape[axis] = count
    hot = places.unsqueeze(axis).eq(Tensor(np.arange(count).reshape(shape))).logical_and(inside)
    return choose(hot, values[1], values[0])


@operator("Where", moves=True)
def where(condition: Tensor, X: Tensor, Y: Tensor) -> Tensor:
    return choose(condition, X, Y)


@operator("CenterCropPad", grows=True)
def center_crop_pad(input_data: Tensor, shape: Ints, *, axes: list[int] | None = None) -> Tensor:
    x = input_data
    for axis, size in zip(range(x.ndim) if axes is None else axes, shape):
        held = x.shape[axis]
        if held > size:
            x = x.narrow(axis, (held - size) // 2, size)
        elif held < size:
            before = (size - held) // 2
            x = _padded(x, axis % x.ndim, before, size - held - before, "constant", 0.0, None)
    return x
