"""Which of several equal elements is found, and gets the gradient: figures from PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import aino

nan = float("nan")
SOME = [2.0, 1.0, 2.0, 0.0, 1.0, 2.0, 0.0, 1.0]
UNKNOWN = [1.0, nan, 0.0, nan, 1.0]
#: (a call that returns values and indices, a row, the values, the indices)
FOUND = [
    ("max(0)", SOME, 2, 0),
    ("min(0)", SOME, 0, 3),
    ("max(0)", UNKNOWN, nan, 1),
    ("median(0)", SOME, 1, 4),
    ("median(0)", UNKNOWN, nan, 1),
    ("median(0)", [1.0, 1.0, 1.0] * 10, 1, 14),
    ("nanmedian(0)", UNKNOWN, 1, 0),
    ("nanmedian(0)", [nan] * 4, nan, 2),
    ("mode(0)", SOME, 1, 7),
    # PyTorch, whose sort is confused by NaN, finds the 0 here.
    ("mode(0)", UNKNOWN, 1, 4),
    ("kthvalue(1)", SOME, 0, 3),
    ("kthvalue(4)", SOME, 1, 7),
    ("kthvalue(8)", SOME, 2, 0),
    ("kthvalue(4)", UNKNOWN, nan, 1),
    ("topk(1)", SOME, [2], [2]),
    ("topk(2)", SOME, [2, 2], [2, 0]),
    ("topk(4)", SOME, [2, 2, 2, 1], [2, 0, 5, 4]),
    ("topk(2, largest=False)", SOME, [0, 0], [6, 3]),
    ("topk(2)", UNKNOWN, [nan, nan], [1, 3]),
    ("topk(1)", [1.0, 2.0] * 32, [2], [1]),
    ("topk(2)", [1.0, 2.0] * 64, [2, 2], [3, 1]),
    ("sort(0)", SOME, [0, 0, 1, 1, 1, 2, 2, 2], [3, 6, 1, 4, 7, 0, 2, 5]),
    ("sort(descending=True)", SOME, [2, 2, 2, 1, 1, 1, 0, 0], [0, 2, 5, 1, 4, 7, 3, 6]),
    ("sort(0)", UNKNOWN, [0, 1, 1, nan, nan], [2, 0, 4, 1, 3]),
    ("sort(descending=True)", UNKNOWN, [nan, nan, 1, 1, 0], [1, 3, 0, 4, 2]),
    ("cummax(0)", SOME, [2] * 8, [0, 0, 2, 2, 2, 5, 5, 5]),
    ("cummin(0)", SOME, [2, 1, 1, 0, 0, 0, 0, 0], [0, 1, 1, 3, 3, 3, 6, 6]),
    ("cummax(0)", UNKNOWN, [1, nan, nan, nan, nan], [0, 1, 1, 3, 3]),
]


@pytest.mark.parametrize(("call", "row", "values", "indices"), FOUND)
def test_among_equals(call, row, values, indices):
    x = aino.tensor(row, dtype=aino.float64, requires_grad=True)
    found = eval(f"x.{call}", {"x": x})
    assert np.array_equal(found[0].detach().numpy(), values, equal_nan=True)
    assert found[1].tolist() == indices
    seed = np.arange(1.0, 1 + np.size(values)).reshape(np.shape(values))
    (slope,) = aino.autograd.grad(found[0], x, aino.from_numpy(seed))
    expected = np.zeros(len(row))
    np.add.at(expected, indices, seed)
    assert np.array_equal(slope.numpy(), expected)


def test_many_are_taken_in_their_order():
    x = aino.tensor([0.0, 1.0] * 2000)
    assert x.topk(1500).indices.tolist() == [*range(1, 3001, 2)]
    assert x.topk(1500, largest=False).indices.tolist() == [*range(0, 3000, 2)]
    assert x.topk(0).indices.tolist() == []


def test_compiled_finds_the_same():
    x = aino.tensor([SOME, SOME[::-1]])

    def find(x):
        return x.topk(3).indices, x.kthvalue(4).indices, x.median(1).indices, x.nanmedian(0).indices

    compiled = aino.compile(find)
    for moved in (x, x.roll(1, 1), x.roll(3, 1), aino.full((2, 8), nan)):
        for found, expected in zip(compiled(moved), find(moved)):
            assert found.tolist() == expected.tolist()
