"""Signals, images and volumes of another size: ``interpolate``, and its older names."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aino.autograd.rules.index import take
from aino.autograd.rules.pooling import window_spread
from aino.autograd.rules.resampling import bands_of, weighted
from aino.autograd.tensor import Tensor
from aino.errors import ArgumentError, DtypeError, ShapeError
from aino.nn.functional.adaptive_pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_avg_pool3d,
)
from aino.nn.functional.resampling_weights import ANTIALIASED, WEIGHTS, nearest_places
from aino.nn.functional.windows import check_dtype
from aino.user_warnings import warn

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_AREA = {1: adaptive_avg_pool1d, 2: adaptive_avg_pool2d, 3: adaptive_avg_pool3d}
#: The numbers of dimensions that each mode has.
_DIMENSIONS = {
    "nearest": (1, 2, 3), "nearest-exact": (1, 2, 3), "area": (1, 2, 3), "linear": (1,),
    "bilinear": (2,), "bicubic": (2,), "trilinear": (3,), "lanczos": (2,),
}  # fmt: skip


def _mode_of(input: Any, mode: str, align_corners: Any, antialias: bool) -> bool:
    """Return ``align_corners`` for a mode; raise where it does not fit the input."""
    if mode not in _DIMENSIONS:
        raise ArgumentError(f"interpolate: mode is one of {', '.join(_DIMENSIONS)}, not {mode!r}")
    if mode in ("nearest", "nearest-exact", "area") and align_corners is not None:
        raise ArgumentError(
            f"interpolate: align_corners is for linear and cubic modes, not for {mode!r}"
        )
    n = input.ndim - 2
    if antialias and not (mode in ("bilinear", "bicubic", "lanczos") and n == 2):
        raise ArgumentError(
            "interpolate: antialias is for bilinear, bicubic and lanczos modes of (N, C, H, W), "
            f"not for {mode!r} of shape {tuple(input.shape)}"
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ArgumentError("interpolate: lanczos takes antialias=True, and no align_corners")
    if n not in _DIMENSIONS[mode]:
        raise ShapeError(
            f"interpolate: mode {mode!r} takes {' or '.join(str(k + 2) for k in _DIMENSIONS[mode])}"
            f" dimensions, batch and channels first, not an input of shape {tuple(input.shape)}"
        )
    return bool(align_corners)


def _for_each(n: int, value: Any, what: str) -> list:
    """Return what is given for one dimension, or for each of them."""
    if not isinstance(value, (tuple, list)):
        return [value] * n
    if len(value) != n:
        raise ArgumentError(
            f"interpolate: {what} is one number or {n} of them, one for each dimension behind "
            f"batch and channels, not {value!r}"
        )
    return list(value)


def _sizes_of(input, size, scale_factor, recompute) -> tuple[list[int], list]:
    """Return the output's lengths, and the factors that say where its elements stand, or None."""
    n, lengths = input.ndim - 2, input.shape[2:]
    if (size is None) == (scale_factor is None):
        raise ArgumentError("interpolate: give one of size and scale_factor")
    if size is not None:
        if recompute:
            raise ArgumentError("interpolate: recompute_scale_factor is for a scale_factor")
        sizes = _for_each(n, size, "size")
        if not all(hasattr(length, "__index__") for length in sizes):
            raise DtypeError(f"interpolate: size is one integer or several, not {size!r}")
        return [int(length) for length in sizes], [None] * n
    factors = [float(factor) for factor in _for_each(n, scale_factor, "scale_factor")]
    sizes = [math.floor(length * factor) for length, factor in zip(lengths, factors)]
    return sizes, [None] * n if recompute else factors


