"""What normalises channels: running statistics, memory orders, programs, transforms."""

import runpy

import numpy as np
import pytest

import aino
from aino import func, nn, optim
from aino.autograd.rules import normalization
from aino.autograd.tensor import make
from aino.errors import LevelError
from aino.nn import functional as F
from tests.nn.rows_normalization import over

RNG = np.random.default_rng(0)


def network(momentum=0.1):
    aino.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8, momentum=momentum), nn.Linear(8, 2))


@pytest.mark.parametrize("momentum", [0.3, None])
def test_running_statistics_follow_the_batches(momentum):
    layer = nn.BatchNorm2d(2, momentum=momentum).double()
    batches = RNG.normal(3.0, 2.0, (4, 5, 2, 3, 3))
    mean, variance = np.zeros(2), np.ones(2)
    for number, x in enumerate(batches, 1):
        layer(make(x))
        part = 1.0 / number if momentum is None else momentum
        mean = (1 - part) * mean + part * x.mean((0, 2, 3))
        variance = (1 - part) * variance + part * x.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(layer.running_mean.numpy(), mean, rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), variance, rtol=1e-12)
    assert layer.num_batches_tracked.item() == 4
    x = batches[0]
    expected = (x - mean.reshape(2, 1, 1)) / np.sqrt(variance.reshape(2, 1, 1) + 1e-5)
    np.testing.assert_allclose(layer.eval()(make(x)).detach().numpy(), expected, rtol=1e-10)
    assert layer.num_batches_tracked.item() == 4
    layer.reset_running_stats()
    assert layer.running_var.tolist() == [1.0, 1.0]
    assert layer.num_batches_tracked.item() == 0


ORDERS = {
    "rows": ((40, 6), (0, 1)), "columns": ((40, 6), (1, 0)),
    "planes": ((3, 4, 5, 6), (0, 1, 2, 3)), "batch last": ((3, 4, 5, 6), (1, 2, 3, 0)),
    "channels last": ((3, 4, 5, 6), (0, 2, 3, 1)), "many channels": ((5, 900, 9), (0, 1, 2)),
    "long rows": ((2, 3, 5000), (0, 1, 2)), "mixed": ((3, 4, 5, 6), (2, 1, 0, 3)),
}  # fmt: skip


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("other", ["the same", "plain", "gaps"])
def test_whatever_order_numbers_have_in_memory(order, other):
    shape, axes = ORDERS[order]
    x = RNG.normal(1.0, 2.0, [shape[axis] for axis in axes])
    x = x.transpose([axes.index(axis) for axis in range(len(axes))])
    g = RNG.normal(size=shape)
    if other == "the same":
        g = np.empty_like(x)
        g[...] = RNG.normal(size=shape)
    elif other == "gaps":
        g = RNG.normal(size=(*shape[:-1], shape[-1] * 2))[..., ::2]
        x, g = g, x
    weight, bias = RNG.normal(size=(2, shape[1]))
    tensors = [make(a).requires_grad_() for a in (x, weight, bias)]
    y = F.batch_norm(tensors[0], None, None, *tensors[1:], training=True)
    around = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.detach().numpy(), over(x, around, weight, bias), rtol=1e-9)
    y.backward(make(g))
    channels = (-1,) + (1,) * (len(shape) - 2)
    z = over(x, around)
    along, across = g.mean(around, keepdims=True), (g * z).mean(around, keepdims=True)
    scale = (weight / np.sqrt(x.var(around) + 1e-5)).reshape(channels)
    for tensor, slope in zip(
        tensors, [scale * (g - along - z * across), (g * z).sum(around), g.sum(around)]
    ):
        np.testing.assert_allclose(tensor.grad.numpy(), slope, rtol=1e-7, atol=1e-9)


