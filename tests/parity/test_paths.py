"""The files that PyTorch's programs import modules from have PyTorch's classes."""

import importlib
import inspect
import pkgutil

import pytest

from aino import nn

torch = pytest.importorskip("torch")

#: Files of PyTorch's own insides.
LEFT_OUT = {"_functions"}


def files():
    return [item.name for item in pkgutil.iter_modules(torch.nn.modules.__path__)]


@pytest.mark.parametrize("name", [name for name in files() if name not in LEFT_OUT])
def test_the_classes_of_a_file(name):
    theirs = importlib.import_module(f"torch.nn.modules.{name}")
    ours = importlib.import_module(f"aino.nn.modules.{name}")
    for key, value in vars(theirs).items():
        own = inspect.isclass(value) and value.__module__ == theirs.__name__
        if own and key[0] != "_":
            assert getattr(ours, key) is getattr(nn, key, getattr(ours, key)), key


def test_names_beside_the_modules():
    theirs = importlib.import_module("torch.nn.common_types")
    ours = importlib.import_module("aino.nn.common_types")
    names = {name for name in vars(theirs) if name.endswith("_t")}
    assert names <= set(vars(ours))
    parameter = importlib.import_module("torch.nn.parameter")
    assert set(parameter.__all__) <= set(nn.parameter.__all__)
    assert nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"device": 2}}) == {
        "dtype": 1, "device": 2,
    }  # fmt: skip
    for bad in ({"size": 1}, {"dtype": 1, "factory_kwargs": {"dtype": 2}}):
        for function in (nn.factory_kwargs, torch.nn.factory_kwargs):
            with pytest.raises(TypeError):
                function(bad)
    with pytest.warns(FutureWarning):
        container = nn.Container(first=nn.ReLU())
    assert [name for name, _ in container.named_children()] == ["first"]
