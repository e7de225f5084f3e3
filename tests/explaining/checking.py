"""What every explanation has to fulfil: incoming times local is what a backward pass gives."""

from __future__ import annotations

import numpy as np

from aino.autograd import engine
from aino.autograd.tensor import Tensor
from aino.explaining import expressions
from aino.explaining.explanation import Explanation


def tolerance(dtype) -> float:
    return {2: 2e-2, 4: 1e-4}.get(np.dtype(dtype).itemsize // (2 if dtype.kind == "c" else 1), 1e-8)


def close(got, expected, what: str) -> None:
    got, expected = np.asarray(got), np.asarray(expected)
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    bound = tolerance(expected.dtype)
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    np.testing.assert_allclose(got, expected, bound, bound * scale, err_msg=what)


def summed(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the sum over the axes of broadcasting, written here once more."""
    while array.ndim > len(shape):
        array = array.sum(0)
    for axis, length in enumerate(shape):
        if length == 1:
            array = array.sum(axis, keepdims=True)
    return array


def check_steps(explanation: Explanation) -> None:
    """Check each step by itself: from the numbers that it shows to those that it shows."""
    totals: dict[int, np.ndarray] = {}
    exercise = explanation.exercise
    known = {id(exercise.output): exercise.seed}
    for step in explanation.steps:
        said = f"step {step.number}, {step.operation.title}"
        if id(step.operation.result) in known:
            close(step.incoming, known[id(step.operation.result)], f"{said}: what arrives")
        for part in step.parts:
            what = f"{said}: {part.letter}"
            if part.kind in ("elementwise", "spread"):
                with np.errstate(all="ignore"):
                    product = np.where(part.local == 0, 0, part.met * part.local)
                close(product, part.product, what)
            elif part.kind == "jacobian":
                with np.errstate(all="ignore"):
                    rows = step.incoming.reshape(-1, 1) * part.local
                product = np.where(part.local == 0, 0, rows).sum(0).reshape(part.gradient.shape)
                close(product, part.gradient, what)
            close(summed(part.product, part.gradient.shape), part.gradient, what)
            key = id(part.operand)
            totals[key] = totals[key] + part.gradient if key in totals else part.gradient
            assert part.total is not None
            close(part.total, totals[key], f"{what}: the sum")
            known[key] = totals[key]
            if np.count_nonzero(part.gradient) < part.gradient.size:
                assert part.zero, f"{what}: no word on why it is zero"
            check_formula(step, part, what)


def check_formula(step, part, what: str) -> None:
    """Check a slope's formula by its value, where it is made of what can be evaluated."""
    if part.slope is None or part.local is None:
        return
    values = {key: q.array for key, q in step.operation.operands.items()}
    values["y"] = step.operation.result.array
    if any(value is None for value in values.values()):
        return
    try:
        with np.errstate(all="ignore"):
            got = expressions.evaluate(part.slope, values)
    except KeyError:
        return
    if part.kind == "elementwise":
        close(np.broadcast_to(got, part.local.shape), part.local, f"{what}: its formula")


def check_answers(explanation: Explanation, output: Tensor, inputs, seed=None) -> None:
    """Check the answers against ``autograd.grad``."""
    inputs = list(inputs)
    found = engine.grad(output, inputs, seed, retain_graph=True, allow_unused=True)
    assert len(found) == len(explanation.answers)
    for gradient, answer in zip(found, explanation.answers):
        if gradient is None:
            assert answer.gradient is None
            assert answer.reason
        else:
            close(answer.gradient, gradient.array, answer.of.name)
