"""Dropout: numbers, or whole channels, that are left out at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.tensor import Tensor, make
from aino.errors import ArgumentError, ShapeError
from aino.ops.random.generator import draw
from aino.user_warnings import warn


def _kept(shape: tuple[int, ...], p: float, dtype: np.dtype) -> Any:
    """Return an array that is 1 with probability 1 - p, else 0."""
    return (draw(None, "uniform", shape, dtype) >= p).astype(dtype)


def _check(p: float) -> None:
    if not 0.0 <= p <= 1.0:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")


def _drop(input: Any, shape: tuple[int, ...], p: float, inplace: bool) -> Any:
    dtype = input.array.dtype
    if p == 1.0:
        factor: Any = 0.0
    else:
        factor = make(_kept(shape, p, dtype) * (1.0 / (1.0 - p)))
    return input.mul_(factor) if inplace else input * factor


def dropout(input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
    """Return the input with each number set to 0 with probability p, the others divided by 1 - p.

    Raises ``ValueError`` for p outside [0, 1].

    Arguments:
        input: a tensor of any shape.
        p: the probability that a number is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Hinton et al., "Improving neural networks by preventing co-adaptation of feature
    detectors", 2012.

    >>> import aino
    >>> aino.nn.functional.dropout(aino.ones(2), training=False)
    tensor([1., 1.])
    """
    _check(p)
    if not training or p == 0.0:
        return input
    return _drop(input, input.array.shape, p, inplace)


def _drop_channels(input: Any, p: float, training: bool, inplace: bool, kept: int) -> Any:
    """Drop what lies in the dimensions behind the first ``kept`` as a whole."""
    _check(p)
    if not training or p == 0.0:
        return input
    shape = input.array.shape
    if len(shape) < kept:
        raise ShapeError(f"there are no channels in an input of shape {shape}")
    return _drop(input, shape[:kept] + (1,) * (len(shape) - kept), p, inplace)


def _warn_of_dimensions(name: str, input: Any, ranks: tuple[int, int]) -> None:
    if input.ndim not in ranks:
        warn(
            f"{name}: an input of {input.ndim} dimensions is deprecated, {name} takes {ranks[0]} "
            f"or {ranks[1]}; for single numbers there is dropout"
        )


def dropout1d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return the input with each channel set to 0 with probability p, the others divided by 1 - p.

    Raises ``ValueError`` for p outside [0, 1], ``ShapeError`` for another number of dimensions.

    Arguments:
        input: a tensor (N, C, L) or (C, L).
        p: the probability that a channel is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """
    if input.ndim not in (2, 3):
        raise ShapeError(f"dropout1d takes 2 or 3 dimensions, got shape {tuple(input.shape)}")
    return _drop_channels(input, p, training, inplace, input.ndim - 1)


def dropout2d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return the input with each channel set to 0 with probability p, the others divided by 1 - p.

    A tensor of 3 dimensions is taken as (N, C, L), with a warning, as in PyTorch. Raises
    ``ValueError`` for p outside [0, 1], ``ShapeError`` for another number of dimensions.

    Arguments:
        input: a tensor (N, C, H, W).
        p: the probability that a channel is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """
    if input.ndim == 3:
        warn("dropout2d takes a 3-D input as (N, C, L), for which there is dropout1d")
    _warn_of_dimensions("dropout2d", input, (3, 4))
    return _drop_channels(input, p, training, inplace, 2)


def dropout3d(
    input: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False
) -> Tensor:
    """Return the input with each channel set to 0 with probability p, the others divided by 1 - p.

    Raises ``ValueError`` for p outside [0, 1], ``ShapeError`` for another number of dimensions.

    Arguments:
        input: a tensor (N, C, D, H, W) or (C, D, H, W).
        p: the probability that a channel is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Tompson et al., "Efficient object localization using convolutional networks", 2015.
    """
    _warn_of_dimensions("dropout3d", input, (4, 5))
    return _drop_channels(input, p, training, inplace, 2 if input.ndim == 5 else 1)


#: SELU's lower limit: -scale · α.
_LOWEST = -1.7580993408473766


def alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with each number set to -1.7581 with probability p, then scaled and shifted.

    -1.7581 is the limit of ``selu`` far below 0; scale and shift keep mean 0 and variance 1. Raises
    ``ValueError`` for p outside [0, 1].

    Arguments:
        input: a tensor of any shape.
        p: the probability that a number is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.
    """
    return _drop_to_lowest(input, input.array.shape, p, training, inplace)


def feature_alpha_dropout(
    input: Tensor, p: float = 0.5, training: bool = False, inplace: bool = False
) -> Tensor:
    """Return the input with each channel set to -1.7581 with probability p, scaled and shifted.

    As ``alpha_dropout``, but a channel, ``input[i, j]``, is dropped as a whole. Raises
    ``ValueError`` for p outside [0, 1], ``ShapeError`` for fewer than two dimensions.

    Arguments:
        input: a tensor (N, C, *).
        p: the probability that a channel is dropped.
        training: whether to drop at all; False returns the input as it is.
        inplace: write the result into the input, which is returned.

    Source: Klambauer et al., "Self-normalizing neural networks", 2017.

    >>> import aino
    >>> aino.nn.functional.feature_alpha_dropout(aino.ones(1, 2, 2))
    tensor([[[1., 1.],
             [1., 1.]]])
    """
    shape = input.array.shape
    if training and p != 0.0 and len(shape) < 2:
        raise ShapeError(f"there are no channels in an input of shape {shape}")
    channels = shape[:2] + (1,) * (len(shape) - 2)
    return _drop_to_lowest(input, channels, p, training, inplace)


def _drop_to_lowest(input: Any, shape: tuple[int, ...], p: float, training: bool, inplace: bool):
    """Drop to the limit of ``selu``, one number of ``shape`` for all that it is broadcast to."""
    _check(p)
    if not training or p == 0.0:
        return input
    if p == 1.0:
        return input.mul_(0.0) if inplace else input * 0.0
    scale = 1.0 / ((1.0 - p) * (1.0 + p * _LOWEST**2)) ** 0.5
    kept = _kept(shape, p, input.array.dtype)
    factor = make(kept * scale)
    shift = make((1.0 - kept) * (scale * _LOWEST) - scale * _LOWEST * p)
    return input.mul_(factor).add_(shift) if inplace else input * factor + shift
