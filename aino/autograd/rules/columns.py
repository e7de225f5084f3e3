"""Convolutions of arrays whose last axis is the batch, as products of matrices.

Memory order (C, *S, N) is that in which copies are long and one product yields the order itself.
All that the kernel covers for one position of it is a column; the columns of a block of positions
are copied into memory that stays in the cache of a core, and multiplied while they are there:

    y = W · columns(x)        W: (O, C/groups · |K|) for each group
    x̄ = columns⁻ᵀ(Wᵀ · ȳ)     each number of a column is added where it came from
    W̄ = ȳ · columns(x)ᵀ

``place`` says how kernel and input lie to each other: the tuple that ``Place`` gives names to,
with a pair (before, after) in ``padding`` for each dimension.
"""

from __future__ import annotations

import functools
import math
import threading
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from aino.autograd.rules import bands
from aino.autograd.rules.room import empty, seen_as, zeros
from aino.num_threads import one_blas_thread, share
from aino.threads import halves

#: So many numbers of columns are copied at a time.
COLUMN_BLOCK = 1 << 18
#: BLAS packs nothing where it multiplies and adds less often than this, which is sooner.
PRODUCT_PIECE = 1_000_000
#: Where there are more multiplications than this, one half of the blocks goes to another thread.
COLUMNS_SHARED = 1 << 24
#: Rows of columns lie so many numbers further apart than they are long, never a power of two.
COLUMNS_APART = 16


#: A transpose of fewer channels (in all groups), or to fewer (in each), is added up: its columns
#: take less time than those of the convolution that it also is.
FEW_OUT, FEW_IN = 32, 16


class Place(NamedTuple):
    """How a kernel lies on its input."""

    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int


class _Scratch(threading.local):
    """Memory for columns, kept between calls."""

    def __init__(self) -> None:
        self.memory = np.empty(0, np.uint8)

    def take(self, count: int, x) -> np.ndarray:
        """Return memory for so many numbers like those of an array; its contents are anything."""
        size = count * x.dtype.itemsize
        if size > 1 << 24 or type(x) is not np.ndarray:
            return empty(count, x)
        if self.memory.size < size:
            self.memory = np.empty(size, np.uint8)
        return self.memory[:size].view(x.dtype)


_scratch = _Scratch()


