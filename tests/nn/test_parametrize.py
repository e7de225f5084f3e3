"""Parametrizations, the older hooks, pruning, fusion, and the rest of ``nn.utils``."""

import copy
import pickle

import numpy as np
import pytest

import aino
from aino import nn
from aino.nn.utils import parametrizations, parametrize, prune, stateless

MAPS = ("matrix_exp", "cayley", "householder")


class Double(nn.Module):
    def forward(self, x):
        return 2.0 * x

    def right_inverse(self, x):
        return x / 2.0


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b

    def right_inverse(self, x):
        return x / 4.0, x * 0.75


def close(a, b, rtol=1e-6):
    a = a.detach().numpy() if isinstance(a, aino.Tensor) else a
    b = b.detach().numpy() if isinstance(b, aino.Tensor) else b
    np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-7)


def test_a_parameter_is_computed_whenever_it_is_read():
    layer = nn.Linear(3, 3)
    weight, before = layer.weight, layer.weight.detach().clone()
    assert parametrize.register_parametrization(layer, "weight", Double()) is layer
    close(layer.weight, before)
    assert layer.parametrizations.weight.original is weight
    assert list(layer.state_dict()) == ["bias", "parametrizations.weight.original"]
    layer.weight = aino.ones(3, 3)
    close(weight, np.full((3, 3), 0.5))
    layer(aino.ones(2, 3)).sum().backward()
    close(weight.grad, np.full((3, 3), 4.0))
    assert parametrize.is_parametrized(layer)
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert type(layer).__name__ == "ParametrizedLinear"
    assert parametrize.type_before_parametrizations(layer) is nn.Linear


@pytest.mark.parametrize("keep", [True, False])
def test_parametrizations_are_removed(keep):
    layer = nn.Linear(3, 3)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    shown, original = layer.weight.detach().clone(), weight.detach().clone()
    parametrize.remove_parametrizations(layer, "weight", leave_parametrized=keep)
    assert type(layer) is nn.Linear
    assert layer.weight is weight
    close(layer.weight, shown if keep else original)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


def test_several_originals_several_parametrizations_and_two_tensors():
    layer = nn.Linear(3, 3)
    before = layer.weight.detach().clone()
    parametrize.register_parametrization(layer, "weight", Sum())
    parametrize.register_parametrization(layer, "weight", Double())
    parametrize.register_parametrization(layer, "bias", Double())
    close(layer.weight, 2.0 * before)
    originals = [f"parametrizations.weight.original{i}" for i in (0, 1)]
    assert list(layer.state_dict()) == [*originals, "parametrizations.bias.original"]
    parametrize.remove_parametrizations(layer, "weight")
    assert parametrize.is_parametrized(layer)
    parametrize.remove_parametrizations(layer, "bias")
    close(layer.weight, 2.0 * before)
    assert type(layer) is nn.Linear
    parametrize.register_parametrization(layer, "weight", Sum())
    with pytest.raises(ValueError, match="leave_parametrized"):
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=False)


def test_what_is_refused():
    class Longer(nn.Module):
        def forward(self, x):
            return aino.cat([x, x])

    class Whole(nn.Module):
        def forward(self, x):
            return x.long()

    for bad in (Longer(), Whole()):
        layer = nn.Linear(2, 2)
        with pytest.raises((ValueError, TypeError), match="unsafe=True"):
            parametrize.register_parametrization(layer, "weight", bad)
        assert type(layer) is nn.Linear
        assert sorted(layer.state_dict()) == ["bias", "weight"]
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Longer(), unsafe=True)
    assert layer.weight.shape == (4, 2)
    with pytest.raises(ValueError, match="'kernel'"):
        parametrize.register_parametrization(nn.Linear(2, 2), "kernel", Double())
    with pytest.raises(ValueError, match="does not have a parametrization"):
        parametrize.remove_parametrizations(nn.Linear(2, 2), "weight")
    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Symmetric())
    with pytest.raises(RuntimeError, match="right_inverse"):
        layer.weight = aino.ones(2, 2)
    with pytest.raises(RuntimeError, match="state_dict"):
        pickle.dumps(layer)
    with pytest.raises(ValueError, match="one or more"):
        parametrize.ParametrizationList([], nn.Parameter(aino.ones(2)))


def test_copies_are_independent():
    layer = parametrizations.weight_norm(nn.Linear(3, 2))
    other = copy.deepcopy(layer)
    close(other.weight, layer.weight)
    assert type(other) is type(layer)
    other.parametrizations.weight.original0.data.zero_()
    assert not layer.weight.eq(0.0).any()
    assert other.weight.eq(0.0).all()


def test_a_block_of_cached_computes_once():
    counted = []

    class Counted(nn.Module):
        def forward(self, x):
            counted.append(1)
            return x * 1.0

    layer = parametrize.register_parametrization(nn.Linear(2, 2), "weight", Counted())
    del counted[:]
    with parametrize.cached():
        first = layer.weight
        with parametrize.cached():
            assert layer.weight is first
        assert layer.weight is first
    assert len(counted) == 1
    assert layer.weight is not first


