"""The same modules in PyTorch: reprs, keys, values, gradients, with the same state loaded."""

import warnings

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import make
from tests.nn.row import ModuleRow
from tests.nn.rows import ROWS

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

PAIRS = [row for row in ROWS if row.torch]


def pair(row: ModuleRow):
    """Return the row's module in both libraries, in float64, with AINO's state in both."""
    ours = row.double()
    theirs = row.make(torch.nn, torch.from_numpy).double()
    state = ours.state_dict().items()
    theirs.load_state_dict({key: torch.from_numpy(value.numpy().copy()) for key, value in state})
    if row.random:
        ours.eval(), theirs.eval()
    return ours, theirs


def to_torch(row, arrays):
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    for sample, tensor in zip(row.inputs, tensors):
        tensor.requires_grad_(sample.wanted and tensor.dtype.is_floating_point)
    return tensors


@pytest.mark.parametrize("row", PAIRS, ids=[f"{row.name}-{row}" for row in PAIRS])
def test_module(row):
    ours, theirs = pair(row)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    arrays = row.draw()
    if row.order == 0:
        y = row.call(ours, map(make, arrays))
        t = row.call(theirs, map(torch.from_numpy, arrays))
        np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=1e-7, atol=1e-9)
        return
    inputs, originals = row.tensors(arrays), to_torch(row, arrays)
    y, t = row.call(ours, inputs), row.call(theirs, originals)
    np.testing.assert_allclose(y.detach().numpy(), t.detach().numpy(), rtol=1e-7, atol=1e-9)
    seed = np.random.default_rng(0).uniform(-1, 1, y.shape)
    y.backward(make(seed))
    t.backward(torch.from_numpy(seed))
    pairs = [*zip(inputs, originals), *zip(ours.parameters(), theirs.parameters())]
    for mine, other in pairs:
        if other.grad is not None:
            np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), rtol=1e-6, atol=1e-9)


def network(library):
    """A model with nested, shared and frozen parts, buffers, and a parameter of its own."""

    class Part(library.Module):
        def __init__(self):
            super().__init__()
            self.inner = library.Linear(3, 3)
            self.again = self.inner
            self.scale = library.Parameter(library.Linear(3, 1, bias=False).weight.detach())
            self.register_buffer("steps", library.Linear(1, 2).bias.detach())
            self.register_buffer("hidden", None)
            self.register_buffer("scratch", library.Linear(1, 1).bias.detach(), persistent=False)
            self.register_parameter("absent", None)
            self.list = library.ModuleList([library.ReLU(), library.LayerNorm(3)])
            self.named = library.ModuleDict({"a": library.Tanh(), "b": library.Linear(3, 2)})
            self.weights = library.ParameterList([library.Linear(2, 2).weight])
            self.factors = library.ParameterDict({"k": library.Linear(2, 2).bias})

    return library.Sequential(library.Linear(2, 3), library.Sequential(Part()), library.Dropout())


def test_names_and_order():
    ours, theirs = network(nn), network(torch.nn)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for walk in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        for options in ({}, {"prefix": "p"}, {"remove_duplicate": False}, {"recurse": False}):
            try:
                expected = [name for name, _ in getattr(theirs, walk)(**options)]
            except TypeError:
                continue
            assert [name for name, _ in getattr(ours, walk)(**options)] == expected
    assert len(list(ours.parameters())) == len(list(theirs.parameters()))


def test_repr_of_nested_modules():
    theirs = repr(network(torch.nn)).replace("torch.FloatTensor", "aino.float32")
    theirs = theirs.replace("torch.", "aino.")
    assert repr(network(nn)) == theirs


def test_checkpoint_of_pytorch_loads_as_it_is():
    ours, theirs = network(nn), network(torch.nn)
    ours.load_state_dict(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        np.testing.assert_array_equal(ours.state_dict()[key].numpy(), value.numpy())
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()}, assign=True)


def hooked(library, tensor, log):
    """Run a module with every kind of hook; return the gradients of its inputs."""
    module = library.Bilinear(2, 2, 2).double()
    for parameter in module.parameters():
        parameter.data = parameter.data * 0.0 + 0.5

    def shown(values):
        return [None if v is None else np.round(np.array(v.tolist()), 9).tolist() for v in values]

    module.register_forward_pre_hook(lambda m, args: log.append(("pre", len(args))))
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {k: 2.0 * v for k, v in kwargs.items()}), with_kwargs=True
    )
    module.register_forward_hook(lambda m, args, y: 3.0 * y)
    module.register_forward_hook(
        lambda m, args, kwargs, y: log.append(("kwargs", sorted(kwargs))), with_kwargs=True
    )
    module.register_forward_hook(lambda m, args, y: log.append(("first",)), prepend=True)
    module.register_full_backward_pre_hook(lambda m, g: log.append(("bpre", shown(g))))
    module.register_full_backward_pre_hook(lambda m, g: (2.0 * g[0],))
    module.register_full_backward_hook(lambda m, gi, go: log.append(("b", shown(gi), shown(go))))
    module.register_full_backward_hook(lambda m, gi, go: tuple(5.0 * g for g in gi))
    a = tensor([[1.0, 2.0]]).double().requires_grad_()
    b = tensor([[3.0, -1.0]]).double().requires_grad_()
    module(a, b).sum().backward()
    module(a, input2=b).sum().backward()
    with pytest.raises(Exception):  # noqa: B017
        module(a)
    return shown([a.grad, b.grad, module.weight.grad, module.bias.grad])


