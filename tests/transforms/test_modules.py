"""Every module and loss under vmap with functional_call, against a loop."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import make
from aino.errors import TransformError
from aino.func import functional_call, grad, stack_module_state, vmap
from tests.nn.rows import ROWS
from tests.transforms.harness import close, number_of, weights_of

pytestmark = pytest.mark.filterwarnings("ignore:reduction 'mean' divides")

SAMPLES = 2
#: What is made for a whole table is in its module: norms are cut in the table itself.
IN_PLACE = "Embedding(5, 3, padding_idx=0, max_norm=", "EmbeddingBag(5, 3, max_norm="
#: What vmap can't do, as in PyTorch.
REFUSED = {"AdaptiveLogSoftmaxWithLoss": "a cluster's rows are chosen by the classes"}


def inputs_of(row, number):
    rng = np.random.default_rng(number)
    return [make(sample.draw(rng)) for sample in row.inputs]


def tensors_in(result):
    """Return the tensors of what a module returns, in nested tuples or not."""
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in tensors_in(part)]
    return [] if result is None else [result]


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if not str(row).startswith(IN_PLACE) and row.name not in REFUSED],
    ids=lambda row: f"{row.name}-{row}",
)
def test_module(row):
    """Per-sample gradients, and an ensemble on the same inputs."""
    module = row.double()
    learns = any("running" in name for name, _ in module.named_buffers())
    module = module.eval() if row.random or learns else module
    samples = [inputs_of(row, number) for number in range(SAMPLES)]
    params = {name: p.detach() for name, p in module.named_parameters()}
    output = functional_call(module, params, tuple([x.clone() for x in samples[0]]))
    weights = weights_of(tensors_in(output))

    def number(params, *inputs):
        # A copy: some modules write into their inputs.
        y = functional_call(module, params, tuple([x.clone() for x in inputs]))
        return number_of(tensors_in(y), weights)

    stacked = [aino.stack(column) for column in zip(*samples)]
    dims = (None, *[0] * len(stacked))
    found = vmap(number, dims)(params, *stacked)
    close(found, np.stack([number(params, *inputs).array for inputs in samples]), "value")
    if not params or not row.order:
        return
    found = vmap(grad(number), dims)(params, *stacked)
    expected = [grad(number)(params, *inputs) for inputs in samples]
    for name, g in found.items():
        close(g, np.stack([part[name].array for part in expected]), f"per sample: {name}")
    ensemble = {name: aino.stack([p, p * 0.5]) for name, p in params.items()}
    found = vmap(grad(number), (0, *[None] * len(stacked)))(ensemble, *samples[0])
    members = [params, {name: p * 0.5 for name, p in params.items()}]
    expected = [grad(number)(member, *samples[0]) for member in members]
    for name, g in found.items():
        close(g, np.stack([part[name].array for part in expected]), f"ensemble: {name}")


@pytest.mark.parametrize("row", [row for row in ROWS if row.name in REFUSED], ids=str)
def test_what_is_refused_is_refused_by_name(row):
    module = row.double()
    with pytest.raises(TransformError, match=f"{row.name} .*{REFUSED[row.name]}"):
        vmap(module)(*[aino.stack(pair) for pair in zip(inputs_of(row, 0), inputs_of(row, 1))])


@pytest.mark.parametrize("row", [row for row in ROWS if row.random], ids=str)
def test_randomness_of_modules(row):
    module = row.double().train()
    for part in module.modules():
        if getattr(part, "track_running_stats", False):
            part.eval()
    inputs = [aino.stack([-1 - x.abs(), -1 - x.abs()]) for x in inputs_of(row, 0)]
    with pytest.raises(TransformError, match=r"randomness='different'"):
        vmap(module)(*inputs)
    aino.manual_seed(3)
    (same, *_) = tensors_in(vmap(module, randomness="same")(*inputs))
    assert aino.equal(same[0], same[1])
    found = [tensors_in(vmap(module, randomness="different")(*inputs))[0] for _ in range(8)]
    assert not all(aino.equal(y[0], y[1]) for y in found)


@pytest.mark.parametrize(
    "norm",
    [nn.BatchNorm1d(3), nn.BatchNorm1d(3, affine=False, momentum=None), nn.SyncBatchNorm(3),
     nn.InstanceNorm1d(3, track_running_stats=True)],
    ids=str,
)  # fmt: skip
def test_running_statistics_of_norms_are_refused_in_training(norm):
    x = aino.randn(2, 4, 3, 5)
    with pytest.raises(TransformError, match=r"inside vmap.*not batched"):
        vmap(norm)(x)
    y = vmap(norm.eval())(x)
    assert aino.allclose(y, aino.stack([norm(part) for part in x]))


class Counting(nn.Module):
    """A module with a buffer that each call writes into."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", aino.zeros(3))

    def forward(self, x):
        self.mean.mul_(0.5).add_(x)
        return x - self.mean


