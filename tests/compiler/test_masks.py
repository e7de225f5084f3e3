"""Operations whose shapes seem to depend on data: writes through masks, counts, constants."""

import numpy as np
import pytest

import aino
from aino.errors import CompileError, ShapeError
from tests.compiler.showing import assert_shows_the_same, calls, registry

CASES, case = registry()

#: What is written, at which index: m is a mask over rows, w over all.
WRITES = {
    "a number": lambda m, w: (m, 5.0),
    "a number, over all": lambda m, w: (w, 5.0),
    "one element": lambda m, w: (w, aino.tensor([2.0])),
    "a 0-d tensor": lambda m, w: (m, aino.tensor(2.0)),
    "a row": lambda m, w: (m, aino.arange(4.0)),
    "rows": lambda m, w: (m, aino.arange(8.0).reshape(2, 4)),
    "a list": lambda m, w: (w, [1.0, 2.0, 3.0, 4.0, 5.0]),
    "a vector": lambda m, w: (w, aino.arange(5.0)),
    "an array": lambda m, w: (w, np.arange(5.0)),
    "columns": lambda m, w: ((slice(None), w[0]), 7.0),
    "columns of reversed rows": lambda m, w: ((slice(None, None, -1), w[0]), aino.ones(3, 1)),
    "reversed columns": lambda m, w: ((m, slice(None, None, -1)), aino.arange(4.0)),
    "after a number": lambda m, w: ((1, w[0]), aino.tensor([8.0, 9.0])),
    "before a number": lambda m, w: ((m, 2), aino.tensor([8.0, 9.0])),
    "after dots": lambda m, w: ((..., w[0]), 1.5),
    "a new dimension": lambda m, w: ((None, m), 1.5),
    "before dots": lambda m, w: ((m, ...), aino.ones(2, 1)),
}


def masks():
    return aino.tensor([True, False, True]), aino.tensor(
        [[True, False, True, False], [False, False, False, True], [True, True, False, False]]
    )


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("name", WRITES)
def test_writes_through_masks(name, recorded):
    def step(x, m, w):
        source = x.detach().requires_grad_(recorded)
        y = source * 1.0
        index, value = WRITES[name](m, w)
        if recorded and isinstance(value, aino.Tensor):
            value = value.detach().requires_grad_()
        y[index] = value
        if not recorded:
            return y
        (y * y).sum().backward()
        slope = getattr(value, "grad", None)
        return y.detach(), source.grad, source.grad if slope is None else slope

    x, (m, w) = aino.arange(12.0).reshape(3, 4) + 1, masks()
    compiled = aino.compile(step, fullgraph=True)
    for _ in range(2):
        compiled(x, m, w)
    for rows in (m, aino.tensor([False, True, True])):
        expected, found = step(x, rows, w), compiled(x, rows, w)
        for mine, its in zip([found] if not recorded else found,
                             [expected] if not recorded else expected):  # fmt: skip
            assert mine.tolist() == its.tolist()
    assert "1 of 1 signatures ready" in repr(compiled)


def test_the_number_of_values_is_checked_at_each_call():
    def step(x, mask):
        y = x.clone()
        y[mask] = aino.tensor([1.0, 2.0])
        return y

    compiled = aino.compile(step, fullgraph=True)
    good, bad = aino.tensor([True, False, True]), aino.tensor([True, True, True])
    for _ in range(3):
        assert compiled(aino.zeros(3), good).tolist() == [1.0, 0.0, 2.0]
    for function in (step, compiled):
        with pytest.raises(ShapeError, match=r"x\[(i|mask)\] = v"):
            function(aino.zeros(3), bad)


@case
def a_source_that_is_too_short(make):
    compiled, found = make(lambda x, m, v: x.masked_scatter(m, v)), []
    for mask in ([True, False, True], [True, False, False], [True, True, True]):
        try:
            found.append(compiled(aino.zeros(3), aino.tensor(mask), aino.ones(2)).tolist())
        except ShapeError as error:
            found.append(str(error))
    return found


@case
def masks_that_take_nothing(make):
    none = aino.tensor([False, False])

    def step(x, m):
        y = x.clone()
        y[m] = aino.zeros(0)
        return y, x.masked_scatter(m, aino.zeros(0))

    return calls(make(step), aino.ones(2), none)


@case
def repeats_with_a_given_size(make):
    def step(x, n):
        x = x.detach().requires_grad_()
        y = aino.repeat_interleave(x, n, 0, output_size=5)
        (y * aino.arange(5.0)).sum().backward()
        return y.detach(), x.grad

    compiled, found = make(step), []
    for repeats in ([2, 0, 3], [2, 0, 3], [1, 3, 1], [1, 1, 1], [6, -1, 0]):
        try:
            found.append([y.tolist() for y in compiled(aino.ones(3), aino.tensor(repeats))])
        except ValueError as error:
            found.append(str(error))
    return found


@case
def constants_that_decide_on_a_shape(make):
    def step(x):
        return (
            x[aino.tensor([True, False, True])],
            aino.repeat_interleave(x, aino.tensor([1, 0, 2])),
            x[aino.tensor([0, 3, 1]).nonzero()[:, 0]],
            x[:2] * aino.bincount(aino.tensor([0, 1, 1])),
        )

    return calls(make(step), aino.ones(3))


@case
def histograms(make):
    compiled = make(lambda x: (aino.histc(x, 4), aino.histc(x, 3, -1, 1)))
    return [calls(compiled, x) for x in (aino.arange(5.0), aino.ones(5), aino.linspace(-2, 1, 5))]


@case
def answers_that_are_returned(make):
    compiled = make(lambda x, y: (aino.equal(x, y), aino.allclose(x, y), aino.equal(x, y[:1])))
    return [calls(compiled, aino.ones(2), y) for y in (aino.ones(2), aino.ones(2) + 1e-7)]


@pytest.mark.parametrize("name", CASES)
def test_compiled_shows_what_eager_shows(name):
    assert_shows_the_same(CASES[name])


def test_numpy_writes_where_it_is_told():
    def step(x, m):
        y = x.clone()
        np.copyto(y.array, 7.0, where=m.array)
        return y

    compiled = aino.compile(step, fullgraph=True)
    for mask in ([True, False], [True, False], [False, True], [True, True]):
        expected = [7.0 if chosen else 1.0 for chosen in mask]
        assert compiled(aino.ones(2), aino.tensor(mask)).tolist() == expected


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: aino.from_numpy(np.repeat(x.array, n.array)),
        lambda x, n: aino.from_numpy(x.array.repeat(n.array)),
        lambda x, n: x.repeat_interleave(n),
        lambda x, n: x[n > 1],
        lambda x, n: aino.bincount(n),
        lambda x, n: aino.nn.functional.one_hot(n),
    ],
)
def test_what_depends_on_the_data_is_refused_in_words(function):
    compiled = aino.compile(function, fullgraph=True)
    with pytest.raises(CompileError, match=r"shape of what .* gives depends on the data"):
        compiled(aino.ones(2), aino.tensor([1, 2]))