def test_hooks():
    logs = [], []
    ours = hooked(nn, aino.tensor, logs[0])
    theirs = hooked(torch.nn, torch.tensor, logs[1])
    assert logs[0] == logs[1]
    assert ours == theirs


def test_backward_hooks_where_no_input_wants_a_gradient():
    for library, tensor in ((nn, aino.tensor), (torch.nn, torch.tensor)):
        seen = []
        module = library.Linear(2, 1)
        module.register_full_backward_hook(lambda m, gi, go, seen=seen: seen.append((gi, len(go))))
        module(tensor([[1.0, 2.0]])).sum().backward()
        assert seen == [((None,), 1)]


INITIALISERS = {
    "uniform_": (-1.0, 2.0), "normal_": (1.0, 0.5), "trunc_normal_": (0.0, 1.0, -1.0, 1.5),
    "constant_": (0.3,), "ones_": (), "zeros_": (), "eye_": (), "xavier_uniform_": (2.0,),
    "xavier_normal_": (), "kaiming_uniform_": (0.1, "fan_out"),
    "kaiming_normal_": (0, "fan_in", "relu"), "orthogonal_": (2.0,), "sparse_": (0.3,),
}  # fmt: skip


@pytest.mark.parametrize("name", INITIALISERS)
def test_initial_values_have_the_same_distribution(name):
    arguments = INITIALISERS[name]
    ours = getattr(nn.init, name)(aino.empty(300, 200), *arguments).numpy()
    torch.manual_seed(0)
    theirs = getattr(torch.nn.init, name)(torch.empty(300, 200), *arguments).numpy()
    for statistic in (np.mean, np.std, np.min, np.max, lambda a: (a == 0).mean()):
        spread = max(theirs.std(), 1e-3)
        extreme = statistic in (np.min, np.max) and "uniform" not in name
        assert abs(statistic(ours) - statistic(theirs)) < (0.9 if extreme else 0.05) * spread


@pytest.mark.parametrize("shape", [(4, 4, 3), (6, 3, 2, 2), (2, 5, 1, 2, 3)])
@pytest.mark.parametrize("groups", [1, 2])
def test_dirac(shape, groups):
    ours = nn.init.dirac_(aino.empty(*shape), groups)
    theirs = torch.nn.init.dirac_(torch.empty(*shape), groups)
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"])
def test_gain(name):
    assert nn.init.calculate_gain(name) == pytest.approx(torch.nn.init.calculate_gain(name))
    if name == "leaky_relu":
        gain = torch.nn.init.calculate_gain(name, 0.3)
        assert nn.init.calculate_gain(name, 0.3) == pytest.approx(gain)


@pytest.mark.parametrize("name", ["Linear", "Bilinear", "Embedding", "PReLU", "LayerNorm"])
def test_default_initial_values(name):
    arguments = {"Linear": (50, 400), "Bilinear": (20, 20, 40), "Embedding": (200, 100),
                 "PReLU": (7,), "LayerNorm": (9,)}[name]  # fmt: skip
    ours, theirs = getattr(nn, name)(*arguments), getattr(torch.nn, name)(*arguments)
    for (key, mine), other in zip(ours.named_parameters(), theirs.parameters()):
        a, b = mine.detach().numpy(), other.detach().numpy()
        spread = max(b.std(), 1e-3)
        assert abs(a.mean() - b.mean()) < 0.4 * spread, key
        assert abs(a.std() - b.std()) < 0.15 * spread, key
        if name != "Embedding":
            assert abs(a.min() - b.min()) < 0.2 * spread, key
            assert abs(a.max() - b.max()) < 0.2 * spread, key


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, 0.0, float("inf")])
def test_clip_grad_norm(norm_type):
    arrays = [np.random.default_rng(i).normal(size=(3, i + 1)) for i in range(3)]
    arrays[1][0] = 0.0
    for maximum in (0.5, 100.0):
        results = []
        for library, tensor in ((nn, aino.tensor), (torch.nn, torch.tensor)):
            parameters = [tensor(a.tolist()).double().requires_grad_() for a in arrays]
            for parameter, array in zip(parameters, arrays):
                parameter.grad = tensor(array.tolist()).double()
            norm = library.utils.clip_grad_norm_(parameters, maximum, norm_type)
            results.append([float(norm), *[p.grad.numpy() for p in parameters]])
        for ours, theirs in zip(*results):
            np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_embedding_in_training():
    """Rows beyond max_norm are shortened in place, the padding row is not learned."""
    table = np.random.default_rng(0).normal(size=(5, 3))
    index = np.array([[1, 2], [4, 1]])
    results = []
    for library, tensor in ((nn, aino.tensor), (torch.nn, torch.tensor)):
        layer = library.Embedding(5, 3, padding_idx=2, max_norm=1.0, scale_grad_by_freq=True)
        layer = layer.double()
        layer.load_state_dict({"weight": tensor(table.tolist()).double()})
        y = layer(tensor(index.tolist()))
        (y * y).sum().backward()
        results.append([layer.weight.detach().numpy(), layer.weight.grad.numpy()])
    for ours, theirs in zip(*results):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_errors_name_what_pytorchs_name():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for library, tensor in ((nn, aino.tensor), (torch.nn, torch.tensor)):
            module = library.Sequential(library.Linear(2, 3), library.Linear(3, 1))
            state = {"0.weight": tensor([[1.0]]), "0.bias": tensor([0.0] * 3), "extra": tensor(1.0)}
            with pytest.raises(RuntimeError) as caught:
                module.load_state_dict(state)
            for key in ("1.weight", "1.bias", "extra", "0.weight"):
                assert key in str(caught.value)
