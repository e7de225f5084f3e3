"""The checks that every row of the calculus has to pass under vmap: each against a loop.

A check takes a row and a case, and raises AssertionError. Three samples are drawn for a case;
what is computed for all of them at once has to be what is computed for each.
"""

from __future__ import annotations

import zlib

import numpy as np

import aino
from aino.autograd import engine
from aino.autograd.tensor import Tensor, make
from aino.func import grad, vmap
from tests.calculus.harness import array_of, call, flat
from tests.calculus.row import Case, Row

SAMPLES = 2
TOLERANCE = 1e-8


def drawn(row: Row, case: Case, number: int) -> list[np.ndarray]:
    """Return the arrays of one sample, in float64."""
    return case.draw(f"{row.name} {case} {number}")


def samples_of(row: Row, case: Case) -> list[list[np.ndarray]]:
    """Return for each sample of the case its arrays."""
    return [drawn(row, case, number) for number in range(SAMPLES)]


def outputs_of(row: Row, case: Case, values) -> tuple:
    """Return the tensors that a call gives."""
    return tuple([y for y in flat(call(row, case, values)) if isinstance(y, Tensor)])


def stacked(samples) -> list[Tensor]:
    return [make(np.stack(column)) for column in zip(*samples)]


def is_wanted(sample, array) -> bool:
    return sample.wanted and array.dtype.kind in "fc"


def close(got, expected, what: str) -> None:
    got, expected = array_of(got), array_of(expected)
    assert type(got) is np.ndarray, f"{what}: a {type(got).__name__} left the transform"
    assert got.dtype == expected.dtype, f"{what}: dtype {got.dtype}, expected {expected.dtype}"
    assert got.shape == expected.shape, f"{what}: shape {got.shape}, expected {expected.shape}"
    np.testing.assert_allclose(
        got, expected, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True, err_msg=what
    )


def batchings(case: Case, each_alone: bool = True):
    """Return which arguments are batched: all of them, and each alone where they are several."""
    count = len(case.samples())
    yield (True,) * count
    if count > 1 and each_alone:
        for alone in range(count):
            yield tuple([position == alone for position in range(count)])


def given(samples, batched) -> tuple[list[list[np.ndarray]], list[Tensor], tuple]:
    """Return each sample's arrays, what vmap is given in their place, and the in_dims."""
    first = samples[0]
    own = [
        [array if is_batched else same for array, same, is_batched in zip(arrays, first, batched)]
        for arrays in samples
    ]
    tensors = [
        make(np.stack(column)) if is_batched else make(column[0])
        for column, is_batched in zip(zip(*own), batched)
    ]
    return own, tensors, tuple([0 if is_batched else None for is_batched in batched])


def weights_of(outputs) -> list[Tensor]:
    """Return what each output is multiplied with, to make one number of all."""
    rng = np.random.default_rng(zlib.crc32(b"weights"))
    found = []
    for y in outputs:
        values = rng.uniform(-1.0, 1.0, y.array.shape)
        found.append(make(np.asarray(values.astype(y.dtype))))
    return found


def number_of(outputs, weights) -> Tensor:
    """Return one number that depends on every output that can be differentiated."""
    total = aino.zeros((), dtype=aino.float64)
    for y, weight in zip(outputs, weights):
        if y.dtype.kind in "fc":
            part = (y * weight).sum()
            total = total + (part.real + part.imag if y.dtype.kind == "c" else part)
    return total


def check_value(row: Row, case: Case) -> None:
    """All samples at once give what each gives."""
    samples = samples_of(row, case)
    for batched in batchings(case):
        own, tensors, in_dims = given(samples, batched)
        expected = [outputs_of(row, case, [make(array) for array in arrays]) for arrays in own]
        found = vmap(lambda *values: outputs_of(row, case, values), in_dims, randomness="same")(
            *tensors
        )
        for position, y in enumerate(found):
            close(y, np.stack([array_of(part[position]) for part in expected]), f"{batched}")


def function_of(row: Row, case: Case, weights):
    """Return the number that the case makes, as a function of what it differentiates."""
    return lambda *values: number_of(outputs_of(row, case, values), weights)