def interpolate(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:  # fmt: skip
    """Return the input with other lengths behind batch and channels.

    Each element is a weighted sum of those that stand about its place in the input, one
    dimension after the other. Raises ``ValueError`` unless one of size and factor is given, and
    for a mode or an option that does not go with the rest, ``ShapeError`` for a mode that
    takes another number of dimensions.

    Arguments:
        input: a tensor (N, C, L), (N, C, H, W) or (N, C, D, H, W).
        size: the lengths of the output, one number for all or one for each.
        scale_factor: the same as factors of the input's lengths, which are rounded down.
        mode: "nearest" (which rounds places down), "nearest-exact", "linear" of signals,
            "bilinear", "bicubic" and "lanczos" of images, "trilinear" of volumes, or "area", the
            mean of what an element covers.
        align_corners: the outermost elements of both lie upon one another, not their edges.
        recompute_scale_factor: places follow from the rounded lengths instead of the factor.
        antialias: going down, weights cover as much of the input as an element does; images
            are then resampled as by Pillow.

    Source: Keys, "Cubic convolution interpolation for digital image processing", 1981.

    >>> import aino
    >>> x = aino.tensor([[[1.0, 3.0]]])
    >>> aino.nn.functional.interpolate(x, scale_factor=2)
    tensor([[[1., 1., 3., 3.]]])
    >>> aino.nn.functional.interpolate(x, 3, mode="linear", align_corners=True)
    tensor([[[1., 2., 3.]]])
    """
    corners = _mode_of(input, mode, align_corners, antialias)
    recompute = recompute_scale_factor or (mode == "area" and size is None)
    sizes, factors = _sizes_of(input, size, scale_factor, recompute)
    shape = input.array.shape
    if mode == "area":
        return _AREA[len(sizes)](input, tuple(sizes))
    if min(sizes) < 1 or 0 in shape[1:]:
        raise ShapeError(
            f"interpolate: lengths are at least 1, and an input of shape {shape} is to have {sizes}"
        )
    if mode in ("nearest", "nearest-exact"):
        check_dtype("interpolate", input, "fbiu")
        return _nearest(input, sizes, factors, mode == "nearest-exact")
    whole = input.array.dtype.name == "uint8"
    if not whole:
        check_dtype("interpolate", input, "f")
    make = functools.partial(_antialiased if antialias else _matrix, mode)
    y = input.float() if whole else input
    # The last axis first, in which the rows of an image lie together.
    for i in range(len(sizes) - 1, -1, -1):
        single = y.array.dtype.itemsize <= 4
        if antialias and sizes[i] == shape[i + 2]:
            continue
        weights, bands = make(shape[i + 2], sizes[i], corners, factors[i], single)
        y = weighted(y, weights, i - len(sizes), bands)
    return y.round().clamp(0, 255).to(np.uint8) if whole else y


def _nearest(input: Tensor, sizes, factors, exact: bool) -> Tensor:
    y, image, single = input, len(sizes) == 2, input.array.dtype.itemsize <= 4
    for i, (length, count) in enumerate(zip(input.array.shape[2:], sizes)):
        places = nearest_places(length, count, factors[i], exact, image, single)
        times = count // length
        if count == length and (places == np.arange(length)).all():
            continue
        if count == times * length and (places == np.arange(count) // times).all():
            y = window_spread(y, i + 2, times, times, 0, count)
        else:
            y = take(y, places, i + 2, False)
    return y if y is not input else y.clone()


@functools.lru_cache(maxsize=64)
def _matrix(mode, length, count, corners, factor, single) -> tuple[Any, tuple]:
    """Return the weights of a mode along one axis, and their bands."""
    places, weights = WEIGHTS[mode](length, count, corners, factor, single)
    matrix = np.zeros((count, length))
    np.add.at(matrix, (np.arange(count)[:, None], places), weights)
    return _constant(matrix, single)


@functools.lru_cache(maxsize=64)
def _antialiased(mode, length, count, corners, factor, single) -> tuple[Any, tuple]:
    return _constant(ANTIALIASED[mode](length, count, corners, factor), single)


def _constant(matrix, single) -> tuple[Any, tuple]:
    matrix = matrix.astype(np.float32 if single else np.float64)
    matrix.flags.writeable = False
    return matrix, (bands_of(matrix), bands_of(matrix.T))


def upsample(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None, mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:  # fmt: skip
    """Return ``interpolate`` of the same arguments, which is its name today.

    Arguments:
        input, size, scale_factor, mode, align_corners: as there.
    """
    warn("upsample is deprecated: use interpolate, which is the same")
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:  # fmt: skip
    """Return ``interpolate`` in its mode "nearest", which is its name today.

    Arguments:
        input, size, scale_factor: as there.
    """
    warn("upsample_nearest is deprecated: use interpolate, whose mode that is")
    return interpolate(input, size, scale_factor, "nearest")


def upsample_bilinear(
    input: Tensor, size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
) -> Tensor:  # fmt: skip
    """Return ``interpolate`` in its mode "bilinear" with ``align_corners``, as it is called today.

    Arguments:
        input, size, scale_factor: as there.
    """
    warn("upsample_bilinear is deprecated: use interpolate with align_corners=True")
    return interpolate(input, size, scale_factor, "bilinear", True)
