"""Options of functions that no row of a module reaches."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.errors import DtypeError, GradientError, ShapeError
from aino.nn import functional as F


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
@pytest.mark.parametrize("dim", [(1, 2), (-1, 0), (), None, 1])
def test_normalize_along_several_dimensions(p, dim):
    x = aino.randn(2, 3, 4, dtype=aino.float64, requires_grad=True)
    axis = dim if dim is None or isinstance(dim, int) else tuple(dim) or None
    size = np.abs(x.detach().numpy())
    if p == float("inf"):
        length = size.max(axis, keepdims=True)
    else:
        length = (size**p).sum(axis, keepdims=True) ** (1 / p)
    np.testing.assert_allclose(F.normalize(x, p, dim).detach().numpy(), x.detach().numpy() / length)
    assert aino.autograd.gradcheck(lambda x: F.normalize(x, p, dim), (x,))


def test_normalize_writes_into_out():
    x = aino.tensor([[3.0, 4.0]])
    for dtype in (aino.float32, aino.float64):
        out = aino.empty(1, 2, dtype=dtype)
        assert F.normalize(x, out=out) is out
        np.testing.assert_allclose(out.numpy(), [[0.6, 0.8]], rtol=1e-6)
    with pytest.raises(ShapeError):
        F.normalize(x, out=aino.empty(2))
    with pytest.raises(DtypeError):
        F.normalize(x, out=aino.empty(1, 2, dtype=aino.int64))
    for leaf, out in ((x.clone().requires_grad_(), aino.empty(1, 2)), (x, x * x.requires_grad_())):
        with pytest.raises(GradientError, match="out="):
            F.normalize(leaf, out=out)
    with aino.no_grad():
        assert F.normalize(x, out=aino.empty(1, 2)).requires_grad is False


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "softmin"])
@pytest.mark.parametrize(("shape", "dim"), [((), 0), ((3,), 0), ((2, 3), 1), ((2, 3, 4), 0),
                                            ((1, 2, 3, 4), 1)])  # fmt: skip
def test_softmax_without_dim_warns_and_takes_pytorchs(name, shape, dim):
    x = aino.randn(shape)
    function = getattr(F, name)
    with pytest.warns(UserWarning, match=f"{name}: leaving dim out is deprecated"):
        found = function(x)
    assert found.tolist() == function(x, dim).tolist() == function(x, axis=dim).tolist()
    assert function(x, dim, 5, aino.float64).dtype == aino.float64
    with pytest.raises(TypeError, match="dtype=float64"):
        function(x, dim, aino.float64)
