"""Rows of what goes into a level and comes back (``rules/levels.py``, ``rules/duals.py``)."""

import numpy as np

from aino.autograd.rules import duals
from aino.autograd.rules import levels as rules
from tests.calculus.row import Row, case, real


def _hidden(x, dim=0, out_dim=0):
    """Hide one axis, compute on the others, and bring it back."""
    with rules.BatchLevel(x.shape[dim]) as level:
        sample = rules.enter(x, level, dim)
        return rules.leave(sample * sample.sum(), level, out_dim)


def _hidden_oracle(x, dim=0, out_dim=0):
    samples = np.moveaxis(x, dim, 0)
    sums = samples.reshape(samples.shape[0], -1).sum(1)
    return np.moveaxis(samples * sums.reshape(-1, *[1] * (x.ndim - 1)), 0, out_dim)


def _spread(x, y):
    """Multiply what is the same in each sample by what is not."""
    with rules.BatchLevel(y.shape[0]) as level:
        return rules.leave(rules.everywhere(x, level) * rules.enter(y, level, 0), level, 0)


def _moved(x, tangent):
    """Return x² and its derivative along a tangent."""
    with duals.DualLevel("forward mode") as level:
        moved = duals.make_dual(x, tangent, level)
        squared = moved * moved
        return duals.unpack_primal(squared, level), duals.unpack_tangent(squared, level)


ROWS = [
    Row(
        "enter", _hidden, _hidden_oracle,
        [case(real(3, 2)), case(real(2, 3), dim=1, out_dim=1), case(real(2, 3, 2), dim=2)],
        covers="enter leave", torch=None, method="", complex=True,
    ),
    Row(
        "everywhere", _spread, lambda x, y: x * y,
        [case(real(2), real(3, 2)), case(real(), real(2))],
        torch=None, method="", complex=True,
    ),
    Row(
        "make_dual", _moved, lambda x, tangent: (x * x, 2 * x * tangent),
        [case(real(3), real(3)), case(real(2, 3), real(2, 3))],
        covers="make_dual unpack_primal unpack_tangent", torch=None, method="", complex=True,
    ),
]  # fmt: skip
