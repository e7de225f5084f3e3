"""Everything that AINO makes can be copied, deep-copied and pickled, and is the same afterwards."""

import copy
import functools
import io
import itertools
import pickle

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd.tensor import Tensor
from aino.errors import DitError, GradientError
from tests.nn.rows import ROWS as MODULES
from tests.optim.rows import ROWS as OPTIMIZERS
from tests.optim.rows import SCHEDULES


def by_joblib(value):
    joblib = pytest.importorskip("joblib")
    file = io.BytesIO()
    joblib.dump(value, file)
    file.seek(0)
    return joblib.load(file)


def by_cloudpickle(value):
    return pickle.loads(pytest.importorskip("cloudpickle").dumps(value))


WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda value: pickle.loads(pickle.dumps(value)),
    "pickle 2": lambda value: pickle.loads(pickle.dumps(value, 2)),
    "joblib": by_joblib,
    "cloudpickle": by_cloudpickle,
}
every_way = pytest.mark.parametrize("way", WAYS)


def rows_of(rows):
    return [pytest.param(row, id=f"{i}-{row.name}") for i, row in enumerate(rows)]


# --- modules ----------------------------------------------------------------------------------


def same_module(found, model):
    assert type(found) is type(model)
    assert repr(found) == repr(model)
    assert found is not model
    own, copied = model.state_dict(), found.state_dict()
    assert list(own) == list(copied)
    for key, value in own.items():
        assert aino.equal(value, copied[key])
        assert value.dtype == copied[key].dtype
        assert not np.shares_memory(value.numpy(), copied[key].numpy())
    pairs = list(zip(model.named_parameters(), found.named_parameters(), strict=True))
    for (name, p), (other, q) in pairs:
        assert name == other
        assert type(p) is type(q)
        assert p.requires_grad is q.requires_grad
    assert [m.training for m in model.modules()] == [m.training for m in found.modules()]


@every_way
@pytest.mark.parametrize("row", rows_of(MODULES))
def test_modules(row, way):
    model = row.make().eval()
    found = WAYS[way](model)
    same_module(found, model)
    inputs = [sample.draw(np.random.default_rng(0)) for sample in row.inputs]
    inputs = [Tensor(np.asarray(x)) if not isinstance(x, Tensor) else x for x in inputs]
    try:
        expected = model(*inputs)
    except (TypeError, ValueError, RuntimeError):
        return  # of another dtype than the weights: the copy has been compared
    assert aino.allclose(found(*inputs), expected, equal_nan=True)


class Chosen(nn.Module):
    """A model of the user's, made with things that it does not keep."""

    def __init__(self, sizes, make, callback=None, names=None, **more):
        super().__init__()
        self.layers = nn.ModuleList(make(i, o) for i, o in itertools.pairwise(sizes))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Listed(nn.ModuleList):
    """A list with a constructor of its own."""

    def __init__(self, count, modules):
        super().__init__(modules)
        self.count = count


