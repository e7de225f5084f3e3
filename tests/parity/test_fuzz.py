"""Random graphs, views and writes in place against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import aino
from tests.parity.compare import Failed, difference, outcome, torch
from tests.parity.programs import NEW, STEPS, VALUES, run, steps

PURE = [name for name in NEW if name not in ("detach", "silent_row")]


#: A write into a part of an expanded tensor is refused, where PyTorch allows the few that do not
#: overlap.
WRITING = [name for name in STEPS if name != "expand"]

#: Steps after which finite differences see more than the gradient does.
QUIET = {"detach", "silent_row", "silent_add_", "detached_add_"}


@settings(max_examples=300)
@given(steps(PURE))
def test_graphs_of_both_orders(program):
    ours, theirs = (outcome(run, module, program, VALUES, 2) for module in (aino, torch))
    text = difference(ours, theirs)
    assert not text, text


def numerical(program):
    """Return the gradient of the program's total by central differences."""
    gradient = np.zeros(VALUES.shape)
    for element in np.ndindex(VALUES.shape):
        step = np.zeros(VALUES.shape)
        step[element] = 1e-6
        ahead, behind = (run(aino, program, VALUES + s * step)[1].item() for s in (1, -1))
        gradient[element] = (ahead - behind) / 2e-6
    return gradient


@pytest.mark.parametrize("order", [1, 2])
@settings(max_examples=700)
@given(program=steps(WRITING))
def test_writes_in_place(order, program):
    """A gradient is PyTorch's, or both raise; where only PyTorch raises, it has to be right."""
    ours = outcome(run, aino, program, VALUES, order)
    theirs = outcome(run, torch, program, VALUES, order)
    if isinstance(ours, Failed) and isinstance(theirs, Failed):
        return
    if refused(ours) < refused(theirs) or isinstance(theirs, Failed):
        # PyTorch refuses a step, or the whole, where AINO goes on: either to an error or to
        # the right gradient.
        if not isinstance(ours, Failed) and not QUIET.intersection(name for name, _, _ in program):
            np.testing.assert_allclose(ours[2], numerical(program), rtol=1e-4, atol=1e-5)
        return
    text = difference(ours, theirs)
    assert not text, text


def refused(result) -> set:
    steps = result.error.refused if isinstance(result, Failed) else result[0]
    return {(position, name) for position, name in enumerate(steps) if name}
