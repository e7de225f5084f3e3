"""Long short-term memory: a layer over all steps, and its gradients, as one operation each."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import sigmoid
from aino.autograd.rules.fused import linear
from aino.autograd.rules.recurrent import (
    both,
    gates_of,
    in_pieces,
    of_weights,
    over_steps,
    product,
    rows_of,
    slots_of,
    stacked,
    steps_of,
    transposed,
)
from aino.autograd.rules.room import empty, zeros
from aino.autograd.rules.trigonometry import tanh
from aino.num_threads import by_halves, one_blas_thread, shared_product
from aino.tracing import fused, unconditional


def gated(gates, c):
    """Return the output before projection and the cell, from gates (n, 4 hidden) and a cell."""
    hidden = c.shape[1]
    i, f, g, o = (gates[:, k * hidden : (k + 1) * hidden] for k in range(4))
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def _definition(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse, keep):
    incoming = linear(x, w_ih, both(b_ih, b_hh))

    def step(start, count, h, c):
        h, c = gated(incoming[start : start + count] + linear(h, w_hh), c)
        return [h if w_hr is None else linear(h, w_hr), c]

    return over_steps(steps_of(sizes, reverse), [h0, c0], step)


def _cell(part, count, of_step, c_before, c, h) -> None:
    """Make gates of their sums, the cell and its tangent, of a part of the cells; the output, too.

    ``of_step``: the four sums, and room for the tangent; ``h``: None where no output is wanted.
    """
    of_step, c = of_step[:, part, :count], c[part, :count]
    i, f, g, o, t = of_step
    gates_of(of_step[:2], o)
    np.tanh(g, out=g)
    np.multiply(i, g, out=t)
    np.multiply(f, c_before[part, :count], out=c)
    c += t
    np.tanh(c, out=t)
    if h is not None:
        np.multiply(o, t, out=h[part, :count])


@fused
@unconditional
def _lstm(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse, keep):
    """Return the rows, the last states, and what the backward pass reads, if it is to be kept."""
    steps = steps_of(sizes, reverse)
    (batch, hidden), size = c0.shape, h0.shape[1]
    slots = slots_of(x, h0, steps)
    weights = stacked(w_hh, b_ih, b_hh, w_ih)
    # What σ is taken of is negated from the start.
    weights[: 2 * hidden] *= -1.0
    weights[3 * hidden :] *= -1.0
    pieces = in_pieces(weights, batch)
    count = len(steps) if keep else 1
    # Of each step: the gates, and the tangent of the cell.
    gates = empty((count, 5, hidden, batch), x)
    cells = empty((count + 1, hidden, batch), x)
    cells[0] = c0.T
    with one_blas_thread():
        for number, (_, count) in enumerate(steps):
            before, after = slots[number], slots[number + 1]
            of_step = gates[number if keep else 0]
            a = of_step[:4, :, :count]
            product(
                pieces, before[:, :count], a.reshape(4 * hidden, count) if count == batch else a
            )
            c_before, c = cells[number if keep else 0], cells[number + 1 if keep else 0]
            h = after if w_hr is None else None
            by_halves(_cell, hidden, count, of_step, c_before, c, h)
            if w_hr is not None:
                after[:size, :count] = w_hr @ (a[3] * of_step[4][:, :count])
            if count < batch:
                after[:size, count:] = before[:size, count:]
                c[:, count:] = c_before[:, count:]
    last = cells[-1] if keep else cells[0]
    found = rows_of(slots[1:], steps, size), slots[-1, :size].T.copy(), last.T.copy()
    kept = (gates, cells, slots)
    return (*found, *(kept if keep else [part[:0] for part in kept]))


@fused
@unconditional
def _lstm_slopes(
    wanted, g_y, g_h, g_c, x, h0, w_ih, w_hh, w_hr, gates, cells, slots, sizes, reverse
):  # fmt: skip
    steps = steps_of(sizes, reverse)
    hidden, batch = gates.shape[2:]
    dh = transposed(g_h, h0)
    dc = zeros((hidden, batch), x) if g_c is None else g_c.T.copy()
    total, size = x.shape[0], h0.shape[1]
    slopes = empty((4 * hidden, total), x)
    outputs: Any = None
    arrived: Any = None
    if w_hr is not None:
        outputs = empty((total, hidden), x)
        arrived = empty((total, size), x)
    pieces = in_pieces(w_hh.T.copy(), batch)
    scratch = empty((4, hidden, batch), x)
    room = empty((hidden, batch), x)
    with one_blas_thread():
        for number in reversed(range(len(steps))):
            start, count = steps[number]
            rows = slice(start, start + count)
            s, dh_now = scratch[:, :, :count], dh[:, :count]
            if g_y is not None:
                dh_now += g_y[rows].T
            arriving = dh_now
            if w_hr is not None:
                o, t = gates[number][3:, :, :count]
                outputs[rows] = (o * t).T
                arrived[rows] = dh_now.T
                arriving = w_hr.T @ dh_now
            kept = gates[number], cells[number]
            by_halves(_slopes, hidden, count, s, room, *kept, arriving, dc)
            slopes[:, rows] = s.reshape(4 * hidden, count)
            product(pieces, s.reshape(4 * hidden, count), dh_now)
    before = rows_of(slots, steps, size) if wanted[4] else None
    g_x, *others = of_weights((wanted[0], *wanted[3:5]), slopes, before, x, w_ih)
    g_hr = shared_product(arrived.T, outputs) if w_hr is not None else None
    return g_x, dh.T.copy(), dc.T.copy(), *others, g_hr


def _slopes(part, count, s, w, of_step, c_before, dh, dc) -> None:
    """Write the cotangents of the four sums into ``s``; take that of the cell a step back.

    ``part``: of which cells; ``of_step``: the gates and the tangent of the cell; ``w``: room for
    as much.
    """
    s, a, w, dc = s[:, part], of_step[:, part, :count], w[part, :count], dc[part, :count]
    c_before, dh = c_before[part, :count], dh[part]
    i, f, g, o, t = a
    np.subtract(1.0, a[:2], out=s[:2])
    np.subtract(1.0, o, out=s[3])
    np.multiply(dh, o, out=w)
    dc += w  # dh o (1 - t²), in two steps
    w *= t
    s[3] *= w  # dh o t (1 - o)
    w *= t
    dc -= w
    np.multiply(dc, i, out=s[2])
    np.multiply(s[2], g, out=w)
    s[0] *= w  # dc i g (1 - i)
    w *= g
    s[2] -= w  # dc i (1 - g²)
    dc *= f
    s[1] *= dc  # dc f c (1 - f)
    s[1] *= c_before


def _together(
    wanted, g_y, g_h, g_c, g_gates, g_cells, g_slots, x, h0, w_ih, w_hh, w_hr, gates, cells, slots,
    sizes, reverse,
):  # fmt: skip
    return _lstm_slopes(
        wanted, g_y, g_h, g_c, x, h0, w_ih, w_hh, w_hr, gates, cells, slots, sizes, reverse
    )


lstm = primitive(
    "lstm", _lstm, inputs="x h0 c0 w_ih w_hh b_ih b_hh w_hr", outputs="y h c gates cells slots",
    formula="cₜ = σ(f) cₜ₋₁ + σ(i) tanh(g), hₜ = σ(o) tanh(cₜ)", definition=_definition,
    together=_together,
)  # fmt: skip