def test_a_mean_far_from_zero_costs_no_digits():
    x = (RNG.normal(size=(64, 2, 100)) + 1000.0).astype(np.float32)
    y = F.batch_norm(make(x), None, None, training=True).numpy()
    np.testing.assert_allclose(y, over(x.astype(np.float64), (0, 2)), atol=2e-4)


def test_half_precision_is_normalised_in_single():
    x = RNG.normal(300.0, 100.0, (8, 2)).astype(np.float16)
    y = F.batch_norm(make(x), None, None, training=True)
    assert y.dtype == aino.float16
    np.testing.assert_allclose(y.numpy(), over(x.astype(np.float64), 0), atol=2e-3)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_program_writes_the_running_statistics(momentum):
    def step_of(model):
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss

        return step

    models = network(momentum), network(momentum)
    eager, compiled = step_of(models[0]), aino.compile(step_of(models[1]), fullgraph=True)
    for x in RNG.normal(size=(6, 5, 4)).astype(np.float32):
        assert eager(make(x)).item() == compiled(make(x)).item()
    for mine, other in zip(models[0].state_dict().values(), models[1].state_dict().values()):
        assert np.array_equal(mine.numpy(), other.numpy())


def test_functional_call_moves_the_buffers_that_it_is_given():
    model, x = network(), make(RNG.normal(size=(5, 4)).astype(np.float32))
    given = {key: value.clone() for key, value in model.state_dict().items()}
    func.functional_call(model, given, (x,))
    own = model[1].running_mean
    assert not own.numpy().any()
    assert given["1.num_batches_tracked"].item() == 1
    model(x)
    assert np.array_equal(given["1.running_mean"].numpy(), own.numpy())


def test_vmap_refuses_to_move_what_is_not_batched_and_changes_nothing():
    model, x = network(), make(RNG.normal(size=(3, 5, 4)).astype(np.float32))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(LevelError, match="not batched"):
        func.vmap(model)(x)
    for key, value in model.state_dict().items():
        assert np.array_equal(value.numpy(), before[key].numpy())


def test_batch_norm_without_running_statistics_goes_through_vmap():
    model, x = network().double(), make(RNG.normal(size=(3, 5, 4)))
    assert func.replace_all_batch_norm_modules_(model) is model
    assert list(model.state_dict()) == [
        "0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "2.bias",
    ]  # fmt: skip
    for mode in (model.train, model.eval):
        mode()
        expected = np.stack([model(sample).detach().numpy() for sample in x])
        np.testing.assert_allclose(func.vmap(model)(x).detach().numpy(), expected, rtol=1e-9)


@pytest.mark.filterwarnings("error")
def test_transforms_take_the_definition_and_go_over_no_samples():
    x = make(RNG.normal(size=(3, 5, 4)))

    def cubes(x):
        return (F.batch_norm(x, None, None, training=True) ** 3).sum()

    one = [func.grad(cubes)(sample).numpy() for sample in x]
    np.testing.assert_allclose(func.vmap(func.grad(cubes))(x).numpy(), np.stack(one), rtol=1e-9)
    sample, direction = x[0], x[1]
    moved = func.jvp(cubes, (sample,), (direction,))[1].item()
    assert moved == pytest.approx((one[0] * direction.numpy()).sum(), rel=1e-9)
    jacobian = func.jacrev(lambda x: F.batch_norm(x, None, None, training=True).square())(sample)
    assert jacobian.shape == (5, 4, 5, 4)


@pytest.mark.parametrize("shape", [(6, 4), (3, 4, 50)])
def test_a_saved_program_needs_numpy_alone(shape, tmp_path):
    layer, x = nn.GroupNorm(2, 4), make(RNG.normal(size=shape).astype(np.float32))
    run = aino.compile(lambda x: layer(x))
    with aino.no_grad():
        expected = run(x).numpy()
    run.save_source(tmp_path / "saved.py")
    names = runpy.run_path(str(tmp_path / "saved.py"))
    assert np.array_equal(names["step"](x.numpy()), expected)


