"""Long short-term memory: a layer over all steps, and its gradients, as one operation each."""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.primitive import primitive
from aino.autograd.rules.elementwise import sigmoid
from aino.autograd.rules.fused import linear
from aino.autograd.rules.recurrent import (
    both,
    in_pieces,
    of_weights,
    over_steps,
    product,
    rows_before,
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
def _forward(x, h0, c0, w_ih, w_hh, b_ih, b_hh, w_hr, sizes, reverse, keep):
    """Return the rows, the last states, and what the backward pass reads, if it is to be kept."""
    steps = steps_of(sizes, reverse)
    (batch, hidden), size = c0.shape, h0.shape[1]
    slots = slots_of(x, h0, steps)
    weights = stacked(w_hh, b_ih, b_hh, w_ih)
    # σ(a) = ½ tanh(½ a) + ½, so that all gates go through one call.
    weights[: 2 * hidden] *= 0.5
    weights[3 * hidden :] *= 0.5
    pieces = in_pieces(weights, batch)
    kept = len(steps) if keep else 1
    gates = np.empty((kept, 4, hidden, batch), x.dtype)
    cells = np.empty((kept + 1, hidden, batch), x.dtype)
    cells[0] = c0.T
    scratch = np.empty((hidden, batch), x.dtype)
    for number, (_, count) in enumerate(steps):
        before, after = slots[number], slots[number + 1]
        place = number if keep else 0
        a, t = gates[place][:, :, :count], scratch[:, :count]
        product(pieces, before[:, :count], a.reshape(4 * hidden, count) if count == batch else a)
        _activate(a)
        c_before, c = cells[place], cells[place + 1] if keep else cells[place]
        np.multiply(a[0], a[2], out=t)
        np.multiply(a[1], c_before[:, :count], out=c[:, :count])
        c[:, :count] += t
        np.tanh(c[:, :count], out=t)
        if w_hr is None:
            np.multiply(a[3], t, out=after[:size, :count])
        else:
            t *= a[3]
            after[:size, :count] = w_hr @ t
        if count < batch:
            after[:size, count:] = before[:size, count:]
            c[:, count:] = c_before[:, count:]
    last = cells[-1] if keep else cells[0]
    found = rows_of(slots, steps, size), slots[-1, :size].T.copy(), last.T.copy()
    return (*found, gates, cells) if keep else (*found, gates[:0], cells[:0])


def _activate(a) -> None:
    """Make gates (4, hidden, batch) of sums, of which three are halved."""
    np.tanh(a, out=a)
    for sigmoids in (a[:2], a[3]):
        sigmoids *= 0.5
        sigmoids += 0.5


@fused
def _backward(
    wanted, g_y, g_h, g_c, x, h0, w_ih, w_hh, w_hr, y, gates, cells, sizes, reverse
):  # fmt: skip
    steps = steps_of(sizes, reverse)
    _, _, hidden, batch = gates.shape
    dh = transposed(g_h, h0.shape, x.dtype)
    dc = transposed(g_c, (batch, hidden), x.dtype)
    total = y.shape[0]
    slopes = np.empty((4 * hidden, total), x.dtype)
    outputs: Any = None
    arrived: Any = None
    if w_hr is not None:
        outputs, arrived = np.empty((total, hidden), x.dtype), np.empty_like(y)
    pieces = in_pieces(np.ascontiguousarray(w_hh.T), batch)
    scratch, cell = np.empty((4, hidden, batch), x.dtype), np.empty((hidden, batch), x.dtype)
    for number in reversed(range(len(steps))):
        start, count = steps[number]
        rows = slice(start, start + count)
        a, s, t = gates[number][:, :, :count], scratch[:, :, :count], cell[:, :count]
        dh_now, dc_now = dh[:, :count], dc[:, :count]
        if g_y is not None:
            dh_now += g_y[rows].T
        np.tanh(cells[number + 1][:, :count], out=t)
        arriving = dh_now
        if w_hr is not None:
            outputs[rows] = (a[3] * t).T
            arrived[rows] = dh_now.T
            arriving = w_hr.T @ dh_now
        _slopes(s, t, a, cells[number][:, :count], arriving, dc_now)
        slopes[:, rows] = s.reshape(4 * hidden, count)
        product(pieces, s.reshape(4 * hidden, count), dh_now)
    before = rows_before(y, h0, steps) if wanted[4] else None
    g_x, *others = of_weights((wanted[0], *wanted[3:7]), slopes, before, x, w_ih)
    g_hr = np.dot(arrived.T, outputs) if w_hr is not None else None
    return g_x, dh.T.copy(), dc.T.copy(), *others, g_hr


def _slopes(s, t, a, c_before, dh, dc) -> None:
    """Write the cotangents of the four sums into ``s``; take that of the cell a step back.

    ``t`` holds the tangent of the cell, and is written over.
    """
    np.subtract(1.0, a[3], out=s[3])
    s[3] *= a[3]
    s[3] *= t
    s[3] *= dh
    t *= t
    np.subtract(1.0, t, out=t)
    t *= a[3]
    t *= dh
    dc += t
    np.subtract(1.0, a[:2], out=s[:2])
    s[:2] *= a[:2]
    s[0] *= a[2]
    s[1] *= c_before
    np.multiply(a[2], a[2], out=s[2])
    np.subtract(1.0, s[2], out=s[2])
    s[2] *= a[0]
    s[:3] *= dc
    dc *= a[1]


def _together(
    wanted, g_y, g_h, g_c, g_gates, g_cells, x, h0, w_ih, w_hh, w_hr, y, gates, cells, sizes,
    reverse,
):  # fmt: skip
    return _backward(
        wanted, g_y, g_h, g_c, x, h0, w_ih, w_hh, w_hr, y, gates, cells, sizes, reverse
    )


lstm = primitive(
    "lstm", _forward, inputs="x h0 c0 w_ih w_hh b_ih b_hh w_hr", outputs="y h c gates cells",
    formula="cₜ = σ(f) cₜ₋₁ + σ(i) tanh(g), hₜ = σ(o) tanh(cₜ)", definition=_definition,
    together=_together,
)  # fmt: skip
