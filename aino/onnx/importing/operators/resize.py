"""Resizing: each axis has a matrix of weights, so that all modes are one product."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.onnx.importing.table import Floats, Ints, operator
from aino.ops.pointwise.choosing import where


def _coordinates(
    mode: str, size: int, new: int, scale: float, start: float, end: float
) -> np.ndarray:
    """Return where in an axis of ``size`` each element of the ``new`` one lies."""
    x = np.arange(new, dtype=np.float64)
    match mode:
        case "half_pixel":
            return (x + 0.5) / scale - 0.5
        case "half_pixel_symmetric":
            # What rounding the size has cut off is cut off at both ends alike.
            centre = size / 2 * (1 - new / (scale * size))
            return centre + (x + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
            return (x + 0.5) / scale - 0.5 if new > 1 else x * 0
        case "tf_half_pixel_for_nn":
            return (x + 0.5) / scale
        case "align_corners":
            # ONNX means the new size before it is rounded.
            whole = scale * size
            return x * ((size - 1) / (whole - 1)) if new > 1 and whole != 1 else x * 0
        case "asymmetric":
            return x / scale
        case "tf_crop_and_resize":
            if new > 1:
                return start * (size - 1) + x * ((end - start) * (size - 1) / (new - 1))
            return x + 0.5 * (start + end) * (size - 1)
    raise OnnxError(f"coordinate_transformation_mode {mode!r} is none that ONNX names")


def _nearest(x: np.ndarray, mode: str) -> np.ndarray:
    match mode:
        case "round_prefer_floor":
            return np.ceil(x - 0.5)
        case "round_prefer_ceil":
            return np.floor(x + 0.5)
        case "floor":
            return np.floor(x)
        case "ceil":
            return np.ceil(x)
    raise OnnxError(f"nearest_mode {mode!r} is none that ONNX names")


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Return the cubic kernel of Keys at a distance."""
    d = np.abs(distance)
    near = ((a + 2) * d - (a + 3)) * d * d + 1
    far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0))


def _weights(
    x: np.ndarray, size: int, mode: str, scale: float, a: float, antialias: int, exclude: int
) -> np.ndarray:
    """Return the matrix of an axis: one row of weights for each new element."""
    reach = 1 if mode == "linear" else 2
    shrink = min(scale, 1.0) if antialias else 1.0
    first = math.floor(-reach / shrink) + 1
    floor = np.floor(x)
    offsets = np.arange(first, 2 - first)
    distance = (offsets - (x - floor)[:, None]) * shrink
    weights = np.clip(1 - np.abs(distance), 0, 1) if mode == "linear" else _cubic(distance, a)
    places = floor[:, None].astype(np.int64) + offsets
    if exclude:
        weights = np.where((places < 0) | (places >= size), 0, weights)
    if exclude or antialias:
        weights = weights / weights.sum(1, keepdims=True)
    matrix = np.zeros((len(x), size))
    np.add.at(matrix, (np.arange(len(x))[:, None], np.clip(places, 0, size - 1)), weights)
    return matrix


def _sizes(
    shape: list[int],
    scales: list[float] | None,
    sizes: list[int] | None,
    policy: str,
    spans: list[float],
) -> tuple[list[int], list[float]]:
    """Return the new sizes of the axes and by what they are scaled."""
    if sizes:
        ratios = [new / size for new, size in zip(sizes, shape)]
        if policy == "stretch":
            return sizes, ratios
        scale = min(ratios) if policy == "not_larger" else max(ratios)
        return [math.floor(scale * size + 0.5) for size in shape], [scale] * len(shape)
    if not scales:
        raise OnnxError("neither scales nor sizes are given")
    new = [math.floor(size * span * scale) for size, span, scale in zip(shape, spans, scales)]
    return new, scales


@operator("Resize", 11, grows=True)
def resize(
    X: Tensor,
    roi: Floats | None = None,
    scales: Floats | None = None,
    sizes: Ints | None = None,
    *,
    antialias: int = 0,
    axes: list[int] | None = None,
    coordinate_transformation_mode: str = "asymmetric",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "floor",
) -> Tensor:
    chosen = list(range(X.ndim)) if axes is None else [axis % X.ndim for axis in axes]
    crops = coordinate_transformation_mode == "tf_crop_and_resize"
    count = len(chosen)
    begin, end = [0.0] * count, [1.0] * count
    if crops and roi:
        begin, end = roi[:count], roi[count:]
    spans = [b - a for a, b in zip(begin, end)]
    new, factors = _sizes(
        [X.shape[axis] for axis in chosen], scales, sizes, keep_aspect_ratio_policy, spans
    )
    y, outside = X, []
    for axis, length, factor, a, b in zip(chosen, new, factors, begin, end):
        size = X.shape[axis]
        if length == size and factor == 1 and not crops:
            continue
        x = _coordinates(coordinate_transformation_mode, size, length, factor, a, b)
        shape = [1] * X.ndim
        shape[axis] = length
        if crops:
            outside.append(((x < 0) | (x > size - 1)).reshape(shape))
        y = _along(y, axis, x, size, factor, mode, nearest_mode, cubic_coeff_a, antialias,
                   exclude_outside)  # fmt: skip
    if any(map(np.any, outside)):
        beyond: Any = outside[0]
        for more in outside[1:]:
            beyond = beyond | more
        y = where(Tensor(np.asarray(beyond)), Tensor(np.array(extrapolation_value, y.dtype)), y)
    return y


def _along(
    y: Tensor, axis: int, x: np.ndarray, size: int, scale: float, mode: str, nearest: str,
    a: float, antialias: int, exclude: int,
) -> Tensor:  # fmt: skip
    """Return a tensor that is resized along one axis."""
    if mode == "nearest":
        places = np.clip(_nearest(x, nearest), 0, size - 1).astype(np.int64)
        return y.index_select(axis, Tensor(places))
    if mode not in ("linear", "cubic"):
        raise OnnxError(f"the mode {mode!r} is none of nearest, linear and cubic")
    weights = _weights(x, size, mode, scale, a, antialias, exclude)
    dtype = y.dtype if y.dtype.kind == "f" else np.dtype(np.float32)
    moved = y.to(dtype).transpose(axis, -1).matmul(Tensor(weights.T.astype(dtype)))
    moved = moved.transpose(axis, -1)
    return moved if y.dtype.kind == "f" else moved.round().to(y.dtype)


@operator("Resize", 10, grows=True)
def former_resize(X: Tensor, scales: Floats, *, mode: str) -> Tensor:
    return resize(X, None, scales, mode=mode)


@operator("Upsample", 7, grows=True)
def upsample(X: Tensor, scales: Floats, *, mode: str) -> Tensor:
    return resize(X, None, scales, mode=mode)
