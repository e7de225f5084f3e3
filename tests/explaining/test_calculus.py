"""Every row of the calculus, explained: each number against ``autograd.grad``, step by step."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import engine
from aino.autograd.primitive import REGISTRY
from aino.autograd.tensor import Tensor, make
from tests.calculus import harness
from tests.explaining.checking import check_answers, check_steps

ROWS = harness.load_rows()

#: What stands in no graph that can be differentiated: rules that raise, levels of transforms.
NOT_RECORDED = {
    "distinct", "weighted_turn", "weighted_share", "enter", "leave", "everywhere", "make_dual",
    "unpack_primal", "unpack_tangent", "geqrf", "ldl", "log_gamma_sample",
}  # fmt: skip


def differentiable(row, case):
    return row.order > 0 and any(sample.wanted for sample in case.samples())


def cases_of(name):
    """Return the rows and cases of a primitive: ordinary ones, else those at its kinks."""
    rows = [row for row in ROWS if name in row.covered]
    rows.sort(key=lambda row: row.primitive is None)  # its own first, where it is met at once
    found = [(row, case) for row in rows for case in row.cases if differentiable(row, case)]
    return found + [(row, case) for row in rows for case in row.kinks if row.order > 0]


def explained(row, case, dtype=np.float64):
    """Yield an explanation of each output of a row's function, with what it is checked by."""
    tensors = harness.tensors_of(case, harness.drawn(row, case, dtype))
    for y in harness.call(row, case, tensors):
        if isinstance(y, Tensor) and y.requires_grad:
            seed = make(harness.cotangents_of([y])[0])
            wanted = harness.wanted_of(tensors)
            yield aino.explain(y, wanted, gradient=seed, limit=400), y, wanted, seed


def titles_of_slopes(row, case):
    """Return the operations in the graphs of the gradients, which are explained and checked."""
    tensors = harness.tensors_of(case, harness.drawn(row, case))
    wanted = harness.wanted_of(tensors)
    used = [
        y for y in harness.call(row, case, tensors) if isinstance(y, Tensor) and y.requires_grad
    ]
    seeds = [make(seed).requires_grad_() for seed in harness.cotangents_of(used)]
    titles = set()
    for slope in engine.grad(used, wanted, seeds, create_graph=True):
        if slope.requires_grad:
            seed = make(harness.cotangents_of([slope])[0])
            explanation = aino.explain(slope, [*seeds, *wanted], gradient=seed, limit=400)
            check_answers(explanation, slope, [*seeds, *wanted], seed)
            check_steps(explanation)
            titles |= {step.operation.title for step in explanation.steps}
    return titles


NAMES = sorted(name for name, declared in REGISTRY.items() if declared.rules)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NOT_RECORDED])
def test_incoming_times_local_is_what_backward_gives(name):
    for row, case in cases_of(name):
        met = False
        for explanation, y, wanted, seed in explained(row, case):
            check_answers(explanation, y, wanted, seed)
            check_steps(explanation)
            latex = explanation.latex()
            assert latex.isascii()
            assert "?}" not in latex
            met = met or name in [step.operation.title for step in explanation.steps]
        if met:
            return
    for row, case in cases_of(name):  # what stands in the graphs of gradients alone
        if name in titles_of_slopes(row, case):
            return
    pytest.fail(f"no explanation of {name} was met")


def test_complex_numbers_are_explained_as_they_are_differentiated():
    for name in ("mul", "div", "exp", "abs", "conj", "mm", "real"):
        row = next(row for row in ROWS if row.complex and name in row.covered)
        for explanation, y, wanted, seed in explained(row, row.cases[0], np.complex128):
            check_answers(explanation, y, wanted, seed)
            check_steps(explanation)


def test_the_check_of_steps_sees_a_wrong_local_derivative():
    x = aino.tensor([1.0, 2.0], requires_grad=True)
    explanation = aino.explain(x.exp().sum())
    check_steps(explanation)
    explanation.steps[1].parts[0].local = explanation.steps[1].parts[0].local + 1e-2
    with pytest.raises(AssertionError):
        check_steps(explanation)