def fitted():
    model = aino.NeuralNetwork([2, 3, 1], seed=0)
    return model.fit([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=3, verbose=False)


def tied():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    return model


def with_buffers():
    model = nn.Linear(2, 2)
    model.register_buffer("seen", aino.arange(3))
    model.register_buffer("scratch", aino.ones(2), persistent=False)
    model.label = "mine"
    return model.double()


def frozen():
    model = nn.Linear(2, 2)
    model.weight.requires_grad_(False)
    return model.eval()


def emptied():
    model = nn.ModuleList(nn.Linear(1, 1) for _ in range(3))
    del model[0]
    return model


MADE = {
    "ModuleList(generator)": lambda: nn.ModuleList(nn.Linear(2, 2) for _ in range(3)),
    "ModuleList(map)": lambda: nn.ModuleList(map(nn.Linear, [1, 2], [2, 1])),
    "ParameterList(generator)": lambda: nn.ParameterList(aino.ones(i) for i in range(1, 3)),
    "ModuleDict(generator)": lambda: nn.ModuleDict((k, nn.Linear(1, 1)) for k in "ab"),
    "ModuleDict(zip)": lambda: nn.ModuleDict(zip("ab", (nn.Tanh(), nn.Linear(1, 2)), strict=True)),
    "ParameterDict(generator)": lambda: nn.ParameterDict((k, aino.ones(1)) for k in "ab"),
    "Sequential": lambda: nn.Sequential(nn.Linear(2, 3), nn.Sequential(nn.Tanh())),
    "Sequential(dict)": lambda: nn.Sequential({"a": nn.Linear(2, 3), "b": nn.Tanh()}),
    "generator inside": lambda: nn.Sequential(nn.ModuleList(nn.Tanh() for _ in range(2))),
    "emptied": emptied,
    "generator, function": lambda: Chosen([2, 3, 1], nn.Linear, callback=lambda x: x),
    "lambda": lambda: Chosen([2, 3, 1], lambda i, o: nn.Linear(i, o)),
    "iterator, file": lambda: Chosen([2, 1], nn.Linear, iter("ab"), names=open(__file__)),  # noqa: SIM115
    "lambda in a dict": lambda: Chosen([2, 1], nn.Linear, names={"f": [lambda: 1]}),
    "subclass": lambda: Listed(2, (nn.Linear(1, 1) for _ in range(2))),
    "NeuralNetwork": lambda: aino.NeuralNetwork([3, 4, 2], seed=1),
    "fitted": fitted,
    "Layer": lambda: nn.Layer(2, 3, "relu"),
    "Perceptron": lambda: nn.Perceptron(3, "tanh"),
    "tied": tied,
    "buffers": with_buffers,
    "frozen": frozen,
}


@every_way
@pytest.mark.parametrize("name", MADE)
def test_whatever_a_module_was_made_with(name, way):
    model = MADE[name]()
    same_module(WAYS[way](model), model)
    same_module(WAYS[way](WAYS[way](model)), model)  # a copy is no worse than what it copies


def test_a_shallow_copy_shares_its_parameters():
    for make in MADE.values():
        model = make()
        found = copy.copy(model)
        assert repr(found) == repr(model)
        assert all(p is q for p, q in zip(model.parameters(), found.parameters(), strict=True))


@every_way
def test_what_is_tied_stays_tied(way):
    found = WAYS[way](tied())
    assert found[0].weight is found[1].weight
    pair = WAYS[way]([nn.Linear(1, 1)] * 2)
    assert pair[0] is pair[1]


@every_way
@pytest.mark.parametrize("name", [n for n in MADE if n not in ("subclass",)])
def test_a_copy_is_saved_where_the_original_is(name, way):
    def saved(model):
        file = io.BytesIO()
        try:
            aino.save(model, file)
        except DitError:
            return None
        return file.getvalue()

    model = MADE[name]()
    expected = saved(model)
    found = saved(WAYS[way](model))
    assert (found is None) == (expected is None)
    if name not in ("emptied", "fitted"):
        assert found == expected


def test_a_copy_says_what_it_does_not_know_any_more():
    @aino.register(f"tests.{__name__}.Kept")
    class Kept(nn.Module):
        def __init__(self, numbers):
            super().__init__()
            self.total = sum(numbers)

    model = Kept(iter([1, 2]))
    assert copy.deepcopy(model).total == 3
    for each in (model, copy.deepcopy(model)):
        with pytest.raises(DitError, match=r"numbers .*list_iterator"):
            aino.save(each, io.BytesIO())
    again = copy.deepcopy(Kept([1, 2]))
    file = io.BytesIO()
    aino.save(again, file)
    file.seek(0)
    assert aino.load(file).total == 3


def test_a_copy_does_not_hold_what_was_taken_out_of_a_list():
    model = nn.ModuleList([nn.Linear(100, 100), nn.Linear(1, 1)])
    del model[0]
    assert len(pickle.dumps(model)) < 5000


# --- optimizers and schedules -------------------------------------------------------------------


def stepped(row, settings):
    aino.manual_seed(0)
    model = nn.Linear(3, 2, bias=(4,) in row.shapes)
    optimizer = row.make(model.parameters(), **settings)
    for _ in range(2):
        advance(model, optimizer)
    return model, optimizer


def advance(model, optimizer):
    optimizer.zero_grad()
    (model(aino.ones(4, 3)) ** 2).sum().backward()
    optimizer.step()


@every_way
@pytest.mark.parametrize("row", rows_of(OPTIMIZERS))
def test_optimizers(row, way):
    for settings in row.settings:
        model, optimizer = stepped(row, settings)
        copied, other = WAYS[way]((model, optimizer))
        assert type(other) is type(optimizer)
        assert other.param_groups[0]["params"][0] is copied.weight
        assert repr(other) == repr(optimizer)
        advance(model, optimizer)
        advance(copied, other)
        for p, q in zip(model.parameters(), copied.parameters(), strict=True):
            assert aino.equal(p, q)


@every_way
def test_an_optimizer_with_a_closure(way):
    p = nn.Parameter(aino.ones(2))
    optimizer = aino.optim.LBFGS([p], max_iter=2)

    def run(p, optimizer):
        def closure():
            optimizer.zero_grad()
            loss = (p**4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)

    run(p, optimizer)
    q, other = WAYS[way]((p, optimizer))
    run(p, optimizer)
    run(q, other)
    assert aino.equal(p, q)


@every_way
@pytest.mark.parametrize("row", rows_of(SCHEDULES))
def test_schedules(row, way):
    if row.name in ("LambdaLR", "MultiplicativeLR") and way not in ("deepcopy", "cloudpickle"):
        pytest.skip("Python pickles no lambda")
    p = nn.Parameter(aino.ones(2))
    optimizer = aino.optim.SGD([p], lr=0.4)
    schedule = row.make(optimizer)

    def run(optimizer, schedule, t):
        optimizer.step()
        schedule.step(*([] if row.metric is None else [row.metric(t)]))
        return optimizer.param_groups[0]["lr"]

    for t in range(3):
        run(optimizer, schedule, t)
    other, copied = WAYS[way]((optimizer, schedule))
    assert copied.optimizer is other
    for t in range(3, 12):
        assert run(other, copied, t) == run(optimizer, schedule, t)


# --- tensors and small things -------------------------------------------------------------------

DTYPES = [
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16",
    "float32", "float64", "complex64", "complex128",
]  # fmt: skip
TENSORS = {
    **{dtype: functools.partial(aino.ones, 2, 3, dtype=getattr(aino, dtype)) for dtype in DTYPES},
    "number": lambda: aino.tensor(3.0),
    "empty": lambda: aino.zeros(0, 3),
    "transposed": lambda: aino.arange(6.0).reshape(2, 3).T,
    "every second": lambda: aino.arange(6.0)[::2],
    "expanded": lambda: aino.ones(1, 3).expand(4, 3),
    "leaf": lambda: aino.ones(2).requires_grad_(),
    "parameter": lambda: nn.Parameter(aino.ones(2)),
    "frozen parameter": lambda: nn.Parameter(aino.ones(2), requires_grad=False),
    "row of a layer": lambda: nn.Layer(2, 3)[0].weight,
}


@every_way
@pytest.mark.parametrize("name", TENSORS)
def test_tensors(name, way):
    tensor = TENSORS[name]()
    found = WAYS[way](tensor)
    assert aino.equal(found, tensor)
    assert found.dtype is tensor.dtype or found.dtype == tensor.dtype
    assert (found + 1).dtype == (tensor + 1).dtype
    assert found.requires_grad is tensor.requires_grad
    assert isinstance(found, nn.Parameter) is isinstance(tensor, nn.Parameter)
    assert not np.shares_memory(found.array, tensor.array)


@every_way
def test_a_gradient_comes_along(way):
    leaf = aino.ones(2).requires_grad_()
    (leaf * 3).sum().backward()
    found = WAYS[way](leaf)
    assert aino.equal(found.grad, leaf.grad)
    (found * 2).sum().backward()
    assert found.grad.tolist() == [5.0, 5.0]
    assert leaf.grad.tolist() == [3.0, 3.0]


@every_way
def test_what_an_operation_made(way):
    made = aino.ones(2).requires_grad_() * 2
    if way == "deepcopy":
        with pytest.raises(GradientError, match="leaves"):
            copy.deepcopy(made)
    else:
        assert aino.equal(WAYS[way](made).detach(), made.detach())


def drawn():
    generator = aino.Generator().manual_seed(3)
    aino.rand(5, generator=generator)
    return generator


SMALL = {
    "Size": lambda: aino.Size([2, 3]),
    "dtype": lambda: aino.float32,
    "device": lambda: aino.device("cuda:1"),
    "max": lambda: aino.ones(2, 3).max(dim=1),
    "sort": lambda: aino.ones(3).sort(),
    "topk": lambda: aino.arange(5.0).topk(2),
    "slogdet": lambda: aino.slogdet(aino.eye(2)),
    "finfo": lambda: aino.finfo(aino.float32) if hasattr(aino, "finfo") else None,
    "state_dict": lambda: nn.Linear(2, 2).state_dict(),
    "function": lambda: aino.nn.functional.relu,
    "operation": lambda: aino.exp,
    "class": lambda: nn.Linear,
    "error": lambda: aino.errors.ShapeError("shapes"),
    "partial": lambda: functools.partial(aino.sum, dim=0),
}


@every_way
@pytest.mark.parametrize("name", SMALL)
def test_small_things(name, way):
    value = SMALL[name]()
    found = WAYS[way](value)
    assert type(found) is type(value)
    assert repr(found) == repr(value) or name == "partial"
    if name in ("function", "operation", "class"):
        assert found is value


@every_way
def test_generators(way):
    generator = drawn()
    found = WAYS[way](generator)
    assert aino.equal(aino.rand(3, generator=found), aino.rand(3, generator=generator))


@aino.compile
def doubled(x):
    return x * 2


def tripled(x):
    return x * 3


@every_way
@pytest.mark.parametrize("name", ["decorated", "called", "module"])
def test_compiled_functions(name, way):
    function = {
        "decorated": lambda: doubled,
        "called": lambda: aino.compile(tripled),
        "module": lambda: aino.compile(nn.Linear(2, 2)),
    }[name]()
    x = aino.ones(2, 2)
    expected = function(x)
    assert aino.equal(WAYS[way](function)(x), expected)