def positions(size, kernel, place) -> tuple[int, ...]:
    """Return how many positions of the kernel there are along each dimension of an input."""
    return tuple([
        (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, (before, after), d in zip(
            size, kernel, place.stride, place.padding, place.dilation
        )
    ])  # fmt: skip


def framed(x, padding):
    """Return an input in a frame of zeros, in C order; a negative width cuts off."""
    if not any([before or after for before, after in padding]):
        return x if x.flags.c_contiguous else x.copy()
    inner, outer, shape = [], [], []
    for n, (before, after) in zip(x.shape[1:], padding):
        inner.append(slice(max(-before, 0), n - max(-after, 0)))
        outer.append(slice(max(before, 0), max(before, 0) + n + min(before, 0) + min(after, 0)))
        shape.append(n + before + after)
    y = zeros((x.shape[0], *shape, x.shape[-1]), x)
    y[(slice(None), *outer)] = x[(slice(None), *inner)]
    return y


def windows(x, kernel, count, place):
    """Return what the kernel covers at each position: a view (C, *K, *T, N) of a framed input."""
    steps = x.strides
    across = [step * d for step, d in zip(steps[1:], place.dilation)]
    along = [step * s for step, s in zip(steps[1:], place.stride)]
    shape = (x.shape[0], *kernel, *count, x.shape[-1])
    return seen_as(x, shape, (steps[0], *across, *along, steps[-1]))


@functools.lru_cache(maxsize=512)
def blocks(count, batch, height):
    """Return the blocks of positions of which columns of a height are copied at a time.

    Each is an index into (*T, N), and the first and the last of its positions in one row.
    """
    shape = (*count, batch)
    axis, width = len(shape) - 1, 1
    while axis and width * shape[axis] * height <= COLUMN_BLOCK:
        width *= shape[axis]
        axis -= 1
    length = shape[axis]
    step = max(1, COLUMN_BLOCK // (width * height))
    step = -(-length // -(-length // step))  # all blocks about as long
    found, start = [], 0
    for lead in product(*[range(n) for n in shape[:axis]]):
        for first in range(0, length, step):
            last = min(first + step, length)
            stop = start + (last - first) * width
            found.append(((*lead, slice(first, last)), last - first, start, stop))
            start = stop
    return tuple(found), step * width, (step, *shape[axis + 1 :])


class Columns:
    """The columns of an input for a kernel, in one part or two, which can be had at the same time.

    ``for columns, start, stop in Columns(...).over(part)``, for a part of ``parts``: ``columns``
    is (groups, C/groups · |K|, stop - start), for the positions from start to stop. ``rows``: how
    many rows of numbers each is multiplied by.
    """

    def __init__(self, x, kernel, count, place, rows) -> None:
        self.height = math.prod(kernel) * (x.shape[0] // place.groups)
        self.groups = place.groups
        self.x, self.kernel, self.count, self.place = x, kernel, count, place
        self.length = math.prod(count) * x.shape[-1]
        #: Nothing stands twice in them: they are the input.
        self.is_input = math.prod(kernel) == 1 and set(place.stride) == {1}
        self.blocks = blocks(count, x.shape[-1], self.height * self.groups)
        self.parts = [self.blocks[0]]
        if not self.is_input and self.height * rows * self.length > COLUMNS_SHARED:
            self.parts = halves(list(self.blocks[0]), [block[1] for block in self.blocks[0]])

    def each(self, function) -> None:
        """Call a function with each part, on two threads where there are two."""
        if self.is_input:  # one product, which BLAS shares out by itself
            function(self.parts[0])
        else:
            share(function, self.parts)

    def over(self, part):
        """Yield the blocks of a part."""
        x, place, height = self.x, self.place, self.height
        if self.is_input:
            yield x.reshape((self.groups, height, self.length)), 0, self.length
            return
        covered = windows(x, self.kernel, self.count, place)
        _, width, shape = self.blocks
        rows, apart = height * self.groups, width + COLUMNS_APART
        memory = _scratch.take(rows * apart, x)
        columns = memory.reshape((self.groups, height, apart))
        room = memory.reshape((rows, apart))[:, :width]
        room = room.reshape((x.shape[0], *self.kernel, *shape))
        before = (slice(None),) * (1 + len(self.kernel))
        cut = (slice(None),) * (room.ndim - len(shape))
        for index, length, start, stop in part:
            filled = room if length == shape[0] else room[(*cut, slice(length))]
            filled[...] = covered[(*before, *index)]
            yield columns[:, :, : stop - start], start, stop


@functools.cache
def has_small_products() -> bool:
    """Tell whether BLAS multiplies small matrices in a way of its own: OpenBLAS with AVX-512."""
    settings: Any = np.show_config(mode="dicts")
    names = settings.get("SIMD Extensions", {}).get("found", [])
    blas = settings.get("Build Dependencies", {}).get("blas", {}).get("name", "")
    return "openblas" in blas and any(["AVX512" in name or name == "X86_V4" for name in names])


def multiplied(weight, columns, out) -> None:
    """Write weight · columns into ``out``, in pieces in which BLAS packs nothing.

    (groups, O, K), (groups, K, L) and (groups, O, L), where the numbers of a row are neighbours.
    """
    _, rows, length = out.shape
    step = PRODUCT_PIECE // (rows * weight.shape[2]) // 16 * 16 if has_small_products() else 0
    if step < 16 or length < 2 * step:
        np.matmul(weight, columns, out=out)
        return
    whole = length // step
    end = whole * step
    np.matmul(weight[:, None], _pieces(columns, whole, step), out=_pieces(out, whole, step))
    if end < length:
        np.matmul(weight, columns[:, :, end:], out=out[:, :, end:])


def _pieces(x, whole, step):
    """Return (groups, R, L) as (groups, pieces, R, step)."""
    groups, rows, _ = x.shape
    return x[:, :, : whole * step].reshape((groups, rows, whole, step)).swapaxes(1, 2)


def _grouped(weight, groups):
    """Return a weight (O, C/groups, *K) as matrices (groups, O/groups, C/groups · |K|)."""
    rows = weight.shape[0] // groups
    return weight.reshape((groups, rows, math.prod(weight.shape[1:])))


def _as_image(lengths):
    """Return what belongs to each dimension of a signal or an image, as for an image."""
    return (*lengths, 1) if len(lengths) == 1 else lengths


def _has_bands(inner, outer, place) -> bool:
    """Tell whether each channel of a signal, or of an image, has a kernel of its own."""
    return 1 < place.groups == inner == outer and len(place.stride) < 3


def _is_finite(x) -> bool:
    """Tell whether all numbers are finite: zeros of a band matrix make nan of others."""
    with np.errstate(all="ignore"):
        return bool(np.isfinite(np.add.reduce(x, axis=None)))


def flipped(weight, groups):
    """Return the weight (C, O/groups, *K) of the convolution that leads back."""
    rows, inner, *kernel = weight.shape
    y = weight.reshape((groups, rows // groups, inner, *kernel)).swapaxes(1, 2)
    y = y[(slice(None),) * 3 + (slice(None, None, -1),) * len(kernel)]
    return y.reshape((groups * inner, rows // groups, *kernel))


def convolved(x, weight, bias, place, out=None):
    """Return the convolution (O, *T, N) of an input (C, *S, N) with a weight (O, C/groups, *K)."""
    place, kernel = Place(*place), weight.shape[2:]
    count = positions(x.shape[1:-1], kernel, place)
    if out is None:
        out = empty((weight.shape[0], *count, x.shape[-1]), x)
    if not out.size:
        return out
    if not weight.size:
        out[...] = 0 if bias is None else bias.reshape((-1,) + (1,) * (out.ndim - 1))
        return out
    matrices = _grouped(weight, place.groups)
    y = out.reshape((place.groups, weight.shape[0] // place.groups, math.prod(out.shape[1:])))
    shift = None if bias is None else bias.reshape((*y.shape[:2], 1))
    x = framed(x, place.padding)
    if _has_bands(x.shape[0], weight.shape[0], place) and _is_finite(x):
        bands.banded(
            x.reshape((x.shape[0], *_as_image(x.shape[1:-1]), x.shape[-1])),
            weight.reshape((weight.shape[0], *_as_image(kernel))),
            _as_image(count), _as_image(place.stride), _as_image(place.dilation), out,
        )  # fmt: skip
        if shift is not None:
            y += shift
        return out
    columns = Columns(x, kernel, count, place, weight.shape[0])

    def multiply(part) -> None:
        for block, start, stop in columns.over(part):
            result = y[:, :, start:stop]
            multiplied(matrices, block, result)
            if shift is not None:
                result += shift

    columns.each(multiply)
    return out


def spread_back(g, weight, bias, size, place, out=None):
    """Return the transpose of ``convolved`` in its input, (C, *S, N), and a shift of channels."""
    place = Place(*place)
    few = weight.shape[0] < FEW_OUT or weight.shape[1] < FEW_IN
    few &= not _has_bands(weight.shape[1] * place.groups, weight.shape[0], place)
    if set(place.stride) == {1} and g.size and weight.size and not few:
        back = tuple([
            (d * (k - 1) - before, d * (k - 1) - after)
            for k, (before, after), d in zip(weight.shape[2:], place.padding, place.dilation)
        ])  # fmt: skip
        place = place._replace(padding=back)
        return convolved(g, flipped(weight, place.groups), bias, place, out)
    y = _added_back(g, weight, size, place)
    if bias is not None:
        y += bias.reshape((-1,) + (1,) * (y.ndim - 1))
    if out is None:
        return y
    out[...] = y
    return out


def _added_back(g, weight, size, place):
    kernel, count = weight.shape[2:], g.shape[1:-1]
    inner, batch = weight.shape[1] * place.groups, g.shape[-1]
    whole = tuple([n + before + after for n, (before, after) in zip(size, place.padding)])
    y = zeros((inner, *[max(n, 0) for n in whole], batch), g)
    if _has_bands(inner, weight.shape[0], place) and g.size and weight.size and _is_finite(g):
        bands.banded_back(
            g.reshape((inner, *_as_image(count), batch)),
            weight.reshape((inner, *_as_image(kernel))),
            y.reshape((inner, *_as_image(y.shape[1:-1]), batch)),
            _as_image(place.stride), _as_image(place.dilation),
        )  # fmt: skip
    elif g.size and weight.size:
        matrices = _grouped(weight, place.groups).mT
        height = matrices.shape[1] * place.groups
        reached = windows(y, kernel, count, place)
        rows = g.reshape((place.groups, -1, math.prod(count) * batch))
        found, width, shape = blocks(count, batch, height)
        columns = _scratch.take(height * width, g)
        with one_blas_thread():
            for index, length, start, stop in found:
                part = columns[: height * (stop - start)]
                np.matmul(
                    matrices, rows[:, :, start:stop],
                    out=part.reshape((place.groups, matrices.shape[1], stop - start)),
                )  # fmt: skip
                part = part.reshape((inner, *kernel, length, *shape[1:]))
                for offset in product(*[range(k) for k in kernel]):
                    place_of: Any = (slice(None), *offset)
                    reached[(*place_of, *index)] += part[place_of]
    return framed(y, tuple([(-before, -after) for before, after in place.padding]))


def paired(g, x, kernel, place, out=None):
    """Return the transpose of ``convolved`` in its weight: (O, C/groups, *K)."""
    place = Place(*place)
    groups, inner = place.groups, x.shape[0] // place.groups
    shape = (g.shape[0], inner, *kernel)
    count = g.shape[1:-1]
    rows = g.shape[0] // groups if groups else 0
    sums = zeros((groups, inner * math.prod(kernel), rows), g)
    if g.size and sums.size and _has_bands(x.shape[0], g.shape[0], place):
        x = framed(x, place.padding)
        slopes = bands.banded_pairs(
            g.reshape((groups, *_as_image(count), g.shape[-1])),
            x.reshape((groups, *_as_image(x.shape[1:-1]), x.shape[-1])),
            _as_image(kernel), _as_image(place.stride), _as_image(place.dilation),
        )  # fmt: skip
        sums[...] = slopes.reshape(sums.shape)
    elif g.size and sums.size:
        g = g.reshape((groups, rows, math.prod(count) * g.shape[-1]))
        columns = Columns(framed(x, place.padding), kernel, count, place, shape[0])
        found: dict[int, Any] = {}

        def multiply(part) -> None:
            term: Any = None
            own = found[part[0][2]] = zeros(sums.shape, g)
            for block, start, stop in columns.over(part):
                # The wide matrix first: BLAS takes half the time.
                term = np.matmul(block, g[:, :, start:stop].mT, out=term)
                own += term

        columns.each(multiply)
        for start in sorted(found):
            sums += found[start]
    if out is None:
        out = empty(shape, g)
    out.reshape((groups, rows, inner * math.prod(kernel)))[...] = sums.mT
    return out
