"""Attention: softmax(q kᵀ · scale + mask) v, a few heads at a time while they are in the cache.

The scores of all heads together are larger than everything else in a transformer, and leave the
cache between two passes over them. Here a block of some heads, or of some rows of one, goes
through all of the arithmetic before the next one begins.

Source: Dao et al., "FlashAttention", 2022.
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.activation import softmax
from aino.num_threads import share
from aino.threads import lanes
from aino.tracing import is_shared, opaque

#: So many scores a block has: they stay in the cache of a core.
BLOCK = 1 << 16
#: Attention over at least this many scores is shared between two threads.
SHARED = 4 * BLOCK
#: Below this no exponential overflows,
HIGH = 60.0
#: and with sums from this up none of the weights that count has become 0, whatever was left out.
LOW = 1e-12


def blocks_of(heads, rows, columns):
    """Return slices of both axes of heads, and of rows, that cut the scores into blocks."""
    outer, inner = heads
    several = max(1, BLOCK // max(1, rows * columns))
    along = rows if rows * columns <= BLOCK else max(16, BLOCK // columns)
    step = min(inner, several)
    jump = max(1, several // inner) if step == inner else 1
    return [
        (slice(i, i + jump), slice(j, j + step), slice(r, min(r + along, rows)))
        for i in range(0, outer, jump)
        for j in range(0, inner, step)
        for r in range(0, rows, along)
    ]


def _lanes(blocks, count):
    """Share the blocks out between two threads; all rows of a head stay in one of them."""
    groups: dict[tuple, list] = {}
    for block in blocks:
        groups.setdefault((block[0].start, block[1].start), []).append(block)
    parts = list(groups.values())
    shared = lanes(parts, [count * len(part) // len(blocks) for part in parts], SHARED)
    return [[block for part in lane for block in part] for lane in shared]


def _run(function, lanes) -> None:
    """Call a function with each lane; of two, each multiplies with one thread of the BLAS."""
    if len(lanes) > 1:
        share(function, lanes)
    else:
        function(lanes[0])


def _triangle(rows, dtype):
    """Return 0 on and below the diagonal, and -inf above it."""
    return np.where(np.tri(rows, dtype=bool), 0.0, -math.inf).astype(dtype)


def _scores(q, k, mask, triangle, columns, scale, block, out=None):
    """Return the scores of one block, and the scaled queries that they were computed from."""
    i, j, r = block
    queries = q[i, j, r] * scale
    scores = np.matmul(queries, k[i, j, columns].mT, out=out)
    if triangle is not None:
        near = scores[..., r.start :]
        rows = r.stop - r.start
        np.add(near, triangle[:rows, : near.shape[-1]], out=near)
    elif mask is not None:
        np.add(scores, mask[i, j, r], out=scores)
    return scores, queries


def _seen(causal, rows, columns):
    """Return the slice of the keys that a block's rows may look at."""
    return slice(0, min(rows.stop, columns)) if causal else slice(0, columns)


def _row_sums(x):
    shape = x.shape
    ones = np.ones(shape[-1], x.dtype)
    return np.dot(x.reshape(math.prod(shape[:-1]), shape[-1]), ones).reshape(*shape[:-1], 1)


def _weigh(scores, again):
    """Return eˢ over a common factor, its sum over each row, and the logarithm of the factor.

    ``again`` computes the scores anew. The largest of a block says whether a factor is needed:
    rows are looked at one by one where it is.
    """
    if np.maximum.reduce(scores, axis=None) <= HIGH:
        weights = np.exp(scores, out=scores)
        sums = _row_sums(weights)
        if np.minimum.reduce(sums, axis=None) >= LOW:
            return weights, sums, 0.0
        scores = again()
    top = np.maximum.reduce(scores, axis=-1, keepdims=True)
    top = np.where(top == -math.inf, 0.0, top).astype(scores.dtype)
    np.subtract(scores, top, out=scores)
    weights = np.exp(scores, out=scores)
    return weights, _row_sums(weights), top


def _as_blocks(mask, shape):
    return None if mask is None else np.broadcast_to(mask, shape)


