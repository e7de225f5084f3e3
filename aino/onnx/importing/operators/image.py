"""Images: sampling at places, regions of interest, deformed convolutions, columns."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor
from aino.errors import OnnxError
from aino.nn import functional as F
from aino.onnx.importing.block import without_history
from aino.onnx.importing.operators.windows import padded, window
from aino.onnx.importing.table import Float, Int, Ints, Plain, Value, operator
from aino.ops.shape.joining import cat, stack

_SAMPLING = {
    "linear": "bilinear", "bilinear": "bilinear", "nearest": "nearest", "cubic": "bicubic",
    "bicubic": "bicubic",
}  # fmt: skip


@operator("GridSample")
def grid_sample(
    X: Tensor, grid: Tensor, *, align_corners: int, mode: str, padding_mode: str
) -> Tensor:
    return F.grid_sample(X, grid, _SAMPLING[mode], padding_mode, bool(align_corners))


@operator("Col2Im", grows=True)
def col2im(
    input: Tensor,
    image_shape: Ints,
    block_shape: Ints,
    *,
    dilations: list[int] | None = None,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    strides, dilations, ends, windows = window(
        image_shape, block_shape, strides, dilations, pads, "NOTSET"
    )
    sizes = [size + before + after for size, (before, after) in zip(image_shape, ends)]
    place: Any = np.zeros((1, 1), np.int64)
    for length, k, d, s, n in zip(sizes, block_shape, dilations, strides, windows):
        along = np.arange(k)[:, None] * d + np.arange(n) * s
        # The places in a block, all together, come before the blocks.
        rows, columns = place.shape
        place = place.reshape(rows, 1, columns, 1) * length + along.reshape(1, k, 1, n)
        place = place.reshape(rows * k, columns * n)
    batch, block = input.shape[0], math.prod(block_shape)
    blocks = input.reshape(batch, -1, block * math.prod(windows))
    image = Tensor(np.zeros((batch, blocks.shape[1], math.prod(sizes)), input.dtype))
    image = image.index_add(2, Tensor(place.reshape(-1)), blocks)
    image = image.reshape(batch, -1, *sizes)
    return padded(image, [(-before, -after) for before, after in ends])


def _sampled(image: Tensor, y: Tensor, x: Tensor) -> Tensor:
    """Return an image between its elements, at one place for each of a map; outside it is zero."""
    n, channels, height, width = image.shape
    flat = image.reshape(n, channels, -1)
    top, left = y.detach().floor(), x.detach().floor()
    total: Any = None
    for row in (top, top + 1):
        for column in (left, left + 1):
            inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
            weight = (1 - (y - row).abs()) * (1 - (x - column).abs()) * inside
            place = (row.clamp(0, height - 1) * width + column.clamp(0, width - 1)).to("int64")
            place = place.reshape(n, 1, -1).broadcast_to((n, channels, place[0].numel()))
            part = flat.gather(2, place).reshape(n, channels, *y.shape[1:]) * weight.unsqueeze(1)
            total = part if total is None else total + part
    return total


@operator("DeformConv")
def deform_conv(
    X: Tensor,
    W: Tensor,
    offset: Tensor,
    B: Tensor | None = None,
    mask: Tensor | None = None,
    *,
    dilations: list[int] | None = None,
    group: int,
    kernel_shape: list[int] | None = None,
    offset_group: int,
    pads: list[int] | None = None,
    strides: list[int] | None = None,
) -> Tensor:
    if X.ndim != 4:
        raise OnnxError(f"a deformed convolution of images, not of {tuple(X.shape)}")
    n, channels, height, width = X.shape
    kernel = list(W.shape[2:])
    strides, dilations, ends, (rows, columns) = window(
        [height, width], kernel, strides, dilations, pads, "NOTSET"
    )
    count = math.prod(kernel)
    offset = offset.reshape(n, offset_group, count, 2, rows, columns)
    weights = None if mask is None else mask.reshape(n, offset_group, count, 1, rows, columns)
    share = channels // offset_group
    parts = []
    for number in range(offset_group):
        image = X[:, number * share : (number + 1) * share]
        taken = []
        for place, (i, j) in enumerate(itertools.product(*map(range, kernel))):
            y = np.arange(rows).reshape(-1, 1) * strides[0] - ends[0][0] + i * dilations[0]
            x = np.arange(columns) * strides[1] - ends[1][0] + j * dilations[1]
            moved = offset[:, number, place]
            at_y = moved[:, 0] + Tensor(y.astype(X.dtype))
            at_x = moved[:, 1] + Tensor(x.astype(X.dtype))
            sampled = _sampled(image, at_y, at_x)
            taken.append(sampled if weights is None else sampled * weights[:, number, place])
        parts.append(stack(taken, 2))
    patches = cat(parts, 1).reshape(n, group, channels // group * count, rows * columns)
    kernels = W.reshape(group, W.shape[0] // group, -1)
    result = kernels.matmul(patches).reshape(n, W.shape[0], rows, columns)
    return result if B is None else result + B.reshape(1, -1, 1, 1)


def _corners(x: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for places on an axis the two nearest elements and their weights."""
    inside = (x >= -1) & (x <= size)
    x = np.clip(x, 0, size - 1)
    low = np.floor(x).astype(np.int64)
    high = np.minimum(low + 1, size - 1)
    upper = x - low
    return low, high, (1 - upper) * inside, upper * inside


