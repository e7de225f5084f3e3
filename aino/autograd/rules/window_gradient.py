"""The gradient of the largest of each window, where windows overlap: on plain arrays, in pieces.

An element in several windows collects from all of them. What a window has to give goes to the
first element that equals its largest, and is gone then; a few thousand elements at a time, so that
the passes over them stay in the cache.
"""

from __future__ import annotations

import numpy as np

from aino import tracing
from aino.autograd.rules.constants import BITS

#: About so many elements of the input at a time.
_PIECE = 1 << 14


@tracing.opaque
def routed(g, x, axis, size, stride, dilation, before):
    """Return the gradient of x: g at the largest element of each window, the last one of NaN.

    Window i begins at ``i · stride - before`` along the axis; of equal elements it is the first.
    """
    y = np.zeros_like(x, g.dtype)
    order = sorted(range(x.ndim), key=lambda a: -abs(x.strides[a]))
    order.remove(axis)
    if not order:
        _route(g, x, y, size, stride, dilation, before)
        return y
    # The axis comes first; the pieces are cut from the next, along which the memory is longest.
    g, source, target = (array.transpose(axis, *order) for array in (g, x, y))
    rows = max(1, _PIECE * source.shape[1] // max(x.size, 1))
    for first in range(0, source.shape[1], rows):
        cut = (slice(None), slice(first, first + rows))
        _route(g[cut], source[cut], target[cut], size, stride, dilation, before)
    return y


def _route(g, x, y, size, stride, dilation, before):
    """Set y, of zeros, to what g gives to the elements of x; windows go along the first axis."""
    # The elements that a number in the windows stands for lie side by side in one of these.
    parts = [slice(phase, None, stride) for phase in range(min(stride, len(x)))]
    found = [np.ascontiguousarray(x[part]) for part in parts]
    given = [np.zeros(part.shape, g.dtype) for part in found]
    places = []
    for k in range(size):
        shift, phase = divmod(k * dilation - before, stride)
        begin = max(-shift, 0)
        end = min(len(g), len(found[phase]) - shift) if phase < len(parts) else 0
        if begin < end:
            places.append((phase, slice(begin, end), slice(begin + shift, end + shift)))
    largest = np.full(g.shape, -np.inf, x.dtype)
    for phase, windows, elements in places:
        np.maximum(largest[windows], found[phase][elements], out=largest[windows])
    bits = BITS[g.dtype]
    left = np.array(g, order="C").view(bits)
    for phase, windows, elements in places:
        chosen = found[phase][elements] == largest[windows]
        _give(left[windows], chosen, given[phase][elements], bits)
    if (largest != largest).any():
        for phase, windows, elements in reversed(places):
            value = found[phase][elements]
            _give(left[windows], value != value, given[phase][elements], bits)
    for part, collected in zip(parts, given):
        y[part] = collected


def _give(left, chosen, given, bits):
    """Move what is left of the chosen windows to their elements: its bits times one or zero."""
    taken = chosen.astype(bits)
    taken *= left
    left ^= taken
    given += taken.view(given.dtype)