def wanted_places(case: Case, arrays) -> tuple[int, ...]:
    places = [k for k, (s, a) in enumerate(zip(case.samples(), arrays)) if is_wanted(s, a)]
    return tuple(places)


def _summed(function):
    return lambda *values: function(*values).sum()


def check_gradients(row: Row, case: Case, each_alone: bool = True) -> None:
    """vmap(grad) gives each sample's gradient; grad(vmap) the sum of what it reaches."""
    samples = samples_of(row, case)
    places = wanted_places(case, samples[0])
    weights = weights_of(outputs_of(row, case, [make(array) for array in samples[0]]))
    number = function_of(row, case, weights)
    for batched in batchings(case, each_alone):
        own, tensors, in_dims = given(samples, batched)
        expected = []
        for arrays in own:
            leaves = [make(array) for array in arrays]
            for place in places:
                leaves[place].requires_grad_()
            loss = number(*leaves)
            expected.append(
                engine.grad(loss, [leaves[k] for k in places], materialize_grads=True)
                if loss.requires_grad
                else [make(np.zeros_like(arrays[k])) for k in places]
            )
        columns = [np.stack([array_of(g) for g in column]) for column in zip(*expected)]
        found = vmap(grad(number, places), in_dims, randomness="same")(*tensors)
        for g, column in zip(found, columns):
            close(g, column, f"vmap(grad), {batched}")
        found = grad(_summed(vmap(number, in_dims, randomness="same")), places)(*tensors)
        for g, column, place in zip(found, columns, places):
            column = column if batched[place] else column.sum(0)
            close(g, column, f"grad(vmap), {batched}")


def check_nested(row: Row, case: Case) -> None:
    """vmap of vmap gives what each sample of each sample gives."""
    samples = samples_of(row, case)
    whole = [aino.stack([x, x.flip(0)]) for x in stacked(samples)]
    inner = vmap(lambda *values: outputs_of(row, case, values), randomness="same")
    found = vmap(inner, randomness="same")(*whole)
    expected = [outputs_of(row, case, [make(array) for array in arrays]) for arrays in samples]
    for position, y in enumerate(found):
        first, second = (array_of(part[position]) for part in expected)
        close(y, np.stack([[first, second], [second, first]]), "vmap(vmap)")


def check_second(row: Row, case: Case) -> None:
    """The gradient of a gradient, of all samples at once and of each."""
    samples = samples_of(row, case)
    places = wanted_places(case, samples[0])
    weights = weights_of(outputs_of(row, case, [make(array) for array in samples[0]]))
    number = function_of(row, case, weights)
    rng = np.random.default_rng(7)
    directions = [
        make(np.asarray(rng.uniform(-1.0, 1.0, samples[0][k].shape).astype(samples[0][k].dtype)))
        for k in places
    ]

    def slope(*values):
        return number_of(grad(number, places)(*values), directions)

    second = grad(slope, places)
    own, tensors, in_dims = given(samples, (True,) * len(samples[0]))
    expected = [second(*[make(array) for array in arrays]) for arrays in own]
    columns = [np.stack([array_of(g) for g in column]) for column in zip(*expected)]
    for name, found in (
        ("vmap(grad(grad))", vmap(second, in_dims, randomness="same")(*tensors)),
        (
            "grad(vmap(grad))",
            grad(lambda *values: vmap(slope, in_dims, randomness="same")(*values).sum(), places)(
                *tensors
            ),
        ),
    ):
        for g, column in zip(found, columns):
            close(g, column, name)


def check_compiled(row: Row, case: Case) -> None:
    """The program of vmap(grad), or of vmap where nothing is differentiated, gives the same."""
    samples = samples_of(row, case)
    _, tensors, in_dims = given(samples, (True,) * len(samples[0]))
    places = wanted_places(case, samples[0]) if row.order else ()

    def outputs(*values):
        return outputs_of(row, case, values)

    if places:
        weights = weights_of(outputs(*[make(array) for array in samples[0]]))
        transformed = vmap(grad(function_of(row, case, weights), places), in_dims)
    else:
        transformed = vmap(outputs, in_dims)
    expected = transformed(*tensors)
    found = aino.compile(transformed, fullgraph=True)(*tensors)
    for y, value in zip(found, expected):
        close(y, value, "compiled")
