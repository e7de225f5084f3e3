"""Several tensors into one."""

from __future__ import annotations

import numpy as np

from aino.autograd.primitive import primitive


def _part(g, i, shapes, axis):
    """Return the stretch of ``g`` that came from input ``i``."""
    start = 0
    for shape in shapes[:i]:
        start += shape[axis]
    return g[(slice(None),) * axis + (slice(start, start + shapes[i][axis]),)]


cat = primitive(
    "cat", lambda xs, axis: np.concatenate(xs, axis), inputs="*xs", promotes="common",
    formula="x₁, x₂, ... end to end",
    xs=lambda g, i, xs_shapes, axis: _part(g, i, xs_shapes, axis),
)  # fmt: skip


def _stack(xs, axis):
    # Half the time of np.stack, which does the same.
    lead = (slice(None),) * axis
    return np.concatenate([x[(*lead, None)] for x in xs], axis)


stack = primitive(
    "stack", _stack, inputs="*xs", promotes="common", formula="x₁, x₂, ... on a new axis",
    xs=lambda g, i, axis: g[(slice(None),) * axis + (i, ...)],
)  # fmt: skip
