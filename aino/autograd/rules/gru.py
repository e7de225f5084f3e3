"""Gated recurrent units: a layer over all steps, and its gradients, as one operation each."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import sigmoid
from aino.autograd.rules.fused import linear
from aino.autograd.rules.recurrent import (
    gates_of,
    in_pieces,
    over_steps,
    product,
    rows_of,
    slots_of,
    steps_of,
    transposed,
)
from aino.autograd.rules.room import empty, zeros
from aino.autograd.rules.trigonometry import tanh
from aino.autograd.sums import sum_over
from aino.num_threads import by_halves, one_blas_thread, shared_product
from aino.tracing import fused, unconditional


def gated(incoming, own, h):
    """Return the new state from the sums of what comes in and of the state, (n, 3 hidden) each."""
    hidden = h.shape[1]
    r, z, n = (slice(k * hidden, (k + 1) * hidden) for k in range(3))
    reset = sigmoid(incoming[:, r] + own[:, r])
    update = sigmoid(incoming[:, z] + own[:, z])
    new = tanh(incoming[:, n] + reset * own[:, n])
    return new + update * (h - new)


def _definition(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, keep):
    incoming = linear(x, w_ih, b_ih)

    def step(start, count, h):
        return [gated(incoming[start : start + count], linear(h, w_hh, b_hh), h)]

    return over_steps(steps_of(sizes, reverse), [h0], step)


def _weights(w_ih, w_hh, b_ih, b_hh):
    """Return what multiplies a slot (h, 1, x) for reset and update, and for the two parts of new.

    The first is negated, as what σ is taken of; the parts of new are those of the state and of what
    comes in, which take the upper and the lower rows of a slot.
    """
    rows, hidden = w_hh.shape
    two = 2 * hidden
    weights = zeros((rows, hidden + 1 + w_ih.shape[1]), w_ih)
    weights[:, :hidden] = w_hh
    weights[:, hidden + 1 :] = w_ih
    own, incoming = weights[two:, : hidden + 1].copy(), weights[two:, hidden:].copy()
    if b_ih is not None:
        weights[:two, hidden] = b_ih[:two] + b_hh[:two]
        own[:, hidden], incoming[:, 0] = b_hh[two:], b_ih[two:]
    return -weights[:two], own, incoming


def _state(part, count, a, t, before, h) -> None:
    """Make gates of their sums, and the new state, of a part of the states; ``t``: room."""
    reset, update, new, own = a = a[:, part]
    t, h = t[part, :count], h[part, :count]
    gates_of(a[:2])
    np.multiply(reset, own, out=t)
    new += t
    np.tanh(new, out=new)
    np.subtract(before[part], new, out=h)
    h *= update
    h += new


@fused
@unconditional
def _gru(x, h0, w_ih, w_hh, b_ih, b_hh, sizes, reverse, keep):
    """Return the rows, the last state, and what the backward pass reads, if it is to be kept."""
    steps = steps_of(sizes, reverse)
    batch, hidden = h0.shape
    slots = slots_of(x, h0, steps)
    gating, own, incoming = (in_pieces(w, batch) for w in _weights(w_ih, w_hh, b_ih, b_hh))
    # Of each step: reset, update, new, and the part of new that reset multiplies.
    gates = empty((len(steps) if keep else 1, 4, hidden, batch), x)
    scratch = empty((hidden, batch), x)
    with one_blas_thread():
        for number, (_, count) in enumerate(steps):
            before, after = slots[number][:, :count], slots[number + 1]
            a = gates[number if keep else 0][:, :, :count]
            sigmoids = a[:2]
            whole = count == batch
            product(gating, before, sigmoids.reshape(2 * hidden, count) if whole else sigmoids)
            product(own, before[: hidden + 1], a[3])
            product(incoming, before[hidden:], a[2])
            by_halves(_state, hidden, count, a, scratch, before, after)
            after[:hidden, count:] = slots[number][:hidden, count:]
    found = rows_of(slots[1:], steps, hidden), slots[-1, :hidden].T.copy()
    return (*found, gates, slots) if keep else (*found, gates[:0], slots[:0])


@fused
@unconditional
def _gru_slopes(wanted, g_y, g_h, x, h0, w_ih, w_hh, gates, slots, sizes, reverse):
    steps = steps_of(sizes, reverse)
    _, _, hidden, batch = gates.shape
    dh = transposed(g_h, h0)
    # The slopes of new's incoming part, of reset, update, and new's own part: what comes in reads
    # the first three, the state the last three.
    slopes = empty((4 * hidden, x.shape[0]), x)
    pieces = in_pieces(w_hh.T.copy(), batch)
    scratch = empty((4, hidden, batch), x)
    through = empty((hidden, batch), x)
    with one_blas_thread():
        for number in reversed(range(len(steps))):
            start, count = steps[number]
            rows = slice(start, start + count)
            s, dh_now = scratch[:, :, :count], dh[:, :count]
            if g_y is not None:
                dh_now += g_y[rows].T
            by_halves(_slopes, hidden, count, s, gates[number], slots[number], dh)
            flat = s.reshape(4 * hidden, count)
            slopes[:, rows] = flat
            dh_now *= gates[number][1][:, :count]
            product(pieces, flat[hidden:], through[:, :count])
            dh_now += through[:, :count]
    before = rows_of(slots, steps, hidden) if wanted[3] else None
    return _of_inputs(wanted, slopes, dh, before, x, w_ih)


def _slopes(part, count, s, a, h_before, dh) -> None:
    """Write the cotangents of new's incoming sum, of reset, of update, and of new's own sum.

    ``part``: of which states.
    """
    s, h_before, dh = s[:, part], h_before[part, :count], dh[part, :count]
    reset, update, new, own = a[:, part, :count]
    np.subtract(1.0, update, out=s[0])
    np.multiply(s[0], update, out=s[2])
    np.subtract(h_before, new, out=s[3])
    s[2] *= s[3]
    s[2] *= dh
    s[0] *= dh
    np.multiply(new, new, out=s[3])
    np.subtract(1.0, s[3], out=s[3])
    s[0] *= s[3]
    np.multiply(s[0], reset, out=s[3])
    np.subtract(1.0, reset, out=s[1])
    s[1] *= s[3]
    s[1] *= own


def _of_inputs(wanted, slopes, dh, before, x, w_ih):
    hidden = dh.shape[0]
    incoming, own = slopes[: 3 * hidden], slopes[hidden:]

    def in_order(g):
        """Return new, reset, update as reset, update, new."""
        return np.concatenate((g[hidden:], g[:hidden]))

    g_x = g_ih = g_hh = g_b_ih = g_b_hh = None
    if wanted[0]:
        g_x = shared_product(incoming.T, np.concatenate((w_ih[2 * hidden :], w_ih[: 2 * hidden])))
    if wanted[2]:
        g_ih = in_order(shared_product(incoming, x))
    if wanted[3]:
        g_hh = shared_product(own, before)
    if wanted[4]:
        g_b_ih = in_order(sum_over(incoming, 1))
    if wanted[5]:
        g_b_hh = sum_over(own, 1)
    return g_x, dh.T.copy(), g_ih, g_hh, g_b_ih, g_b_hh


def _together(
    wanted, g_y, g_h, g_gates, g_slots, x, h0, w_ih, w_hh, gates, slots, sizes, reverse
):  # fmt: skip
    return _gru_slopes(wanted, g_y, g_h, x, h0, w_ih, w_hh, gates, slots, sizes, reverse)


gru = primitive(
    "gru", _gru, inputs="x h0 w_ih w_hh b_ih b_hh", outputs="y h gates slots",
    formula="n = tanh(W x + r (U h + b)), hₜ = n + z (hₜ₋₁ - n)", definition=_definition,
    together=_together,
)  # fmt: skip