def test_running_statistics_are_refused_as_long_as_they_are_shared():
    module = Counting()
    x = aino.arange(6.0).reshape(2, 3)
    with pytest.raises(TransformError, match=r"add_ inside vmap.*not batched"):
        vmap(module)(x)
    buffers = {"mean": aino.zeros(2, 3)}
    y = vmap(lambda buffers, x: functional_call(module, buffers, x))(buffers, x)
    assert aino.equal(buffers["mean"], x)
    assert aino.equal(y, aino.zeros(2, 3))
    assert aino.equal(module.mean[0] * 0, aino.zeros(()))


def test_functional_call_leaves_the_module_as_it_was():
    module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    before = {name: (p, p.detach().clone()) for name, p in module.named_parameters()}
    given = {name: aino.ones_like(p) for name, p in module.named_parameters()}
    x = aino.ones(4, 2)
    y = functional_call(module, given, (x,))
    assert aino.allclose(y, 1 + 3 * aino.tanh(aino.tensor(3.0)))
    for name, p in module.named_parameters():
        assert p is before[name][0]
        assert aino.equal(p, before[name][1])
    part = functional_call(module, {"2.bias": aino.zeros(1)}, x)
    assert aino.allclose(part + module[2].bias, module(x))
    both = functional_call(module, [{"2.bias": aino.zeros(1)}, {"0.bias": before["0.bias"][0]}], x)
    assert aino.equal(both, part)


def test_functional_call_says_what_is_wrong():
    module = nn.Linear(2, 1)
    with pytest.raises(TransformError, match=r"no parameter or buffer 'wight'.*bias, weight"):
        functional_call(module, {"wight": aino.ones(1, 2)}, aino.ones(2))
    with pytest.raises(TransformError, match="strict=True, and nothing was given for bias"):
        functional_call(module, {"weight": aino.ones(1, 2)}, aino.ones(2), strict=True)
    with pytest.raises(TransformError, match="'bias' was given twice"):
        functional_call(module, [{"bias": aino.ones(1)}, {"bias": aino.ones(1)}], aino.ones(2))


def test_tied_weights_are_replaced_together():
    module = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    module[1].weight = module[0].weight
    x = aino.ones(2)
    twice = functional_call(module, {"0.weight": 2 * aino.eye(2)}, x)
    assert aino.equal(twice, 4 * x)
    once = functional_call(module, {"0.weight": aino.eye(2)}, x, tie_weights=False)
    assert aino.allclose(once, module[1](x))
    with pytest.raises(TransformError, match="are one parameter"):
        functional_call(module, {"0.weight": aino.eye(2), "1.weight": aino.ones(2, 2)}, x)


def test_an_ensemble_of_modules():
    models = [nn.Linear(3, 2) for _ in range(4)]
    params, buffers = stack_module_state(models)
    assert buffers == {}
    assert all(p.is_leaf and p.requires_grad for p in params.values())
    x = aino.randn(5, 3)
    y = vmap(lambda params: functional_call(models[0], params, x))(params)
    assert aino.allclose(y, aino.stack([model(x) for model in models]))
    y.square().sum().backward()
    for i, model in enumerate(models):
        model(x).square().sum().backward()
        assert aino.allclose(params["weight"].grad[i], model.weight.grad, atol=1e-5)


def test_stack_module_state_says_what_is_wrong():
    with pytest.raises(TransformError, match="at least one module"):
        stack_module_state([])
    with pytest.raises(TransformError, match="one class"):
        stack_module_state([nn.Linear(2, 1), nn.ReLU()])
    with pytest.raises(TransformError, match=r"train\(\) or in eval"):
        stack_module_state([nn.Linear(2, 1), nn.Linear(2, 1).eval()])
    frozen = nn.Linear(2, 1)
    frozen.bias.requires_grad_(False)
    with pytest.raises(TransformError, match="'bias' requires a gradient in some"):
        stack_module_state([nn.Linear(2, 1), frozen])


def test_a_compiled_step_of_an_ensemble_is_the_eager_one():
    def trained(wrap):
        aino.manual_seed(0)
        models = [nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in range(4)]
        params, _ = stack_module_state(models)
        optimizer = aino.optim.Adam(list(params.values()), lr=0.05)
        x, target = aino.randn(6, 3), aino.randn(6, 2)

        def loss_of(params):
            return nn.functional.mse_loss(functional_call(models[0], params, (x,)), target)

        @wrap
        def step():
            optimizer.zero_grad()
            losses = vmap(loss_of)(params)
            losses.sum().backward()
            optimizer.step()
            return losses.detach()

        return [step() for _ in range(5)], params

    losses, params = trained(lambda step: step)
    compiled, others = trained(lambda step: aino.compile(step, fullgraph=True))
    for a, b in zip(losses, compiled):
        assert aino.allclose(a, b)
    assert (losses[-1] < losses[0]).all()
    for name, p in params.items():
        assert aino.allclose(p, others[name], atol=1e-6)
