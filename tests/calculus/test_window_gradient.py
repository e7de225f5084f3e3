"""The gradient of the largest of windows in pieces: each window's goes to its first element."""

import itertools

import numpy as np
import pytest

from aino.autograd.rules import window_gradient


def one_by_one(g, x, axis, size, stride, dilation, before):
    """Give each window's number to its first largest element, to the last NaN if there is one."""
    y = np.zeros(x.shape, g.dtype)
    lines, given, found = (np.moveaxis(a, axis, -1) for a in (x, g, y))
    for place in np.ndindex(lines.shape[:-1]):
        for i in range(given.shape[-1]):
            within = [i * stride + k * dilation - before for k in range(size)]
            within = [at for at in within if 0 <= at < lines.shape[-1]]
            values = lines[place][within]
            unknown = np.flatnonzero(np.isnan(values))
            at = within[unknown[-1] if unknown.size else int(np.argmax(values))]
            found[(*place, at)] += given[(*place, i)]
    return y


@pytest.mark.parametrize("piece", [1, 7, 1 << 14])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("size", "stride", "dilation", "before"),
    [(3, 2, 1, 1), (3, 1, 1, 1), (3, 2, 2, 0), (2, 1, 3, 0), (5, 3, 1, 2), (4, 3, 2, 1)],
)
def test_it_is_that_of_each_window(monkeypatch, piece, dtype, size, stride, dilation, before):
    monkeypatch.setattr(window_gradient, "_PIECE", piece)
    rng = np.random.default_rng(0)
    for shape, order in itertools.product([(11,), (9, 8), (2, 8, 3, 10)], "CF"):
        # Few values, so that many are equal.
        x = rng.integers(0, 4, shape).astype(dtype)
        x[rng.random(shape) < 0.05] = np.nan
        x[rng.random(shape) < 0.1] = -np.inf
        x = np.asarray(x, order=order)
        for axis in {0, len(shape) - 1}:
            count = (shape[axis] + 2 * before - dilation * (size - 1) - 1) // stride + 1
            count = max(count, 0)  # of windows longer than the axis
            g = rng.normal(size=(*shape[:axis], count, *shape[axis + 1 :])).astype(dtype)
            given = (g, x, axis, size, stride, dilation, before)
            y = window_gradient.routed(*given)
            assert y.dtype == dtype
            np.testing.assert_allclose(y, one_by_one(*given), 1e-5, 1e-6)


def test_of_nothing_there_is_no_gradient():
    x, g = np.zeros((0, 5)), np.zeros((0, 2))
    assert window_gradient.routed(g, x, 1, 3, 2, 1, 0).shape == (0, 5)
