"""The batch as the last axis of memory, in which convolutions are computed, and back as the first.

These are the transposes of matrices: the batch by all the rest. NumPy walks through them row by
row of what is written, and comes back to each line of what is read when it is no longer in the
cache: so it gets blocks that are.
"""

from __future__ import annotations

import math

from aino.autograd.rules.room import empty
from aino.tracing import in_samples, opaque, takes_out, unconditional

#: So many bytes stay in the first level of a cache while they are read across,
NEAR = 24 << 10
#: and so many in the second.
FAR = 128 << 10
#: Rows so many bytes apart, or a multiple of it, fall on the same few places of a cache.
CLASH = 1024
#: So many bytes more, and they don't.
CLEAR = 64


def _for_all(kernel, batched, x):
    """Lay all samples of ``vmap`` alike: theirs is one axis more, which stays the first."""
    last = kernel is _batch_last
    order = (0, *range(2, x.ndim), 1) if last else (0, x.ndim - 1, *range(1, x.ndim - 1))
    return x.transpose(order).copy()


@opaque
@in_samples(_for_all)
@takes_out
@unconditional
def _batch_last(x, out=None):
    batch, shape = x.shape[0], x.shape[1:]
    if out is None:
        out = empty((*shape, batch), x)
    length, item = math.prod(shape), x.dtype.itemsize
    if batch < 16 or length * item % CLASH or not x.flags.c_contiguous:
        out[...] = x.transpose((*range(1, x.ndim), 0))
        return out
    rows, columns = x.reshape((batch, length)), out.reshape((length, batch))
    step = FAR // (batch * item)
    memory = empty((batch, step + CLEAR // item), x)
    for start in range(0, length, step):
        part = rows[:, start : start + step]
        room = memory[:, : part.shape[1]]
        room[...] = part
        columns[start : start + step] = room.T
    return out


@opaque
@in_samples(_for_all)
@takes_out
@unconditional
def _batch_first(y, out=None):
    batch, shape = y.shape[-1], y.shape[:-1]
    if out is None:
        out = empty((batch, *shape), y)
    length = math.prod(shape)
    step = NEAR // max(batch * y.dtype.itemsize, 1)
    if step < 16 or length < 2 * step:
        out[...] = y.transpose((y.ndim - 1, *range(y.ndim - 1)))
        return out
    rows, columns = out.reshape((batch, length)), y.reshape((length, batch))
    for start in range(0, length, step):
        rows[:, start : start + step] = columns[start : start + step].T
    return out


#: The copies themselves, as a program has them.
lay_batch_last, lay_batch_first = _batch_last.__wrapped__, _batch_first.__wrapped__


def batch_last(x):
    """Return (N, C, *S) as (C, *S, N)."""
    return x.reshape((*x.shape[1:], 1)) if x.shape[0] == 1 else _batch_last(x)


def batch_first(y):
    """Return (C, *S, N) as (N, C, *S)."""
    return y.reshape((1, *y.shape[:-1])) if y.shape[-1] == 1 else _batch_first(y)
