"""Images and volumes sampled at places that are given: ``grid_sample``, ``affine_grid``.

Source: Jaderberg et al., "Spatial transformer networks", 2015.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from aino.autograd.primitive import unmoved
from aino.autograd.rules.compare import masked, where
from aino.autograd.rules.index import take
from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.resampling_weights import cubic_weights
from aino.ops.shape.joining import stack

__all__ = ["affine_grid", "grid_sample"]

_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sample(
    input: Tensor, grid: Tensor, mode: str = "bilinear", padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return the input at the places that a grid names, between -1 and 1 in each dimension.

    It can be differentiated for both, any number of times; at a place that has no slope, where
    the element that is nearest changes, the slope is 0. Raises ``ShapeError`` for shapes that do
    not fit together, ``ValueError`` for a mode that is not there.

    Arguments:
        input: a tensor (N, C, H, W) or (N, C, D, H, W).
        grid: the places (N, height, width, 2) or (N, depth, height, width, 3), the last
            dimension of the input first: x, y, z.
        mode: "bilinear", which is trilinear for volumes, "nearest", or "bicubic" of images.
        padding_mode: what is beyond the edges: "zeros", "border" for the outermost elements,
            "reflection" to mirror there.
        align_corners: -1 and 1 are the centers of the outermost elements, not their edges.

    Source: Jaderberg et al., "Spatial transformer networks", 2015.

    >>> import aino
    >>> x = aino.tensor([[[[1.0, 3.0]]]])
    >>> places = aino.tensor([[[[0.0, 0.0], [0.5, 0.0]]]])
    >>> aino.nn.functional.grid_sample(x, places, align_corners=True)
    tensor([[[[2.0000, 2.5000]]]])
    """
    _check(input, grid, mode, padding_mode)
    shape, places = input.array.shape, grid.array.shape
    n, batch, channels = len(shape) - 2, shape[0], shape[1]
    lengths, corners = shape[2:], bool(align_corners)
    count = math.prod(places[1:-1])
    coordinates = grid.reshape((batch * count, n))
    along = [
        _taps(coordinates[:, n - 1 - i], length, mode, padding_mode, corners)
        for i, length in enumerate(lengths)
    ]
    # Channels first: an index then serves all of them.
    flat = input.transpose(0, 1).reshape((channels, batch * math.prod(lengths)))
    sample = np.repeat(np.arange(batch), count)
    indices, weights = [], []
    for taps in itertools.product(*along):
        index: Any = sample
        weight: Any = None
        for length, (place, share) in zip(lengths, taps):
            index = index * length + place
            weight = share if weight is None else weight * share
        indices.append(index)
        weights.append(weight)
    y = (take(flat, np.stack(indices), 1, False) * stack(weights)).sum(1)
    return y.reshape((channels, batch, *places[1:-1])).transpose(0, 1).contiguous()


def _check(input: Any, grid: Any, mode: str, padding_mode: str) -> None:
    shape, places = input.array.shape, grid.array.shape
    if mode not in _MODES:
        raise ArgumentError(f"grid_sample: mode is one of {', '.join(_MODES)}, not {mode!r}")
    if padding_mode not in _PADDINGS:
        raise ArgumentError(
            f"grid_sample: padding_mode is one of {', '.join(_PADDINGS)}, not {padding_mode!r}"
        )
    if input.array.dtype.kind != "f" or grid.array.dtype != input.array.dtype:
        raise DtypeError(
            f"grid_sample: input and grid are of one floating dtype, not {input.array.dtype} and "
            f"{grid.array.dtype}"
        )
    if len(shape) not in (4, 5) or len(places) != len(shape):
        raise ShapeError(
            f"grid_sample takes an input (N, C, H, W) and a grid (N, height, width, 2), or both "
            f"with a depth, not {shape} and {places}"
        )
    if places[0] != shape[0] or places[-1] != len(shape) - 2:
        raise ShapeError(
            f"grid_sample: a grid for {shape} begins with {shape[0]} samples and ends with "
            f"{len(shape) - 2} coordinates, and its shape is {places}"
        )
    if 0 in shape[2:]:
        raise ShapeError(f"grid_sample: the input is not empty, and its shape is {shape}")
    if mode == "bicubic" and len(shape) == 5:
        raise ArgumentError("grid_sample: bicubic is for images, (N, C, H, W)")


