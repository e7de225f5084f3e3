"""Convolutions in which each channel has a kernel of its own, as products with band matrices.

Columns would be products of one row each, which BLAS does no sooner than it reads them. But along
the first dimension of the kernel a convolution is a matrix in which the kernel goes down the
diagonal: with some rows of it, all of the batch and the second dimension are multiplied at once,
for each element of the kernel along that one.

    y[rows] = Σⱼ B(w[:, j]) · x[rows from above, shifted by j]

Inputs are framed, (C, S₀, S₁, N); kernels (C, K₀, K₁), outputs (C, T₀, T₁, N); strides and
dilations are pairs. Signals are images whose second dimension has one element.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

#: So many rows of the output at a time: more are mostly zeros, fewer are small products,
BAND_ROWS = 8
#: and of so many channels that their part of the output stays in the cache.
BAND_NUMBERS = 1 << 17


def _band_channels(count, batch) -> int:
    """Return of how many channels the rows are computed at a time."""
    return max(1, BAND_NUMBERS // (min(BAND_ROWS, count[0]) * count[1] * batch))


def _band_parts(count, batch, channels) -> Iterator[tuple[slice, int, int]]:
    """Yield channels, and the first and the last row, of each part of the output."""
    rows, step = min(BAND_ROWS, count[0]), _band_channels(count, batch)
    for channel in range(0, channels, step):
        for start in range(0, count[0], rows):
            yield slice(channel, channel + step), start, min(start + rows, count[0])


def _band_reach(kernel, stride, dilation, rows) -> int:
    """Return how many rows of the input so many of the output are made of."""
    return (rows - 1) * stride[0] + (kernel[0] - 1) * dilation[0] + 1


def _diagonals(bands, kernel, stride, dilation):
    """Return a view of band matrices (K₁, C, rows, reach): the places of the kernel, all rows."""
    columns, channels, rows, _ = bands.shape
    first, second, down, right = bands.strides
    shape = (columns, channels, kernel[0], rows)
    strides = (first, second, right * dilation[0], down + right * stride[0])
    return np.ndarray(shape, bands.dtype, bands, 0, strides)


def _band_columns(column, count, stride, dilation) -> slice:
    """Return where in a row of the input an element of the kernel lies, at all positions."""
    start = column * dilation[1]
    return slice(start, start + (count[1] - 1) * stride[1] + 1, stride[1])


def _bands_of(weight, rows, stride, dilation):
    """Return the band matrices of kernels."""
    kernel = weight.shape[1:]
    reach = _band_reach(kernel, stride, dilation, rows)
    bands = np.zeros((kernel[1], weight.shape[0], rows, reach), weight.dtype)
    _diagonals(bands, kernel, stride, dilation)[...] = weight.transpose(2, 0, 1)[..., None]
    return bands


def banded(x, weight, count, stride, dilation, out) -> None:
    """Write the convolution of each channel with its kernel into ``out``."""
    kernel, batch = weight.shape[1:], x.shape[-1]
    bands = _bands_of(weight, min(BAND_ROWS, count[0]), stride, dilation)
    y = out.reshape((x.shape[0], count[0], count[1] * batch))
    room = np.empty_like(y, shape=(_band_channels(count, batch), bands.shape[2], y.shape[2]))
    for place, start, stop in _band_parts(count, batch, x.shape[0]):
        part, height = y[place, start:stop], stop - start
        reach = _band_reach(kernel, stride, dilation, height)
        below = slice(start * stride[0], start * stride[0] + reach)
        for column in range(kernel[1]):
            band = bands[column, place, :height, :reach]
            met = x[place, below, _band_columns(column, count, stride, dilation)]
            met = met.reshape((*met.shape[:2], count[1] * batch))
            if column:
                term = np.matmul(band, met, out=room[: part.shape[0], :height])
                part += term
            else:
                np.matmul(band, met, out=part)


def banded_pairs(g, x, kernel, stride, dilation) -> Any:
    """Return the slopes of the kernels, where g is that of the output: sums along diagonals."""
    count, batch = g.shape[1:3], x.shape[-1]
    rows = min(BAND_ROWS, count[0])
    reach = _band_reach(kernel, stride, dilation, rows)
    bands = np.zeros((kernel[1], x.shape[0], rows, reach), x.dtype)
    g = g.reshape((x.shape[0], count[0], count[1] * batch))
    for place, start, stop in _band_parts(count, batch, x.shape[0]):
        height = stop - start
        reach = _band_reach(kernel, stride, dilation, height)
        below = slice(start * stride[0], start * stride[0] + reach)
        for column in range(kernel[1]):
            met = x[place, below, _band_columns(column, count, stride, dilation)]
            met = met.reshape((*met.shape[:2], count[1] * batch))
            bands[column, place, :height, :reach] += np.matmul(g[place, start:stop], met.mT)
    sums = np.add.reduce(_diagonals(bands, kernel, stride, dilation), axis=-1)
    return sums.transpose(1, 2, 0)


def banded_back(g, weight, y, stride, dilation) -> None:
    """Add to a framed y what the transpose of ``banded`` makes of g: (C, T₀, T₁, N)."""
    kernel, count, batch = weight.shape[1:], g.shape[1:3], g.shape[-1]
    bands = _bands_of(weight, min(BAND_ROWS, count[0]), stride, dilation)
    g = g.reshape((g.shape[0], count[0], count[1] * batch))
    for place, start, stop in _band_parts(count, batch, g.shape[0]):
        height = stop - start
        reach = _band_reach(kernel, stride, dilation, height)
        below = slice(start * stride[0], start * stride[0] + reach)
        for column in range(kernel[1]):
            back = np.matmul(bands[column, place, :height, :reach].mT, g[place, start:stop])
            back = back.reshape((*back.shape[:2], count[1], batch))
            y[place, below, _band_columns(column, count, stride, dilation)] += back
