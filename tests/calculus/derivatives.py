"""Derivatives against central differences: all elements of an input are moved at a time.

``gradcheck`` moves one element after the other, and so calls a function as often as its inputs
have elements, twice. Here each row of a Jacobian, the gradient of one element of an output, is
compared along a random direction. No element is moved by less than half of what it would be alone,
so what is wrong in a single element shows as well as there.
"""

from __future__ import annotations

import numpy as np

from aino.autograd import engine
from aino.autograd.tensor import Tensor, make

#: How far elements are moved.
STEP = 1e-6


def check_first(function, inputs, tolerance: float) -> None:
    """Raise AssertionError unless the gradients are those of central differences."""
    _check(function, function, inputs, tolerance)


def check_second(function, inputs, tolerance: float) -> None:
    """Raise AssertionError unless the derivatives of the gradients are.

    The gradient is a function of the inputs and of the cotangents that it is taken with. It is
    differentiated as it is recorded, and moved as it is computed on arrays.
    """
    rng = np.random.default_rng(0)
    outputs = [y for y in function(*inputs) if y.requires_grad]
    cotangents = [make(_random(rng, y.array)).requires_grad_() for y in outputs]
    count = len(inputs)

    def gradient(*arguments, create_graph=False):
        outputs = [y for y in function(*arguments[:count]) if y.requires_grad]
        wanted = [x for x in arguments[:count] if x.requires_grad]
        found = engine.grad(
            outputs, wanted, arguments[count:], create_graph=create_graph, allow_unused=True
        )
        return tuple([g for g in found if g is not None])

    def recorded(*arguments):
        return gradient(*arguments, create_graph=True)

    _check(recorded, gradient, (*inputs, *cotangents), tolerance)


def _check(function, moved, inputs, tolerance) -> None:
    """Compare the Jacobians of ``function`` with what ``moved`` gives beside its inputs."""
    rng = np.random.default_rng(0)
    targets = [x for x in inputs if x.requires_grad]
    results = function(*inputs)
    outputs = [y for y in results if y.requires_grad]
    rows = [_rows(y, targets) for y in outputs]
    _check_together(outputs, targets, rows, rng)
    for number, x in enumerate(targets):
        direction = _random(rng, x.array)
        slopes = _differences(moved, inputs, x, direction)
        if not outputs:
            constant = [slope for y, slope in zip(results, slopes) if y.array.dtype.kind in "fc"]
            assert not np.any(constant), f"an output without a gradient depends on input {number}"
        moving = [slope for y, slope in zip(results, slopes) if y.requires_grad]
        for place, (row, slope) in enumerate(zip(rows, moving)):
            found = (row[number].conj() @ direction.reshape(-1)).real
            expected = _parts(slope).reshape(-1)
            near = np.abs(found - expected) <= tolerance + tolerance * np.abs(expected)
            assert near.all(), (
                f"output {place} along input {number}: its elements {np.flatnonzero(~near)} change "
                f"by {expected[~near]}, and by {found[~near]} as their gradients have it"
            )


def _rows(y: Tensor, targets) -> list[np.ndarray]:
    """Return the gradients of each element of an output (of a complex one: of both parts)."""
    found: list[list[np.ndarray]] = [[] for _ in targets]
    for element in np.ndindex(y.array.shape):
        for part in (1.0, 1j) if y.array.dtype.kind == "c" else (1.0,):
            cotangent = np.zeros_like(y.array)
            cotangent[element] = part
            for rows, gradient in zip(found, _gradients([y], targets, [cotangent])):
                rows.append(gradient)
    return [np.reshape(rows, (len(rows), x.array.size)) for rows, x in zip(found, targets)]


def _gradients(outputs, targets, cotangents) -> list[np.ndarray]:
    seeds = [make(cotangent) for cotangent in cotangents]
    found = engine.grad(outputs, targets, seeds, retain_graph=True, allow_unused=True)
    arrays = [np.zeros_like(x.array) if g is None else g.array for g, x in zip(found, targets)]
    for array, x in zip(arrays, targets):
        assert array.shape == x.array.shape, f"the gradient of {x.shape} has shape {array.shape}"
    return arrays


def _check_together(outputs, targets, rows, rng) -> None:
    """Raise unless the cotangents of all outputs together give the sum of what each gives."""
    if len(outputs) < 2:
        return
    cotangents = [_random(rng, y.array) for y in outputs]
    for number, gradient in enumerate(_gradients(outputs, targets, cotangents)):
        expected = sum([_parts(c).reshape(-1) @ row[number] for c, row in zip(cotangents, rows)])
        np.testing.assert_allclose(
            gradient.reshape(-1), expected, 1e-8, 1e-8, err_msg="all outputs and each alone"
        )


def _differences(function, inputs, x: Tensor, direction) -> list[np.ndarray]:
    """Return the derivatives of the outputs along a direction of one input."""
    found = []
    for step in (STEP, -STEP):
        there = make(np.array(x.array + step * direction)).requires_grad_()
        results = function(*[there if given is x else given for given in inputs])
        found.append([y.array.astype(np.result_type(y.array, np.float64)) for y in results])
    return [(ahead - behind) / (2.0 * STEP) for ahead, behind in zip(*found)]


def _parts(array) -> np.ndarray:
    """Return an array's numbers, both parts of complex ones side by side."""
    return np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array


def _random(rng, array) -> np.ndarray:
    """Return numbers of an array's shape and dtype, none (and no part of one) below a half."""
    values = rng.uniform(0.5, 1.0, array.shape) * rng.choice((-1.0, 1.0), array.shape)
    if array.dtype.kind == "c":
        values = values + 1j * rng.uniform(0.5, 1.0, array.shape)
    return np.asarray(values, array.dtype)
