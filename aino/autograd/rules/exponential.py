"""The exponential of a matrix, and of whole stacks of them.

Source: Higham, The scaling and squaring method for the matrix exponential revisited (2005).
"""

from __future__ import annotations

import math

import numpy as np

from aino.autograd.primitive import primitive
from aino.tracing import opaque, over_leading

#: Up to this norm Padé's approximant of degree 13 is exact to float64.
_RADIUS = 5.371920351148152
#: Its coefficients, from that of 1 to that of the 13th power.
_PADE = (
    64764752532480000.0, 32382376266240000.0, 7771770303897600.0, 1187353796428800.0,
    129060195264000.0, 10559470521600.0, 670442572800.0, 33522128640.0, 1323241920.0, 40840800.0,
    960960.0, 16380.0, 182.0, 1.0,
)  # fmt: skip


def _scaled_matrix_exp(x):
    """Return eˣ of matrices whose norm is below the radius."""
    unit = np.eye(x.shape[-1], dtype=x.dtype)
    x2 = x @ x
    x4 = x2 @ x2
    x6 = x4 @ x2

    def combined(low):
        """Return the sum of every second power, from the coefficient ``low`` on, less one x."""
        b = _PADE[low::2]
        high = x6 @ (b[6] * x6 + b[5] * x4 + b[4] * x2)
        return high + b[3] * x6 + b[2] * x4 + b[1] * x2 + b[0] * unit

    odd, even = x @ combined(1), combined(0)
    return np.linalg.solve(even - odd, even + odd)


@opaque
@over_leading
def _matrix_exp(x):
    *batch, n, _ = x.shape
    if not x.size:
        return x.copy()
    flat = x.reshape((math.prod(batch), n, n))
    norm = np.abs(flat).sum(-2).max(-1)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        squarings = np.ceil(np.log2(norm / _RADIUS))
        squarings = np.where(np.isfinite(squarings), np.maximum(squarings, 0), 0).astype(int)
        scale = np.ldexp(np.ones((), norm.dtype), -squarings)
        y = _scaled_matrix_exp(flat * scale[:, None, None])
        for step in range(squarings.max()):
            again = squarings > step
            y[again] = y[again] @ y[again]
    return y.reshape(x.shape)


def _exponential_slope(g, x):
    """Read the derivative off the exponential of a matrix of four blocks.

    Source: Mathias, A chain rule for matrix functions and applications (1996).
    """
    n = x.shape[-1]
    above = np.concatenate([x.mT, g], -1)
    below = np.concatenate([np.zeros_like(g), x.mT], -1)
    return matrix_exp(np.concatenate([above, below], -2))[..., :n, n:]


matrix_exp = primitive("matrix_exp", _matrix_exp, inputs="x", formula="eˣ", x=_exponential_slope)
