"""Quantiles of the normal distribution, which the inverse of the error function is made of too.

Source: Wichura, "Algorithm AS 241: The percentage points of the normal distribution" (1988).
"""

from __future__ import annotations

import numpy as np

from aino.autograd.rules.in_double import pieces, power_series

# Quotients of two polynomials each: by the distance from the middle, and by √(-ln p) in the tails.
# fmt: off
_MIDDLE = (
    (3.3871328727963666, 133.14166789178438, 1971.5909503065514, 13731.693765509461,
     45921.95393154987, 67265.7709270087, 33430.57558358813, 2509.0809287301227),
    (1.0, 42.31333070160091, 687.187007492058, 5394.196021424751,
     21213.794301586597, 39307.89580009271, 28729.085735721943, 5226.495278852854),
)
_TAIL = (
    (1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045,
     1.2704582524523684, 0.2417807251774506, 0.022723844989269184, 0.0007745450142783414),
    (1.0, 2.053191626637759, 1.6763848301838038, 0.6897673349851,
     0.14810397642748008, 0.015198666563616457, 0.0005475938084995345, 1.0507500716444169e-09),
)
_FAR_TAIL = (
    (6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487,
     0.026532189526576124, 0.0012426609473880784, 2.7115555687434876e-05, 2.0103343992922881e-07),
    (1.0, 0.599832206555888, 0.1369298809227358, 0.014875361290850615,
     0.0007868691311456133, 1.8463183175100548e-05, 1.421511758316446e-07, 2.0442631033899397e-15),
)
# fmt: on


def _quotient(polynomials, z):
    above, below = polynomials
    return power_series(above, z) / power_series(below, z)


def _middle(distance):
    return distance * _quotient(_MIDDLE, 0.180625 - distance * distance)


def _far_tail(p):
    r = np.sqrt(-np.log(p))
    return pieces(
        r,
        (r <= 5.0, lambda r: _quotient(_TAIL, r - 1.6)),
        (r < np.inf, lambda r: _quotient(_FAR_TAIL, r - 5.0)),
        (r == np.inf, np.copy),
    )


def normal_quantile(distance, tail):
    """Return the x at which the normal distribution has reached ½ + distance.

    ``tail`` is ½ - |distance|, given with all its digits: nan where it is negative.
    """
    y = np.empty_like(distance)
    near = np.absolute(distance) <= 0.425
    y[near] = _middle(distance[near])
    far = ~near
    y[far] = np.copysign(_far_tail(tail[far]), distance[far])
    return y