def _align(
    X: Tensor, rois: Any, batch_indices: np.ndarray, size: tuple[int, int], ratio: int,
    scale: float, shift: float, smallest: float, mode: str,
) -> Tensor:  # fmt: skip
    boxes = without_history(rois).astype(np.float64) * scale - shift
    height, width = X.shape[2:]
    results = []
    for box, number in zip(boxes, batch_indices):
        axes = []
        for start, end, bins, length in (
            (box[1], box[3], size[0], height), (box[0], box[2], size[1], width),
        ):  # fmt: skip
            span = max(end - start, smallest) / bins
            samples = ratio or max(1, math.ceil(span))
            step = (np.arange(samples) + 0.5) / samples
            at = start + (np.arange(bins)[:, None] + step) * span
            axes.append((samples, _corners(at.reshape(-1), length)))
        (n_y, ys), (n_x, xs) = axes
        image = X[int(number)]
        products = [
            image.index_select(1, Tensor(ys[i])).index_select(2, Tensor(xs[j]))
            * Tensor(np.outer(ys[2 + i], xs[2 + j]).astype(X.dtype))
            for i in range(2)
            for j in range(2)
        ]
        shape = (X.shape[1], size[0], n_y, size[1], n_x)
        if mode == "avg":
            total = products[0] + products[1] + products[2] + products[3]
            results.append(total.reshape(shape).mean((2, 4)))
        else:
            results.append(stack(products).amax(0).reshape(shape).amax((2, 4)))
    if not results:
        return Tensor(np.zeros((0, X.shape[1], *size), X.dtype))
    return stack(results)


@operator("RoiAlign", 16, buffers=(1,))
def roi_align(
    X: Tensor,
    rois: Value,
    batch_indices: Plain,
    *,
    coordinate_transformation_mode: str,
    mode: str,
    output_height: int,
    output_width: int,
    sampling_ratio: int,
    spatial_scale: float,
) -> Tensor:
    half = coordinate_transformation_mode == "half_pixel"
    return _align(
        X, rois, batch_indices, (output_height, output_width), sampling_ratio, spatial_scale,
        0.5 if half else 0.0, -math.inf if half else 1.0, mode,
    )  # fmt: skip


@operator("RoiAlign", 10, buffers=(1,))
def former_roi_align(
    X: Tensor,
    rois: Value,
    batch_indices: Plain,
    *,
    mode: str,
    output_height: int,
    output_width: int,
    sampling_ratio: int,
    spatial_scale: float,
) -> Tensor:
    size = output_height, output_width
    return _align(X, rois, batch_indices, size, sampling_ratio, spatial_scale, 0.0, 1.0, mode)


def _edges(boxes: np.ndarray, centred: int) -> np.ndarray:
    """Return boxes as the smaller and the larger coordinate of each of the two axes."""
    if centred:
        middle, half = boxes[:, :2], boxes[:, 2:] / 2
        return np.concatenate([middle - half, middle + half], 1)
    low, high = np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])
    return np.concatenate([low, high], 1)


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the shared area over the whole area of a box and others."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.clip(high - low, 0, None).prod(1)
    area = (others[:, 2:] - others[:, :2]).prod(1) + (box[2:] - box[:2]).prod()
    return shared / np.where(area > shared, area - shared, 1)


@operator("NonMaxSuppression")
def non_max_suppression(
    boxes: Plain,
    scores: Plain,
    max_output_boxes_per_class: Int | None = None,
    iou_threshold: Float | None = None,
    score_threshold: Float | None = None,
    *,
    center_point_box: int,
) -> np.ndarray:
    selected = []
    most = max_output_boxes_per_class or 0
    for image, (own, classes) in enumerate(zip(boxes, scores)):
        edges = _edges(own.astype(np.float64), center_point_box)
        for number, score in enumerate(classes):
            left = np.argsort(-score, kind="stable")
            if score_threshold is not None:
                left = left[score[left] > score_threshold]
            chosen: list[int] = []
            while len(left) and len(chosen) < most:
                best, left = left[0], left[1:]
                chosen.append(best)
                left = left[_overlap(edges[best], edges[left]) <= (iou_threshold or 0.0)]
            selected += [[image, number, place] for place in chosen]
    return np.array(selected, np.int64).reshape(-1, 3)
