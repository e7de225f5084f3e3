"""Lazy modules: their first call makes their parameters, and then they are ordinary ones."""

import copy
import pickle

import numpy as np
import pytest

import aino
from aino import nn
from aino.nn.modules.lazy import LazyModuleMixin
from aino.nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

#: name -> (arguments, the shape of an input, what it is then)
LAZY = {
    "LazyLinear": ((4,), (5, 3), "Linear(in_features=3, out_features=4, bias=True)"),
    **{
        f"LazyConv{n}d": ((4, 2), (2, 3, *(5,) * n), f"Conv{n}d(3, 4, kernel_size={(2,) * n}, ")
        for n in (1, 2, 3)
    },
    **{
        f"LazyConvTranspose{n}d": (
            (4, 2), (2, 3, *(5,) * n), f"ConvTranspose{n}d(3, 4, kernel_size={(2,) * n}, ",
        )
        for n in (1, 2, 3)
    },
    **{
        f"Lazy{kind}{n}d": ((), (2, 3, *(4,) * n), f"{kind}{n}d(3, eps=1e-05, momentum=0.1, ")
        for kind in ("BatchNorm", "InstanceNorm")
        for n in (1, 2, 3)
    },
}  # fmt: skip


def rows():
    return pytest.mark.parametrize("name", LAZY)


def made(name):
    arguments, shape, text = LAZY[name]
    aino.manual_seed(0)
    return getattr(nn, name)(*arguments), aino.randn(*shape), text


def same(a, b):
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@rows()
def test_the_first_call_makes_the_parameters(name):
    module, x, text = made(name)
    parameters = dict(module.named_parameters())
    assert all(is_lazy(parameter) for parameter in parameters.values())
    keys = list(module.state_dict())
    y = module(x)
    assert repr(module).startswith(text)
    assert type(module) is getattr(nn, name.removeprefix("Lazy"))
    assert list(module.state_dict()) == keys
    for key, parameter in module.named_parameters():
        assert parameter is parameters[key]  # an optimizer that has it goes on
        assert type(parameter) is nn.Parameter
    assert not any(is_lazy(buffer) for buffer in module.buffers())
    y.sum().backward()
    assert not module._hooks


@rows()
def test_values_are_drawn_as_the_ordinary_module_draws_them(name):
    module, x, _ = made(name)
    aino.manual_seed(1)
    module(x)
    aino.manual_seed(1)
    keywords = {"affine": True} if "Norm" in name else {}
    other = getattr(nn, name.removeprefix("Lazy"))(3, *LAZY[name][0], **keywords)
    for mine, value in zip(module.parameters(), other.parameters(), strict=True):
        same(mine, value)


@rows()
def test_copies_files_and_states(name, tmp_path):
    module, x, _ = made(name)
    for duplicate in (copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))):
        other = duplicate(module)
        assert type(other) is type(module)
        assert other.has_uninitialized_params()
        other(x)
        assert module.has_uninitialized_params()
    module(x)
    module.eval()
    other, *_ = made(name)
    assert str(other.load_state_dict(module.state_dict())).startswith("<All keys")
    same(other.eval()(x), module(x))
    assert type(other) is type(module)
    assert repr(other) == repr(module)
    module.save(tmp_path / "module.dit")
    again = aino.load(tmp_path / "module.dit")
    assert repr(again) == repr(module)
    same(again(x), module(x))


def test_lazy_models_train_compiled():
    model = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(1))
    optimizer = aino.optim.Adam(model.parameters(), lr=0.05)
    x, y = aino.randn(16, 3), aino.randn(16, 1)
    model(x)
    step = aino.compile(lambda: nn.functional.mse_loss(model(x), y))

    def trained():
        optimizer.zero_grad()
        loss = step()
        loss.backward()
        optimizer.step()
        return loss.item()

    losses = [trained() for _ in range(20)]
    assert losses[-1] < losses[0]


def test_what_has_no_shape_says_so():
    layer = nn.LazyLinear(2)
    assert repr(layer) == "LazyLinear(in_features=0, out_features=2, bias=True)"
    for ask in (lambda p: p.shape, lambda p: p.numel(), lambda p: p.numpy(), lambda p: p.size()):
        with pytest.raises(RuntimeError, match="call the module first"):
            ask(layer.weight)
    with pytest.raises(RuntimeError, match="memory"):
        layer.weight.share_memory_()
    assert layer.double().weight.dtype == aino.float64
    layer(aino.zeros(1, 3).double())
    assert layer.weight.dtype == aino.float64
    with pytest.raises(ValueError, match="Expected 3D"):
        nn.LazyConv2d(2, 2)(aino.zeros(2, 3))
    with pytest.raises(ValueError, match="groups"):
        nn.LazyConv1d(2, 2, groups=2)(aino.zeros(2, 3, 4))
    buffer = UninitializedBuffer(dtype=aino.float64)
    buffer.materialize((2,))
    assert (type(buffer), buffer.shape, buffer.dtype) == (nn.Buffer, (2,), aino.float64)
    assert not UninitializedParameter(requires_grad=False).requires_grad


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda b: pickle.loads(pickle.dumps(b))])
def test_a_copy_of_a_buffer_to_come_is_kept_or_not_as_it_was(copied, persistent):
    buffer = copied(UninitializedBuffer(dtype=aino.float64, persistent=persistent))
    assert (buffer.persistent, buffer.dtype) == (persistent, aino.float64)


def test_a_lazy_module_of_ones_own():
    class Scale(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.UninitializedParameter()

        def initialize_parameters(self, x):
            self.factor.materialize((x.shape[-1],))
            nn.init.ones_(self.factor)

        def forward(self, x):
            return x * self.factor

    scale = Scale()
    same(scale(aino.ones(2)), aino.ones(2))
    assert type(scale) is Scale

    class Forgetful(Scale):
        def initialize_parameters(self, x):
            pass

    with pytest.raises(RuntimeError, match="fully initialized"):
        Forgetful()(aino.ones(2))