def test_parametrizations_are_transferred():
    source = parametrizations.weight_norm(nn.Linear(3, 2))
    target = parametrize.transfer_parametrizations_and_params(source, nn.Linear(3, 2))
    close(target.weight, source.weight)
    assert type(target).__name__ == "ParametrizedLinear"


def test_buffers_are_parametrized():
    module = nn.Module()
    module.register_buffer("scale", aino.ones(2))
    parametrize.register_parametrization(module, "scale", Double())
    assert list(module.state_dict()) == ["parametrizations.scale.original"]
    assert not list(module.parameters())


@pytest.mark.parametrize("make", [
    lambda m: parametrizations.weight_norm(m), lambda m: parametrizations.spectral_norm(m),
    *[lambda m, name=name: parametrizations.orthogonal(m, orthogonal_map=name) for name in MAPS],
], ids=["weight_norm", "spectral_norm", *MAPS])  # fmt: skip
def test_compiled_steps_train_as_eager_ones_do(make):
    x, y = aino.randn(8, 4).double(), aino.randn(8, 4).double()
    aino.manual_seed(1)
    first = make(nn.Linear(4, 4).double())
    second = copy.deepcopy(first)

    def trained(model, wrap):
        optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

        def step():
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        step = wrap(step)
        return [step().item() for _ in range(6)]

    eager = trained(first, lambda f: f)
    assert eager[-1] < eager[0]
    close(np.array(trained(second, aino.compile)), np.array(eager), 1e-9)
    for key, value in first.state_dict().items():
        close(second.state_dict()[key], value, 1e-9)


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5)])
@pytest.mark.parametrize("trivial", [True, False])
def test_weights_are_orthogonal_and_stay_so(name, shape, trivial):
    layer = nn.Linear(*shape[::-1]).double()
    parametrizations.orthogonal(layer, orthogonal_map=name, use_trivialization=trivial)

    def is_orthogonal():
        w = layer.weight if shape[0] >= shape[1] else layer.weight.mT
        close(w.mT @ w, np.eye(min(shape)), 1e-9)

    is_orthogonal()
    optimizer = aino.optim.SGD(layer.parameters(), lr=0.1)
    layer(aino.randn(7, shape[1]).double()).square().sum().backward()
    optimizer.step()
    is_orthogonal()
    if trivial or name == "householder":
        q = aino.linalg.qr(aino.randn(max(shape), max(shape)).double())[0][: shape[0], : shape[1]]
        layer.weight = q
        close(layer.weight, q, 1e-9)
    else:
        with pytest.raises(NotImplementedError):
            layer.weight = layer.weight.detach()


# The older hooks


def test_the_older_weight_norm():
    layer, x = nn.Linear(3, 2), aino.randn(4, 3)
    expected, before = layer(x), layer.weight.detach().clone()
    with pytest.warns(FutureWarning, match="parametrizations"):
        assert nn.utils.weight_norm(layer) is layer
    assert sorted(layer.state_dict()) == ["bias", "weight_g", "weight_v"]
    close(layer(x), expected)
    layer.weight_g.data *= 2.0
    close(layer(x) - layer.bias, 2.0 * (expected - layer.bias), 1e-5)
    nn.utils.remove_weight_norm(layer)
    close(layer.weight, 2.0 * before)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="not found"):
        nn.utils.remove_weight_norm(layer)


@pytest.mark.filterwarnings("ignore:nn.utils.weight_norm is deprecated")
def test_the_newer_weight_norm_takes_the_state_of_the_older():
    older = nn.Sequential(nn.Tanh(), nn.utils.weight_norm(nn.Linear(3, 2)))
    newer = nn.Sequential(nn.Tanh(), parametrizations.weight_norm(nn.Linear(3, 2)))
    newer.load_state_dict(older.state_dict())
    x = aino.randn(4, 3)
    close(newer(x), older(x))
    parametrize.remove_parametrizations(newer[1], "weight")
    assert not newer[1]._hooks
    newer.load_state_dict(newer.state_dict())


