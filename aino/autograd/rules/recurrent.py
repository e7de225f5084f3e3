"""What recurrent layers share, and the plain one: h' = tanh(W x + U h + b), or relu of it.

A layer goes over rows: all samples of the first step, then those of the second, as packed
sequences lie; ``sizes`` says how many samples each step has, never more than the step before. A
state lies with the batch innermost, (hidden, batch), so that gates are whole stretches of memory;
beside it, in the same slot, stand a row of ones and what comes in at the step, and one matrix
(U, b, W) multiplies them all. The gradients of the weights are one product after the loop.
"""

from __future__ import annotations

from itertools import accumulate

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.activation import relu
from aino.autograd.rules.fused import linear
from aino.autograd.rules.join import cat
from aino.autograd.rules.room import empty, zeros
from aino.autograd.rules.trigonometry import tanh
from aino.autograd.sums import sum_over
from aino.num_threads import one_blas_thread, shared_product
from aino.tracing import fused, unconditional

#: OpenBLAS copies nothing in products of so many multiplications.
UNPACKED = 1_000_000


def steps_of(sizes, reverse):
    """Return the first row of each step and how many it has, in the order they are taken in."""
    steps = list(zip((0, *accumulate(sizes)), sizes))
    return steps[::-1] if reverse else steps


def stacked(w_hh, b_ih, b_hh, w_ih):
    """Return the matrix (U, b, W) that multiplies a slot."""
    rows, size = w_hh.shape
    weights = empty((rows, size + 1 + w_ih.shape[1]), w_ih)
    weights[:, :size] = w_hh
    weights[:, size] = 0.0 if b_ih is None else b_ih + b_hh
    weights[:, size + 1 :] = w_ih
    return weights