@opaque
@is_shared
def attention_forward(q, k, v, mask, causal, scale, keep):
    """Return attention, the weights before they are divided by their sums, and the sums.

    Instead of the weights, if they are not kept, the logarithms of the sums.
    """
    heads, rows, columns, width = q.shape[:2], q.shape[2], k.shape[2], v.shape[3]
    # PyTorch's result has this order in memory, too: the heads of a position beside one another.
    y = np.empty((heads[0], rows, heads[1], width), q.dtype).transpose(0, 2, 1, 3)
    weights = np.empty((*heads, rows, columns if keep else 0), q.dtype)
    sums = np.empty((*heads, rows, 1), q.dtype)
    mask = _as_blocks(mask, (*heads, rows, columns))
    blocks = blocks_of(heads, rows, columns)
    triangle = _triangle(blocks[0][2].stop, q.dtype) if causal else None

    def run(lane):
        for block in lane:
            seen = _seen(causal, block[2], columns)
            # What is kept is computed where it is kept, unless part of its rows is left out.
            place = weights[block] if keep and seen.stop == columns else None

            def scores(block=block, seen=seen, place=place):
                return _scores(q, k, mask, triangle, seen, scale, block, place)[0]

            found, total, top = _weigh(scores(), scores)
            blank = total == 0.0
            np.add(total, blank, out=total)  # where nothing is to be looked at all weights are 0
            np.divide(np.matmul(found, v[block[0], block[1], seen]), total, out=y[block])
            if keep and place is None:
                weights[block][..., seen] = found
                weights[block][..., seen.stop :] = 0.0
            elif not keep:
                total = np.where(blank, math.inf, np.log(total) + top)
            sums[block] = total

    _run(run, _lanes(blocks, math.prod(heads) * rows * columns))
    return y, weights, sums


@opaque
@is_shared
def attention_backward(g, q, k, v, y, weights, sums, mask, causal, scale):
    """Return the gradients of queries, keys and values."""
    heads, rows, columns = q.shape[:2], q.shape[2], k.shape[2]
    keep = weights.shape[-1] > 0
    # In the order of the inputs, so that going back through a transposition copies nothing.
    to_q, to_k, to_v = np.empty_like(q), np.empty_like(k), np.empty_like(v)
    mask = _as_blocks(mask, (*heads, rows, columns))
    blocks = blocks_of(heads, rows, columns)
    # Each block of rows adds to all the keys that it sees, unless one sees them all.
    whole = blocks[0][2] == slice(0, rows) and (rows >= columns or not causal)
    if not whole:
        to_k[...], to_v[...] = 0.0, 0.0
    triangle = _triangle(blocks[0][2].stop, q.dtype) if causal and not keep else None

    def run(lane):
        for block in lane:
            i, j, _ = block
            seen = _seen(causal, block[2], columns)
            slopes = g[block]
            if keep:
                p, queries = weights[block][..., seen], q[block] * scale
                slopes = slopes / sums[block]
            else:
                p, queries = _scores(q, k, mask, triangle, seen, scale, block)
                p = np.exp(np.subtract(p, sums[block], out=p), out=p)
            keys, values = k[i, j, seen], v[i, j, seen]
            s = np.matmul(slopes, values.mT)
            np.subtract(s, _row_sums(slopes * y[block]), out=s)
            np.multiply(s, p, out=s)
            np.matmul(s, keys * scale, out=to_q[block])
            if whole:
                np.matmul(s.mT, queries, out=to_k[i, j])
                np.matmul(p.mT, slopes, out=to_v[i, j])
            else:
                to_k[i, j, seen] += np.matmul(s.mT, queries)
                to_v[i, j, seen] += np.matmul(p.mT, slopes)

    _run(run, _lanes(blocks, math.prod(heads) * rows * columns))
    return to_q, to_k, to_v


def causal_mask(rows, columns):
    """Return where a row may look: at the columns up to its own."""
    return np.tri(rows, columns, dtype=bool)


def weights_of(q, k, mask, causal, scale):
    """Return softmax(q kᵀ · scale + mask), 0 in rows that may look nowhere."""
    scores = (q * scale) @ k.mT
    if causal:
        allowed = causal_mask(q.shape[-2], k.shape[-2])
        return softmax(np.where(allowed, scores, -math.inf), scores.ndim - 1)
    if mask is None:
        return softmax(scores, scores.ndim - 1)
    scores = scores + mask
    blank = np.logical_and.reduce(mask == -math.inf, axis=-1, keepdims=True)
    scores = np.where(blank, 0.0, scores)
    return np.where(blank, 0.0, softmax(scores, scores.ndim - 1))


def _definition(q, k, v, result, weights, sums, mask, causal, scale):
    return weights_of(q, k, mask, causal, scale) @ v


attention = primitive(
    "attention", lambda q, k, v, result, weights, sums, mask, causal, scale: result,
    inputs="q k v", formula="softmax(q kᵀ · scale + mask) v", definition=_definition,
    together=lambda wanted, g, q, k, v, result, weights, sums, mask, causal, scale: (
        attention_backward(g, q, k, v, result, weights, sums, mask, causal, scale)
    ),
)  # fmt: skip