@pytest.mark.parametrize("length", [3, 64, 65, 5000])
def test_sums_of_columns_keep_their_digits(length):
    x = np.full((length, 3), 1.1, np.float32)
    mean, variance = aino.zeros(3), aino.ones(3)
    F.batch_norm(make(x), mean, variance, training=True, momentum=1.0)
    np.testing.assert_allclose(mean.numpy(), x[0], rtol=3e-7)
    np.testing.assert_allclose(variance.numpy(), 0.0, atol=1e-12)


def test_sync_batch_norm_takes_over_the_layer():
    model = network()
    found = nn.SyncBatchNorm.convert_sync_batchnorm(model.eval())
    assert found is model
    assert type(model[1]) is nn.SyncBatchNorm
    assert not model[1].training
    assert list(model.state_dict()) == list(network().state_dict())
    layer = nn.BatchNorm2d(3, bias=False)
    other = nn.SyncBatchNorm.convert_sync_batchnorm(layer)
    assert (other.weight is layer.weight, other.bias) == (True, None)
    assert other.running_mean is layer.running_mean


def test_a_state_from_before_the_count_is_loaded():
    state = network().state_dict()
    del state["1.num_batches_tracked"]
    assert str(network().load_state_dict(state)) == "<All keys matched successfully>"


def test_the_top_level_names_take_their_own_order():
    x = make(RNG.normal(size=(4, 2, 3)))
    weight, bias, mean, var = (make(RNG.uniform(0.5, 1.5, 2)) for _ in range(4))
    expected = F.batch_norm(x, mean.clone(), var.clone(), weight, bias, True, 0.3, 0.1).numpy()
    moved = mean.clone(), var.clone()
    y = aino.batch_norm(x, weight, bias, *moved, True, 0.3, 0.1, False)
    assert np.array_equal(y.numpy(), expected)
    y, center, scale = aino.native_batch_norm(x, weight, bias, mean, var, True, 0.3, 0.1)
    assert np.array_equal(mean.numpy(), moved[0].numpy())
    np.testing.assert_allclose(center.numpy(), x.numpy().mean((0, 2)))
    np.testing.assert_allclose(scale.numpy(), 1 / np.sqrt(x.numpy().var((0, 2)) + 0.1))
    y = aino.instance_norm(x, weight, bias, None, None, True, 0.1, 0.1, False)
    expected = F.instance_norm(x, weight=weight, bias=bias, eps=0.1)
    assert np.array_equal(y.numpy(), expected.numpy())
    y, center, scale = aino.native_group_norm(x, weight, bias, 4, 2, 3, 2, 0.1)
    assert np.array_equal(y.numpy(), aino.group_norm(x, 2, weight, bias, 0.1).numpy())
    assert center.shape == scale.shape == (4, 2)
    mean, variance = aino.batch_norm_update_stats(x, None, None, 0.1)
    np.testing.assert_allclose(variance.numpy(), x.numpy().var((0, 2)))


@pytest.mark.parametrize("offset", [0.0, 1e3])
@pytest.mark.parametrize("shape", [(5, 3, 4, 6), (1, 4, 40, 40), (3, 2, 1500), (2, 70, 3, 5)])
def test_batches_are_normalised_on_two_threads_as_on_one(shape, offset, monkeypatch):
    def passes():
        aino.manual_seed(0)
        layer = nn.BatchNorm1d(shape[1]) if len(shape) == 3 else nn.BatchNorm2d(shape[1])
        x = (aino.randn(*shape) + offset).requires_grad_()
        y = layer(x)
        (y * aino.randn(*shape)).sum().backward()
        return [y, x.grad, layer.weight.grad, layer.bias.grad, layer.running_var]

    whole = passes()
    monkeypatch.setattr("aino.threads.CORES", 2)
    monkeypatch.setattr(normalization, "SHARED", 1)
    for one, two in zip(whole, passes()):
        np.testing.assert_array_equal(two.numpy(force=True), one.numpy(force=True))
