"""Every row of ``rows.py`` through every check that applies to it."""

import copy
import pickle

import numpy as np
import pytest

import aino
from aino import nn
from aino.autograd import gradcheck, gradgradcheck
from aino.autograd.tensor import make
from aino.dit.registry import registered_classes
from tests.nn.rows import ROWS

pytestmark = [
    pytest.mark.filterwarnings("ignore:reduction .mean. divides"),
    pytest.mark.filterwarnings("ignore:NLLLoss2d"),
]

#: Classes that compute nothing by themselves; they have tests of their own.
CONTAINERS = {
    "Container", "DataParallel", "Module", "ModuleDict", "ModuleList", "ParameterDict",
    "ParameterList",
    "RNNBase", "RNNCellBase", "Sequential",
}  # fmt: skip


def rows(condition=lambda row: True):
    chosen = [row for row in ROWS if condition(row)]
    names = [f"{row.name}-{row}" for row in chosen]
    return pytest.mark.parametrize("row", chosen, ids=names)


def settled(row):
    """Return the row's module in float64, and one that draws nothing in evaluation mode."""
    module = row.double()
    return module.eval() if row.random else module


def copies(inputs):
    return [x.clone() for x in inputs]


def close(got, expected, rtol=1e-9):
    got = got.detach().numpy() if isinstance(got, aino.Tensor) else got
    expected = expected.detach().numpy() if isinstance(expected, aino.Tensor) else expected
    assert got.shape == np.shape(expected)
    np.testing.assert_allclose(got, expected, rtol=rtol, atol=1e-11)


@rows()
def test_value(row):
    module, arrays = settled(row), row.draw()
    expected = row.expected(module, [array.copy() for array in arrays])
    close(row.call(module, [make(array) for array in arrays]), expected, row.rtol)


@rows(lambda row: row.order > 0)
def test_gradients(row):
    module = settled(row)
    parameters = list(module.parameters())
    inputs = row.tensors(row.draw())
    assert gradcheck(lambda *all: row.call(module, all[: len(inputs)]), (*inputs, *parameters))


@rows(lambda row: row.order > 1)
def test_second_derivatives(row):
    module = settled(row)
    parameters = list(module.parameters())
    inputs = row.tensors(row.draw())

    def function(*all):
        return row.call(module, all[: len(inputs)])

    assert gradgradcheck(function, (*inputs, *parameters), fast_mode=True)


@rows()
def test_repr(row):
    assert repr(row.make()) == row.text


@rows()
def test_state_dict_round_trip(row):
    module, other, arrays = settled(row), row.make().double(), row.draw()
    other.train(module.training)
    result = other.load_state_dict({k: v.numpy() for k, v in module.state_dict().items()})
    assert str(result) == "<All keys matched successfully>"
    inputs = [make(array) for array in arrays]
    close(row.call(other, copies(inputs)), row.call(module, copies(inputs)), 0)


@rows()
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_independent(row, duplicate):
    module, inputs = settled(row), [make(array) for array in row.draw()]
    other = duplicate(module)
    assert repr(other) == row.text
    assert other.training == module.training
    expected = row.call(module, copies(inputs))
    close(row.call(other, copies(inputs)), expected, 0)
    for parameter in other.parameters():
        parameter.array[...] = np.nan
    close(row.call(module, copies(inputs)), expected, 0)


@rows()
def test_save_and_load(row, tmp_path):
    module, inputs = settled(row), [make(array) for array in row.draw()]
    module.save(tmp_path / "module.dit")
    other = aino.load(tmp_path / "module.dit")
    assert type(other) is type(module)
    assert repr(other) == row.text
    close(row.call(other, copies(inputs)), row.call(module, copies(inputs)), 0)


@rows()
def test_float32_stays_float32(row):
    module = row.make().float()
    inputs = row.tensors(row.draw(np.float32))
    if row.order == 0:
        inputs = [x.detach() for x in inputs]
    output = row.call(module, inputs)
    assert output.dtype == np.float32
    if output.requires_grad:
        output.sum().backward()
    for tensor in [*inputs, *module.parameters()]:
        if tensor.grad is not None:
            assert tensor.grad.dtype == np.float32
            assert tensor.grad.shape == tensor.shape


@rows()
def test_training_and_evaluation(row):
    module = row.make().float()
    assert module.training
    assert module.eval() is module
    assert not module.training
    inputs = [make(array) for array in row.draw(np.float32)]
    aino.manual_seed(0)
    first = row.call(module, copies(inputs))
    second = row.call(module, copies(inputs))
    close(first, second, 0)
    assert module.train().training
    if row.random:
        trained = [row.call(module, copies(inputs)).detach().numpy() for _ in range(2)]
        assert not np.array_equal(trained[0], trained[1])


@rows(lambda row: row.errors)
def test_wrong_arguments(row):
    for args, kwargs, error in row.errors:
        with pytest.raises(error) as caught:
            getattr(nn, row.name)(*args, **kwargs)
        assert str(caught.value)


@rows(lambda row: row.bad_inputs)
def test_wrong_inputs(row):
    module = row.make()
    for samples in row.bad_inputs:
        rng = np.random.default_rng(0)
        inputs = [make(sample.draw(rng, np.float32)) for sample in samples]
        with pytest.raises((ValueError, TypeError, IndexError)) as caught:
            module(*inputs)
        assert str(caught.value)


def public_modules():
    found = [getattr(nn, name) for name in dir(nn)]
    modules = {cls for cls in found if isinstance(cls, type) and issubclass(cls, nn.Module)}
    return modules - {nn.NeuralNetwork}  # which has tests of its own


def test_every_module_has_a_row():
    names = {cls.__name__ for cls in public_modules()} - CONTAINERS
    names = {name for name in names if not name.startswith("Lazy")}  # tests of their own
    assert names == {row.name for row in ROWS}


def test_every_module_can_be_named_in_a_file():
    registered = registered_classes()
    for cls in public_modules():
        assert registered[cls.__name__] is cls


def test_every_module_is_documented():
    for cls in public_modules():
        for member in (cls, cls.forward):
            assert member.__doc__, f"{member.__qualname__} says nothing"