def test_the_older_spectral_norm():
    layer = nn.utils.spectral_norm(nn.Linear(3, 5))
    assert sorted(layer.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
    for _ in range(50):
        layer(aino.randn(2, 3))
    layer.eval()(aino.randn(2, 3))
    close(aino.linalg.matrix_norm(layer.weight, 2), 1.0, 1e-4)
    shown = layer.weight.detach().clone()
    nn.utils.remove_spectral_norm(layer)
    close(layer.weight, shown)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


# Pruning


def pruned(layer, name="weight"):
    return (getattr(layer, f"{name}_mask") == 0).sum().item()


def test_pruning_by_size_and_again():
    layer = nn.Linear(4, 3)
    original = layer.weight
    prune.l1_unstructured(layer, "weight", amount=3)
    assert pruned(layer) == 3
    assert layer.weight_orig is original
    smallest = np.sort(abs(original.detach().numpy()).reshape(-1))[:3]
    assert abs(layer.weight.detach().numpy())[layer.weight_mask.numpy() == 0].sum() == 0.0
    assert abs(original.detach().numpy())[layer.weight_mask.numpy() == 0].max() == smallest[-1]
    prune.l1_unstructured(layer, "weight", amount=1.0 / 3.0)  # of the nine that are left
    assert pruned(layer) == 6
    prune.ln_structured(layer, "weight", amount=1, n=2, dim=0)
    assert (layer.weight.abs().sum(1) == 0).sum().item() >= 1
    assert prune.is_pruned(nn.Sequential(layer))
    layer(aino.ones(2, 4)).sum().backward()
    assert (original.grad.numpy()[layer.weight_mask.numpy() == 0] == 0.0).all()
    shown = layer.weight.detach().clone()
    prune.remove(layer, "weight")
    close(layer.weight, shown)
    assert layer.weight is original
    assert not prune.is_pruned(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]


@pytest.mark.parametrize(("call", "count"), [
    (lambda m: prune.identity(m, "weight"), 0),
    (lambda m: prune.random_unstructured(m, "weight", 5), 5),
    (lambda m: prune.random_unstructured(m, "weight", 0.25), 3),
    (lambda m: prune.l1_unstructured(m, "weight", 2, aino.arange(12.0).reshape(3, 4)), 2),
    (lambda m: prune.random_structured(m, "weight", 1, 0), 4),
    (lambda m: prune.random_structured(m, "weight", 0.5, -1), 6),
    (lambda m: prune.ln_structured(m, "weight", 2, 1, 1), 6),
    (lambda m: prune.custom_from_mask(m, "weight", aino.tensor([[1.0, 0, 0, 1]] * 3)), 6),
])  # fmt: skip
def test_each_method_prunes_as_many_as_it_says(call, count):
    layer = nn.Linear(4, 3)
    assert call(layer) is layer
    assert pruned(layer) == count
    assert (layer.weight == 0).sum().item() == count


def test_pruning_of_several_modules_together():
    first, second = nn.Linear(4, 3), nn.Linear(3, 2)
    second.weight.data *= 100.0
    prune.global_unstructured(
        [(first, "weight"), (second, "weight")], prune.L1Unstructured, amount=10
    )
    assert (pruned(first), pruned(second)) == (10, 0)
    with pytest.raises(TypeError, match="unstructured"):
        prune.global_unstructured([(first, "weight")], prune.LnStructured, amount=1, n=2)


def test_pruning_refuses():
    layer = nn.Linear(4, 3)
    for amount, error in ((1.5, ValueError), (-1, ValueError), (13, ValueError), ("a", TypeError)):
        with pytest.raises(error):
            prune.l1_unstructured(layer, "weight", amount)
        assert sorted(layer.state_dict()) == ["bias", "weight"]
    with pytest.raises(ValueError, match="multidimensional"):
        prune.random_structured(layer, "bias", 1, 0)
    with pytest.raises(ValueError, match="has to be pruned"):
        prune.remove(layer, "weight")


# The rest


def test_stateless_call_and_skipped_initial_values():
    layer = nn.Linear(2, 1)
    given = {"weight": aino.ones(1, 2), "bias": aino.zeros(1)}
    with pytest.warns(FutureWarning):
        assert stateless.functional_call(layer, given, (aino.ones(2),)).item() == 2.0
    aino.manual_seed(3)
    expected = aino.rand(1).item()
    aino.manual_seed(3)
    assert nn.utils.skip_init(nn.Linear, 3, 2).weight.shape == (2, 3)
    assert aino.rand(1).item() == expected
    with pytest.raises(RuntimeError, match="Expected a Module"):
        nn.utils.skip_init(dict)
    with pytest.raises(RuntimeError, match="device"):
        nn.utils.skip_init(nn.ReLU)
    convert = nn.utils.convert_conv2d_weight_memory_format
    assert convert(layer, aino.contiguous_format) is layer


def test_batch_normalisation_is_fused_into_the_map_before_it():
    layers = [
        (nn.Linear(3, 4), nn.BatchNorm1d(4), aino.randn(5, 3), nn.utils.fuse_linear_bn_eval),
        (nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), aino.randn(2, 3, 4, 4), nn.utils.fuse_conv_bn_eval),
        (nn.Conv1d(3, 4, 2, bias=False), nn.BatchNorm1d(4, affine=False), aino.randn(2, 3, 4),
         nn.utils.fuse_conv_bn_eval),
        (nn.ConvTranspose1d(3, 4, 2), nn.BatchNorm1d(4), aino.randn(2, 3, 4),
         lambda a, b: nn.utils.fuse_conv_bn_eval(a, b, transpose=True)),
    ]  # fmt: skip
    for layer, normalisation, x, fuse in layers:
        with pytest.raises(AssertionError, match="eval"):
            fuse(layer, normalisation)
        normalisation(layer(x))
        layer.eval(), normalisation.eval()
        close(fuse(layer, normalisation)(x), normalisation(layer(x)), 1e-4)
