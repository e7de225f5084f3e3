"""Running sums, products and logarithms of sums along an axis."""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.operands import float64
from aino.autograd.primitive import cast, primitive
from aino.autograd.rules.elementwise import add_logarithms
from aino.autograd.rules.shape import pad
from aino.autograd.sums import accumulated, sum_over
from aino.dtypes import complex128


def _turned(x, axis):
    """Return ``x`` walked from the end of ``axis``."""
    return x[(slice(None),) * axis + (slice(None, None, -1),)]


def shift(x, axis, steps, fill=0.0):
    """Return ``x`` moved by ``steps`` along ``axis``; ``fill`` takes the places left behind."""
    distance = min(abs(steps), x.shape[axis])
    if steps > 0:
        kept, widths = slice(0, x.shape[axis] - distance), (distance, 0)
    else:
        kept, widths = slice(distance, None), (0, distance)
    frame = [(0, 0)] * x.ndim
    frame[axis] = widths
    return pad(x[(slice(None),) * axis + (kept,)], tuple(frame), fill)


def _cumsum(x, axis, reverse=False):
    if reverse:
        return _turned(accumulated(np.add, _turned(x, axis), axis), axis)
    return accumulated(np.add, x, axis)


cumsum = primitive(
    "cumsum", _cumsum, formula="yᵢ = x₀ + ... + xᵢ",
    x=lambda g, axis, reverse: cumsum(g, axis, not reverse),
)  # fmt: skip


# A linear recurrence is what the gradients of running products come down to. Solved by doubling:
# after k rounds every element knows the 2ᵏ before it, so that n of them take log₂ n rounds, no
# element is divided by, and zeros are nothing special.


def _recurrence(a, b, axis, reverse):
    direction = -1 if reverse else 1
    step = 1
    while step < b.shape[axis]:
        b = b + a * shift(b, axis, direction * step)
        a = a * shift(a, axis, direction * step)
        step *= 2
    return b.copy() if step == 1 else b


recurrence = primitive(
    "recurrence", _recurrence, formula="yᵢ = aᵢ yᵢ₋₁ + bᵢ",
    a=lambda g, y, a, axis, reverse: (
        _backward_recurrence(a, g, axis, reverse) * shift(y, axis, -1 if reverse else 1)
    ),
    b=lambda g, a, axis, reverse: _backward_recurrence(a, g, axis, reverse),
)  # fmt: skip


def _backward_recurrence(a, g, axis, reverse):
    """Return what reaches each element of ``b``: a recurrence in the other direction."""
    return recurrence(shift(a, axis, 1 if reverse else -1), g, axis, not reverse)


def doubled(x):
    """Return ``x`` at double width, where products of float32 neither overflow nor vanish."""
    if x.dtype.kind == "c":
        return x if x.dtype == complex128 else cast(x, complex128)
    return x if x.dtype == float64 else cast(x, float64)


def _product_slope(g, x, axis):
    # ∂yⱼ/∂xᵢ is the product before i times that of the elements from i + 1 to j.
    dtype, g, x = x.dtype, doubled(g), doubled(x)
    nothing = sum_over(x * 0.0 + g * 0.0, axis, True)
    before = _before(x, axis, nothing)
    slope = before * recurrence(shift(x, axis, -1), g, axis, True)
    return cast(np.where((before == 0.0) & (slope != slope), nothing, slope), dtype)


def _before(x, axis, nothing):
    """Return the product of the elements before each; ``nothing`` where 0 met an overflow."""
    before = cumprod(shift(x, axis, 1, 1.0), axis)
    return np.where(before != before, nothing, before)


cumprod = primitive(
    "cumprod", lambda x, axis: accumulated(np.multiply, x, axis), formula="yᵢ = x₀ · ... · xᵢ",
    x=lambda g, x, axis: _product_slope(g, x, axis),
)  # fmt: skip


def all_others(x, axis):
    """Return for each element the product of all others along ``axis``, at double width."""
    x = doubled(x)
    # 0, unless an element is infinite or no number: what 0 times an overflow is.
    nothing = sum_over(x * 0.0, axis, True)
    before = _before(x, axis, nothing)
    others = before * _turned(_before(_turned(x, axis), axis, nothing), axis)
    return np.where(others != others, nothing, others)


def _log_sum_slope(g, x, y, axis):
    # Σⱼ≥ᵢ gⱼ exp(xᵢ - yⱼ), in factors that never exceed one: y only grows.
    nothing = y == -math.inf
    level = np.where(nothing, 0.0, y)
    lead = (slice(None),) * axis
    here, following = (*lead, slice(None, -1)), (*lead, slice(1, None))
    fall = np.where(nothing[here], 0.0, level[here] - level[following])
    decay = np.where(nothing[here], 0.0, np.exp(fall))
    frame = [(0, 0)] * x.ndim
    frame[axis] = (0, 1)
    return np.exp(x - level) * recurrence(pad(decay, tuple(frame), 0.0), g, axis, True)


def _logcumsumexp(x, axis):
    if x.dtype.kind != "c":
        return accumulated(np.logaddexp, x, axis)
    # From one to the next: which of its values a complex logarithm takes depends on the way to it.
    lead = (slice(None),) * axis
    y = x.copy()
    for i in range(1, x.shape[axis]):
        y[(*lead, i)] = add_logarithms(y[(*lead, i - 1)], x[(*lead, i)])
    return y


logcumsumexp = primitive(
    "logcumsumexp", _logcumsumexp,
    formula="yᵢ = ln(exp x₀ + ... + exp xᵢ)",
    x=lambda g, x, y, axis: _log_sum_slope(g, x, y, axis),
)  # fmt: skip
