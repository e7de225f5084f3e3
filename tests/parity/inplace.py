"""Programs that write in place, the same for both libraries.

Each gets the module and a leaf of shape (2, 3), and returns what is summed and differentiated.
"""

from __future__ import annotations

import numpy as np

import aino
from tests.parity.compare import Failed, difference, outcome, torch

LEAF = np.array([[0.5, -1.5, 2.0], [1.25, 0.75, -0.5]])

#: What PyTorch refuses and AINO differentiates: by finite differences, or where a part is
#: detached, by hand.
ALLOWED = {
    "a_chain_of_functions": None,
    "views_of_split": None,
    "views_of_unbind": None,
    "detach_in_place": 8.0 * LEAF,
    "a_view_under_no_grad_and_its_base_is_written": np.full(LEAF.shape, 6.0),
}


def run(module, function):
    x = module.tensor(LEAF.tolist(), dtype=module.float64, requires_grad=True)
    y = function(module, x)
    (y if y.ndim == 0 else y.sum()).backward()
    return [y, x.grad]


def numerical(function):
    """Return the gradient of a program by central differences."""
    gradient = np.zeros(LEAF.shape)
    for element in np.ndindex(LEAF.shape):
        step = np.zeros(LEAF.shape)
        step[element] = 1e-6
        ahead, behind = (
            function(aino, aino.tensor(LEAF + sign * step, requires_grad=True)).sum().item()
            for sign in (1.0, -1.0)
        )
        gradient[element] = (ahead - behind) / 2e-6
    return gradient


def check_program(function) -> None:
    """PyTorch's gradient, or an error where PyTorch has one."""
    ours, theirs = outcome(run, aino, function), outcome(run, torch, function)
    allowed = ALLOWED.get(function.__name__)
    if function.__name__ in ALLOWED and isinstance(theirs, Failed):
        expected = numerical(function) if allowed is None else allowed
        np.testing.assert_allclose(ours[1], expected, rtol=1e-6, atol=1e-8)
        return
    text = difference(ours, theirs)
    assert not text, text