def in_pieces(weights, batch):
    """Return a matrix as a stack of so few rows each that BLAS need not copy to multiply them."""
    rows, inner = weights.shape
    least = rows * inner * batch // UNPACKED + 1
    count = next((n for n in range(least, min(rows, 4 * least) + 1) if rows % n == 0), 1)
    return weights.reshape(count, rows // count, inner)


def product(pieces, x, out):
    """Write the product of a matrix in pieces with ``x`` into ``out``: (rows, columns)."""
    if out.flags.c_contiguous:
        np.matmul(pieces, x, out=out.reshape(*pieces.shape[:2], out.shape[1]))
    else:
        out[...] = np.matmul(pieces, x).reshape(out.shape)


@np.errstate(over="ignore")
def gates_of(*negated) -> None:
    """Make σ(a) = 1 / (1 + e⁻ᵃ) of sums that are -a, in place."""
    for sums in negated:
        np.exp(sums, out=sums)
        sums += 1.0
        np.divide(1.0, sums, out=sums)


def slots_of(x, h0, steps):
    """Return the slots of all steps and one more: states to come, ones, and what comes in."""
    batch, size = h0.shape
    slots = empty((len(steps) + 1, size + 1 + x.shape[1], batch), x)
    slots[0, :size] = h0.T
    slots[:, size] = 1.0
    slots[-1, size + 1 :] = 0.0  # nothing comes in after the last step
    for slot, (start, count) in zip(slots, steps):
        slot[size + 1 :, :count] = x[start : start + count].T
    return slots


def rows_of(slots, steps, size):
    """Return the states in the slots of each step, as rows."""
    total = sum([count for _, count in steps])
    y = empty((total, size), slots)
    for slot, (start, count) in zip(slots, steps):
        y[start : start + count] = slot[:size, :count].T
    return y


def of_weights(wanted, slopes, before, x, w_ih):
    """Return the cotangents of x and of W, U and both vectors b from those of the gates.

    ``slopes``: (gates, rows); ``wanted``: which of x, W and U are asked for.
    """
    g_x = shared_product(w_ih.T, slopes).T.copy() if wanted[0] else None
    g_ih = shared_product(slopes, x) if wanted[1] else None
    g_hh = shared_product(slopes, before) if wanted[2] else None
    # Each vector has its own: what belongs to one gradient may be written into.
    g_b = sum_over(slopes, 1)
    return g_x, g_ih, g_hh, g_b, g_b.copy()


def transposed(g, x):
    """Return a cotangent (batch, hidden) as (hidden, batch), zeros where there is none for x."""
    return zeros(x.shape[::-1], x) if g is None else g.T.copy()


# In terms of other primitives


def over_steps(steps, states, step):
    """Return the rows of what each step gives first, and the states after the last step.

    ``step(start, count, *states)`` returns the new states of the first ``count`` samples.
    """
    found = {}
    batch = states[0].shape[0]
    for start, count in steps:
        new = step(start, count, *[state[:count] for state in states])
        found[start] = new[0]
        if count < batch:
            states = [cat((y, state[count:]), 0) for y, state in zip(new, states)]
        else:
            states = new
    return cat([found[start] for start in sorted(found)], 0), *states


def both(b_ih, b_hh):
    """Return the sum of the vectors b, None where there are none."""
    return None if b_ih is None else b_ih + b_hh


def _definition(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, keep, rectified):
    act = relu if rectified else tanh
    incoming = linear(x, w_ih, both(b_ih, b_hh))

    def step(start, count, h):
        return [act(incoming[start : start + count] + linear(h, w_hh))]

    return over_steps(steps_of(sizes, reverse), [h0], step)


# The plain layer


@fused
@unconditional
def _rnn(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, keep, rectified):
    steps = steps_of(sizes, reverse)
    batch, size = h0.shape
    slots = slots_of(x, h0, steps)
    pieces = in_pieces(stacked(w_hh, b_ih, b_hh, w_ih), batch)
    with one_blas_thread():
        for number, (_, count) in enumerate(steps):
            before, after = slots[number], slots[number + 1]
            h = after[:size, :count]
            product(pieces, before[:, :count], h)
            if rectified:
                np.maximum(h, 0.0, out=h)
            else:
                np.tanh(h, out=h)
            after[:size, count:] = before[:size, count:]
    found = rows_of(slots[1:], steps, size), slots[-1, :size].T.copy()
    return (*found, slots if keep else slots[:0])


@fused
@unconditional
def _rnn_slopes(wanted, g_y, g_h, x, h0, w_ih, w_hh, slots, sizes, reverse, rectified):
    steps = steps_of(sizes, reverse)
    dh = transposed(g_h, h0)
    size = dh.shape[0]
    slopes = empty((size, x.shape[0]), x)
    pieces = in_pieces(w_hh.T.copy(), h0.shape[0])
    with one_blas_thread():
        for number in reversed(range(len(steps))):
            start, count = steps[number]
            rows = slice(start, start + count)
            dh_now, h = dh[:, :count], slots[number + 1, :size, :count]
            if g_y is not None:
                dh_now += g_y[rows].T
            slope = h > 0.0 if rectified else 1.0 - h * h
            slope = dh_now * slope
            slopes[:, rows] = slope
            product(pieces, slope, dh_now)
    before = rows_of(slots, steps, size) if wanted[3] else None
    g_x, *others = of_weights((wanted[0], *wanted[2:4]), slopes, before, x, w_ih)
    return g_x, dh.T.copy(), *others


def _together(
    wanted, g_y, g_h, g_slots, x, h0, w_ih, w_hh, slots, sizes, reverse, rectified
):  # fmt: skip
    return _rnn_slopes(wanted, g_y, g_h, x, h0, w_ih, w_hh, slots, sizes, reverse, rectified)


rnn = primitive(
    "rnn", _rnn, inputs="x h0 w_ih w_hh b_ih b_hh", outputs="y h slots",
    formula="hₜ = act(W xₜ + U hₜ₋₁ + b)", definition=_definition, together=_together,
)  # fmt: skip
