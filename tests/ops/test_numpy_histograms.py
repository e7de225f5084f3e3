"""NumPy's histograms on tensors: counts as NumPy's, gradients by the weights."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd.gradcheck import gradcheck
from aino.errors import GradientError

RNG = np.random.default_rng(5)
X, Y, W = RNG.uniform(-1, 1, 9), RNG.uniform(-1, 1, 9), RNG.uniform(0.5, 1.5, 9)
XY = np.stack([X, Y], 1)
CALLS = {
    "histogram": lambda x, xy, w: np.histogram(x, 4, weights=w),
    "histogram of a range": lambda x, xy, w: np.histogram(x, 3, (-0.5, 0.5), weights=w),
    "histogram of edges": lambda x, xy, w: np.histogram(x, [-1.0, 0.1, 0.4], None, True, w),
    "histogram2d": lambda x, xy, w: np.histogram2d(x, Y, 3, weights=w),
    "histogram2d of edges": lambda x, xy, w: np.histogram2d(
        Y, x, [[-1.0, 0.0, 1.0], 2], density=True, weights=w),
    "histogramdd": lambda x, xy, w: np.histogramdd(xy, (2, 3), weights=w),
    "histogramdd of columns": lambda x, xy, w: np.histogramdd([x, Y, X], 2, weights=w),
    "bincount": lambda x, xy, w: (np.bincount(np.arange(9) // 4, w, 5),),
}  # fmt: skip


def flat(found):
    parts = found if isinstance(found, (list, tuple)) else [found]
    return [y for x in parts for y in (flat(x) if isinstance(x, (list, tuple)) else [x])]


@pytest.mark.parametrize("arrays", [True, False], ids=["arrays", "tensors"])
@pytest.mark.parametrize("name", CALLS)
def test_counts_and_gradients(name, arrays):
    call = CALLS[name]
    given = [a if arrays else aino.from_numpy(a.copy()) for a in (X, XY)]
    w = aino.from_numpy(W.copy())
    for weights in (w, w.clone().requires_grad_()):
        found = flat(call(*given, weights))
        for mine, its in zip(found, flat(call(X, XY, W)), strict=True):
            np.testing.assert_allclose(mine.detach().numpy(), its, rtol=1e-12)
        assert found[0].requires_grad == weights.requires_grad
    assert gradcheck(lambda w: call(*given, w)[0], (weights,))


@pytest.mark.parametrize("name", [name for name in CALLS if name != "bincount"])
def test_positions_have_no_derivative(name):
    x, xy = (aino.from_numpy(a.copy()).requires_grad_() for a in (X, XY))
    with pytest.raises(GradientError, match="has no derivative by what it sorts"):
        CALLS[name](x, xy, aino.from_numpy(W.copy()).requires_grad_())
    with pytest.raises(GradientError, match="has no derivative"):
        CALLS[name](x, xy, aino.from_numpy(W.copy()))
