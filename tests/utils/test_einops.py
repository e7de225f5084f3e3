"""einops works on tensors, with gradients, compiled, whichever of both is imported first."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import aino
from aino import nn

einops = pytest.importorskip("einops")

ROOT = Path(__file__).resolve().parent.parent.parent

CALLS = {
    "rearrange": lambda x: einops.rearrange(x, "b (h p) c -> b c h p", p=2),
    "rearrange a list": lambda x: einops.rearrange([x, x + 1], "n b h c -> b n (h c)"),
    "sum": lambda x: einops.reduce(x, "b h c -> c", "sum"),
    "mean": lambda x: einops.reduce(x, "b (h p) c -> b h c", "mean", p=2),
    "max": lambda x: einops.reduce(x, "b h c -> b c", "max"),
    "min": lambda x: einops.reduce(x, "b h c -> h", "min"),
    "prod": lambda x: einops.reduce(x, "b h c -> c", "prod"),
    "repeat": lambda x: einops.repeat(x, "b h c -> b h (c k) n", k=2, n=3),
    "einsum": lambda x: einops.einsum(x, x, "b h c, b k c -> b h k"),
    "pack": lambda x: einops.pack([x, x[:, 0]], "b *")[0],
}


@pytest.mark.parametrize("name", CALLS)
def test_calls(name):
    array = np.random.default_rng(0).standard_normal((2, 4, 3))
    expected = CALLS[name](array)
    x = aino.from_numpy(array).requires_grad_()
    y = CALLS[name](x)
    np.testing.assert_allclose(y.detach(), expected, rtol=1e-12)
    np.testing.assert_allclose(aino.compile(CALLS[name])(x.detach()), expected, rtol=1e-12)
    assert aino.autograd.gradcheck(CALLS[name], (x,))


def test_other_reductions():
    x = aino.tensor([[True, False], [True, True]])
    assert einops.reduce(x, "a b -> a", "any").tolist() == [True, True]
    assert einops.reduce(x, "a b -> a", "all").tolist() == [False, True]
    with pytest.raises(Exception, match="reduce_mean"):
        einops.reduce(aino.ones(2, dtype=aino.int64), "a ->", "mean")


def test_layers():
    from aino.utils.einops_layers import EinMix, Rearrange, Reduce

    aino.manual_seed(0)
    mix = EinMix("b (h w) c -> b o h w", weight_shape="c o", bias_shape="o", h=2, c=3, o=5)
    model = nn.Sequential(
        Rearrange("b c h w -> b (h w) c"), mix, Reduce("b c (h 2) w -> b c h w", "max")
    )
    x = aino.randn(2, 3, 2, 4)
    y = model(x)
    assert y.shape == (2, 5, 1, 4)
    y.sum().backward()
    assert {name: tuple(p.grad.shape) for name, p in model.named_parameters()} == {
        "1.weight": tuple(mix.weight.shape), "1.bias": tuple(mix.bias.shape),
    }  # fmt: skip
    wanted = np.einsum("bchw,co->bohw", x.numpy(), mix.weight.detach().numpy().reshape(3, 5))
    wanted = (wanted + mix.bias.detach().numpy().reshape(5, 1, 1)).max(2, keepdims=True)
    np.testing.assert_allclose(y.detach(), wanted, rtol=1e-4, atol=1e-5)
    assert "Rearrange('b c h w -> b (h w) c')" in repr(model)


@pytest.mark.parametrize("order", ["aino, einops", "einops, aino"])
def test_either_may_be_imported_first(order):
    program = f"import {order}; print(einops.rearrange(aino.ones(2, 3), 'a b -> (b a)').shape)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "aino.Size([6])\n"
