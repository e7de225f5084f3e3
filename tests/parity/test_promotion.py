"""Dtype promotion against PyTorch: all pairs, tensors, 0-d tensors and Python numbers."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from tests.parity.compare import DTYPE_NAMES, Failed, difference, outcome, to_torch, torch

OPERATIONS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "floor_divide": lambda a, b: a // b,
    "remainder": lambda a, b: a % b,
    "pow": lambda a, b: a**b,
    "eq": lambda a, b: a == b,
    "lt": lambda a, b: a < b,
    "and": lambda a, b: a & b,
}
FUNCTIONS = ["maximum", "atan2", "hypot", "fmod", "logaddexp", "true_divide"]
NUMBERS = [True, 2, 2.0, 2.0 + 1.0j]


def pairs(numbers=NUMBERS):
    """Yield for each pair of dtypes and each way an operand may stand: the two operands twice."""
    for first in DTYPE_NAMES:
        for second in DTYPE_NAMES:
            for shapes in (((2,), (2,)), ((2,), ()), ((), (2,)), ((), ())):
                a, b = np.ones(shapes[0], first), np.ones(shapes[1], second)
                label = f"{first}{list(shapes[0])}, {second}{list(shapes[1])}"
                yield label, (aino.tensor(a), aino.tensor(b)), (to_torch(a), to_torch(b))
        for number in numbers:
            for shape in ((2,), ()):
                array, label = np.ones(shape, first), f"{first}{list(shape)}"
                a, t = aino.tensor(array), to_torch(array)
                yield f"{label}, {number}", (a, number), (t, number)
                yield f"{number}, {label}", (number, a), (number, t)


#: Where AINO goes on with NumPy's meaning of an integer minus a boolean; two booleans raise.
LENIENT = "with a bool tensor is not supported"

#: No complex numbers here, which PyTorch takes.
REAL = ["logaddexp"]


def compare(ours, theirs, numbers=NUMBERS) -> list[str]:
    found = []
    for label, mine, others in pairs(numbers):
        expected = outcome(theirs, *others)
        if isinstance(expected, Failed) and (
            expected.missing or "Promotion" in str(expected) or LENIENT in str(expected)
        ):
            continue
        text = difference(outcome(ours, *mine), expected, 1e-3, 1e-3)
        if text:
            found.append(f"{label}: {text}")
    return found


@pytest.mark.parametrize("name", OPERATIONS)
def test_operators(name):
    # A boolean to the power of True is a boolean to PyTorch, to the power of a tensor an error.
    numbers = NUMBERS[1:] if name == "pow" else NUMBERS
    found = compare(OPERATIONS[name], OPERATIONS[name], numbers)
    assert not found, f"{len(found)} differ\n" + "\n".join(found[:20])


@pytest.mark.parametrize("name", [n for n in FUNCTIONS if hasattr(aino, n)])
def test_functions(name):
    # PyTorch's take tensors alone; AINO's take numbers as its operators do.
    found = compare(getattr(aino, name), getattr(torch, name), ())
    if name in REAL:
        found = [text for text in found if "complex" not in text]
    assert not found, f"{len(found)} differ\n" + "\n".join(found[:20])


def test_promote_types():
    for first, theirs in DTYPE_NAMES.items():
        for second, others in DTYPE_NAMES.items():
            expected = outcome(torch.promote_types, theirs, others)
            text = difference(outcome(aino.promote_types, first, second), expected)
            if not isinstance(expected, Failed):
                assert not text, f"{first}, {second}: {text}"


def test_result_type_and_can_cast():
    found = []
    for label, mine, others in pairs():
        expected = outcome(torch.result_type, *others)
        if not isinstance(expected, Failed) and expected != "complex32":
            text = difference(outcome(aino.result_type, *mine), expected)
            found += [f"{label}: {text}"] if text else []
    for first, theirs in DTYPE_NAMES.items():
        for second, others in DTYPE_NAMES.items():
            text = difference(aino.can_cast(first, second), torch.can_cast(theirs, others))
            found += [f"can_cast {first}, {second}: {text}"] if text else []
    assert not found, f"{len(found)} differ\n" + "\n".join(found[:20])


@pytest.mark.parametrize(
    "name", ["sum", "prod", "mean", "cumsum", "amax", "argmax", "any", "var", "exp", "abs", "sqrt"]
)
def test_functions_of_one_tensor(name):
    found = []
    for dtype in DTYPE_NAMES:
        array = np.ones(3, dtype)
        expected = outcome(getattr(torch, name), to_torch(array))
        if isinstance(expected, Failed) and expected.missing:
            continue
        text = difference(outcome(getattr(aino, name), aino.tensor(array)), expected, 1e-3, 1e-3)
        found += [f"{dtype}: {text}"] if text else []
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", ["cat", "stack", "where"])
def test_several_tensors(name):
    found = []
    for first in DTYPE_NAMES:
        for second in DTYPE_NAMES:
            arrays = np.ones(2, first), np.ones(2, second)

            def call(module, make, arrays=arrays):
                a, b = (make(array) for array in arrays)
                if name == "where":
                    return module.where(make(np.array([True, False])), a, b)
                return getattr(module, name)([a, b])

            expected = outcome(call, torch, to_torch)
            if isinstance(expected, Failed):
                continue
            text = difference(outcome(call, aino, aino.tensor), expected)
            found += [f"{first}, {second}: {text}"] if text else []
    assert not found, f"{len(found)} differ\n" + "\n".join(found[:20])
