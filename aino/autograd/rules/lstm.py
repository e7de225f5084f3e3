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
from aino.autograd.rules.trigonometry import tanh
from aino.tracing import fused


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


@fused
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
    gates = np.empty((count, 5, hidden, batch), x.dtype)
    cells = np.empty((count + 1, hidden, batch), x.dtype)
    cells[0] = c0.T
    for number, (_, count) in enumerate(steps):
        before, after = slots[number], slots[number + 1]
        place = number if keep else 0
        a, t = gates[place][:4, :, :count], gates[place][4][:, :count]
        product(pieces, before[:, :count], a.reshape(4 * hidden, count) if count == batch else a)
        gates_of(a[:2], a[3])
        np.tanh(a[2], out=a[2])
        c_before, c = cells[place], cells[place + 1] if keep else cells[place]
        np.multiply(a[0], a[2], out=t)
        np.multiply(a[1], c_before[:, :count], out=c[:, :count])
        c[:, :count] += t
        np.tanh(c[:, :count], out=t)
        if w_hr is None:
            np.multiply(a[3], t, out=after[:size, :count])
        else:
            after[:size, :count] = w_hr @ (a[3] * t)
        if count < batch:
            after[:size, count:] = before[:size, count:]
            c[:, count:] = c_before[:, count:]
    last = cells[-1] if keep else cells[0]
    found = rows_of(slots[1:], steps, size), slots[-1, :size].T.copy(), last.T.copy()
    kept = (gates, cells, slots)
    return (*found, *(kept if keep else [part[:0] for part in kept]))


@fused
def _lstm_slopes(
    wanted, g_y, g_h, g_c, x, h0, w_ih, w_hh, w_hr, gates, cells, slots, sizes, reverse
):  # fmt: skip
    steps = steps_of(sizes, reverse)
    hidden, batch = gates.shape[2:]
    dh = transposed(g_h, h0.shape, x.dtype)
    dc = transposed(g_c, (batch, hidden), x.dtype)
    total, size = x.shape[0], h0.shape[1]
    slopes = np.empty((4 * hidden, total), x.dtype)
    outputs: Any = None
    arrived: Any = None
    if w_hr is not None:
        outputs, arrived = np.empty((total, hidden), x.dtype), np.empty((total, size), x.dtype)
    pieces = in_pieces(np.ascontiguousarray(w_hh.T), batch)
    scratch, room = np.empty((4, hidden, batch), x.dtype), np.empty((hidden, batch), x.dtype)
    for number in reversed(range(len(steps))):
        start, count = steps[number]
        rows = slice(start, start + count)
        a, t = gates[number][:4, :, :count], gates[number][4][:, :count]
        s = scratch[:, :, :count]
        dh_now, dc_now = dh[:, :count], dc[:, :count]
        if g_y is not None:
            dh_now += g_y[rows].T
        arriving = dh_now
        if w_hr is not None:
            outputs[rows] = (a[3] * t).T
            arrived[rows] = dh_now.T
            arriving = w_hr.T @ dh_now
        _slopes(s, t, room[:, :count], a, cells[number][:, :count], arriving, dc_now)
        slopes[:, rows] = s.reshape(4 * hidden, count)
        product(pieces, s.reshape(4 * hidden, count), dh_now)
    before = rows_of(slots, steps, size) if wanted[4] else None
    g_x, *others = of_weights((wanted[0], *wanted[3:5]), slopes, before, x, w_ih)
    g_hr = np.dot(arrived.T, outputs) if w_hr is not None else None
    return g_x, dh.T.copy(), dc.T.copy(), *others, g_hr


def _slopes(s, t, w, a, c_before, dh, dc) -> None:
    """Write the cotangents of the four sums into ``s``; take that of the cell a step back.

    ``t``: the tangent of the cell; ``w``: room for as much.
    """
    i, f, g, o = a
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