def _taps(c: Any, length: int, mode: str, padding: str, corners: bool) -> list:
    """Return pairs of (elements, weights) along one axis, for coordinates in [-1, 1]."""
    x = (c + 1.0) * (0.5 * (length - 1)) if corners else ((c + 1.0) * length - 1.0) * 0.5
    if mode == "bicubic":
        first = np.floor(x.detach().array)
        weights = cubic_weights(x - make(first))
        return [
            _bounded(_inside_value(first + (k - 1.0), length, padding, corners), w, length)
            for k, w in enumerate(weights)
        ]
    x = _inside(x, length, padding, corners)
    if mode == "nearest":
        # The slope in the places is 0, not missing.
        places = np.rint(x.detach().array)
        return [_bounded(places, unmoved(make(np.ones_like(places)), x), length)]
    first = np.floor(x.detach().array)
    behind = x - make(first)
    return [
        _bounded(first, 1.0 - behind, length),
        _bounded(first + 1.0, behind, length),
    ]  # fmt: skip


def _bounded(places: Any, weight: Tensor, length: int) -> tuple[Any, Any]:
    """Return places as indices, and the weights with zeros where a place is beyond the edges."""
    inside = (places >= 0.0) & (places <= length - 1.0)
    index = np.where(inside, places, 0.0).astype(np.int64)
    # What is no number is nowhere, and neither is what is found there.
    return index, masked(weight, inside | (places != places))


def _inside(x: Tensor, length: int, padding: str, corners: bool) -> Tensor:
    """Return the places moved to where padding finds an element; the edge itself has no slope."""
    if padding == "zeros":
        return x
    if padding == "reflection":
        x = _reflected(x, length, corners)
    value = x.detach().array
    inside = (value > 0.0) & (value < length - 1.0)
    limits = np.where(value >= length - 1.0, length - 1.0, 0.0).astype(value.dtype)
    return where(inside, x, make(limits))


def _inside_value(x: Any, length: int, padding: str, corners: bool) -> Any:
    return _inside(make(x), length, padding, corners).array


def _reflected(x: Tensor, length: int, corners: bool) -> Tensor:
    """Return the places mirrored at both edges until they are between them."""
    low, high = (0.0, length - 1.0) if corners else (-0.5, length - 0.5)
    span = high - low
    if not span:
        return x * 0.0
    away = abs(x - low)
    turns = np.floor(away.detach().array / span)
    rest = away - make(turns * span)
    return where(turns % 2.0 == 0.0, rest, span - rest) + low


def affine_grid(theta: Tensor, size: Any, align_corners: bool | None = None) -> Tensor:
    """Return the places that affine maps take the elements of an output to, for ``grid_sample``.

    Raises ``ShapeError`` for maps or a size of another shape, ``ValueError`` for a length below 1.

    Arguments:
        theta: the maps (N, 2, 3), or (N, 3, 4) for volumes.
        size: the shape of the output, (N, C, H, W) or (N, C, D, H, W).
        align_corners: -1 and 1 are the centers of the outermost elements, not their edges.

    >>> import aino
    >>> aino.nn.functional.affine_grid(aino.eye(2, 3)[None], (1, 1, 1, 2), align_corners=True)
    tensor([[[[-1.,  0.],
              [ 1.,  0.]]]])
    """
    size = tuple([int(length) for length in size])
    n = len(size) - 2
    if theta.array.dtype.kind != "f":
        raise DtypeError(f"affine_grid: theta is of a floating dtype, not {theta.array.dtype}")
    if n not in (2, 3) or theta.array.shape != (size[0], n, n + 1):
        raise ShapeError(
            f"affine_grid takes theta (N, 2, 3) for a size (N, C, H, W), or (N, 3, 4) for "
            f"(N, C, D, H, W), not {theta.array.shape} and {size}"
        )
    if min(size) < 1:
        raise ArgumentError(f"affine_grid: lengths are at least 1, and the size is {size}")
    lengths, dtype = size[2:], theta.array.dtype
    base = np.ones((*lengths, n + 1), dtype)
    for i, length in enumerate(lengths):
        line = np.linspace(-1.0, 1.0, length) if length > 1 else np.zeros(1)
        if not align_corners:
            line = line * ((length - 1) / length)
        base[..., n - 1 - i] = line.reshape((-1,) + (1,) * (n - 1 - i))
    places = make(base.reshape((math.prod(lengths), n + 1))) @ theta.transpose(1, 2)
    return places.reshape((size[0], *lengths, n))
