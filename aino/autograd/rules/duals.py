"""In and out of forward mode, as primitives: a dual made of a value and a tangent, and its parts.

Going back, the cotangent of a dual (x, x') is a dual, too, with its parts crossed, (g', g): then
what is multiplied by a derivative on the way back is multiplied as duals are, which gives the
cotangent of x the part that x has in the tangent: f'(x) · (g', g) = (f'(x) g', f'(x) g + f''(x)
x' g'). So each of the three primitives has the others for its rules.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aino.autograd.dual import tangents  # noqa: F401  # duals ask what registers itself there
from aino.autograd.dual.array import DualArray, apart, belongs, part
from aino.autograd.levels import Level, levels_of
from aino.autograd.primitive import primitive
from aino.autograd.tensor import Tensor

#: Duals hold batched arrays, and are never held by them: their levels come behind in the order.
BEHIND = 1 << 48


class DualLevel(Level):
    """A direction in which values move. ``fades``: what is left of it are the values alone."""

    def __init__(self, name: str, fades: bool = False) -> None:
        super().__init__(name)
        self.tick += BEHIND
        self.fades = fades

    def settles(self, cotangent: Any) -> bool:
        """Tell whether a cotangent comes back from a part of a dual, through the crossing."""
        return _returns(cotangent.array if isinstance(cotangent, Tensor) else cotangent, self)

    def settled(self, cotangent: Any) -> Any:
        """Return the cotangent of a value that does not move: that of the value alone."""
        return unpack_tangent(cotangent, self)

    def drawn(self, draw, generator, kind: str, shape, dtype, *parameters) -> Any:
        """Return random numbers, which do not move; their parameters are taken as they stand."""
        return draw(generator, kind, shape, dtype, *part(parameters, self, False))


def _returns(x, level) -> bool:
    if not isinstance(x, DualArray):
        return False
    if x.level is level:
        return x.returning
    return _returns(x.primal, level) or _returns(x.tangent, level)


def _make_dual(x, tangent, of, returning=False):
    for held in (x, tangent):
        if isinstance(held, DualArray) and held.level.tick > of.tick:
            # A younger dual holds the older: each of its parts gets a part of the tangent.
            younger = held.level
            back = any([belongs(one, younger) and one.returning for one in (x, tangent)])
            parts = [
                _make_dual(_part(x, younger, moves), _part(tangent, younger, moves), of, returning)
                for moves in (False, True)
            ]
            return DualArray(parts[0], parts[1], younger, back)
    x, tangent = apart(x.copy(), tangent.copy(), ())
    return DualArray(x, tangent, of, returning)


def _part(x, level, tangent: bool):
    """Return a part of a dual; what is none does not move."""
    if belongs(x, level):
        return x.tangent if tangent else x.primal
    return np.zeros_like(x) if tangent else x


def _unpack(x, of, tangent: bool):
    if of in levels_of(x) and x.level is not of:
        return x.through(lambda held, _: _unpack(held, of, tangent))
    return _part(x, of, tangent)


make_dual: Any = primitive(
    "make_dual", _make_dual, inputs="x tangent", formula="x + tangent · ε",
    x=lambda g, of: unpack_tangent(g, of),
    tangent=lambda g, of: unpack_primal(g, of),
)  # fmt: skip

unpack_primal: Any = primitive(
    "unpack_primal", lambda x, of: _unpack(x, of, False), formula="the value of x",
    x=lambda g, of: make_dual(np.zeros_like(g), g, of, True),
)  # fmt: skip

unpack_tangent: Any = primitive(
    "unpack_tangent", lambda x, of: _unpack(x, of, True), formula="the tangent of x",
    x=lambda g, of: make_dual(g, np.zeros_like(g), of, True),
)  # fmt: skip
