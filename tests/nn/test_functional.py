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


LOSSES = {
    "mse_loss": lambda d: d * d,
    "l1_loss": abs,
    "huber_loss": lambda d: np.where(abs(d) <= 1.0, d * d / 2.0, abs(d) - 0.5),
}


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("name", LOSSES)
def test_weighted_losses(name, reduction):
    x, t, w = (aino.rand(3, 2, dtype=aino.float64, requires_grad=True) for _ in range(3))
    scaled = x.detach() * 4.0
    losses = w.detach().numpy() * LOSSES[name](scaled.numpy() - t.detach().numpy())
    total = losses.size if name == "huber_loss" else w.sum().item()  # as in PyTorch
    expected = {"none": losses, "sum": losses.sum(), "mean": losses.sum() / total}[reduction]
    loss = getattr(F, name)
    found = loss(scaled, t, reduction=reduction, weight=w)
    np.testing.assert_allclose(found.detach().numpy(), expected)
    assert aino.autograd.gradcheck(
        lambda x, t, w: loss(x, t, reduction=reduction, weight=w), (x, t, w)
    )
    with pytest.raises(ShapeError, match="weight has shape"):
        loss(x, t, weight=w[0])


@pytest.mark.parametrize(
    ("name", "shape", "whole"),
    [
        ("dropout1d", (40, 3), 1), ("dropout1d", (4, 40, 3), 2), ("dropout2d", (4, 40, 3, 2), 2),
        ("dropout3d", (40, 3, 2, 2), 1), ("dropout3d", (4, 40, 3, 2, 2), 2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("inplace", [False, True])
def test_channels_are_dropped_as_a_whole(name, shape, whole, inplace):
    aino.manual_seed(0)
    x = aino.ones(shape)
    found = getattr(F, name)(x, 0.25, inplace=inplace)
    assert (found is x) is inplace
    channels = found.numpy().reshape(*shape[:whole], -1)
    assert (channels == channels[..., :1]).all()
    assert np.unique(channels).tolist() == pytest.approx([0.0, 1.0 / 0.75])


@pytest.mark.parametrize(
    ("name", "shape", "whole"),
    [("dropout2d", (40, 3), 2), ("dropout2d", (4, 40, 3), 2), ("dropout2d", (9, 9, 2, 2, 2), 2),
     ("dropout3d", (40, 3), 1), ("dropout3d", (40,), 1), ("dropout3d", (9, 2, 2, 2, 2, 2), 1)],
)  # fmt: skip
def test_channels_of_other_dimensions_are_dropped_with_a_warning(name, shape, whole):
    with pytest.warns(UserWarning, match=name):
        channels = getattr(F, name)(aino.ones(shape), 0.25).numpy().reshape(*shape[:whole], -1)
    assert (channels == channels[..., :1]).all()
    with pytest.warns(UserWarning, match=name):
        kept = getattr(F, name)(aino.ones(shape), training=False)
    assert kept.tolist() == np.ones(shape).tolist()


def test_what_has_no_channels_is_refused():
    for name, shape in (("dropout1d", (3,)), ("dropout1d", (3,) * 4)):
        with pytest.raises(ShapeError):
            getattr(F, name)(aino.ones(shape))
    for name, shape in (("dropout2d", (3,)), ("dropout3d", ())):
        with (
            pytest.warns(UserWarning, match=name),
            pytest.raises(ShapeError, match="no channels"),
        ):
            getattr(F, name)(aino.ones(shape))


def test_the_old_names_of_bounds_warn():
    with pytest.warns(FutureWarning, match="min_val and max_val"):
        layer = aino.nn.Hardtanh(min_value=-2.0, max_value=3.0)
    assert (layer.min_val, layer.max_val) == (-2.0, 3.0)


def test_gumbel_softmax_says_that_eps_has_no_effect():
    with pytest.warns(UserWarning, match="eps"):
        F.gumbel_softmax(aino.ones(3), eps=1e-3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.nll_loss(x, aino.tensor([0, 1])),
        lambda x: F.nll_loss(x, aino.tensor([0, 1]), aino.ones(3, dtype=aino.float64)),
        lambda x: F.multi_margin_loss(x, aino.tensor([0, 1])),
        lambda x: F.pad(x, (1, 2), mode="reflect"),
        lambda x: F.pad(x[None], (0, 0, 1, 1), mode="replicate"),
        lambda x: F.prelu(x, aino.tensor([0.25], dtype=aino.float64)),
    ],
)
def test_gradients_that_are_constant_have_a_slope_of_zero(function):
    x = aino.randn(2, 3, dtype=aino.float64, requires_grad=True)
    (slope,) = aino.autograd.grad(function(x).sum(), x, create_graph=True)
    assert aino.autograd.grad(slope.sum(), x)[0].tolist() == np.zeros((2, 3)).tolist()
    # So it is where the gradient depends on something else.
    scale = aino.tensor(2.0, dtype=aino.float64, requires_grad=True)
    (slope,) = aino.autograd.grad(function(x).sum() * scale, x, create_graph=True)
    found = aino.autograd.grad(slope.sum(), [x, scale])
    assert found[0].tolist() == np.zeros((2, 3)).tolist()


def test_the_gradients_of_a_layer_norm_are_all_made_with_its_input():
    x = aino.randn(4, 3, dtype=aino.float64, requires_grad=True)
    weight, bias = (aino.rand(3, dtype=aino.float64, requires_grad=True) for _ in range(2))
    y = F.layer_norm(x, (3,), weight, bias).sum()
    for slope in aino.autograd.grad(y, [x, weight, bias], create_graph=True):
        (found,) = aino.autograd.grad(slope.sum(), x, retain_graph=True)
        assert found.shape == x.shape
