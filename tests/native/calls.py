"""What tests of calls that C makes share: who made a call, and steps to compare."""

import importlib
import pkgutil

import numpy as np

import aino
from aino import nn
from aino.autograd import native, rules
from aino.autograd.declared import REGISTRY


def plain_primitives():
    """Return the names of the primitives whose call paths ask C, of all that there are."""
    for module in pkgutil.iter_modules(rules.__path__, rules.__name__ + "."):
        importlib.import_module(module.name)
    return sorted(name for name, declared in REGISTRY.items() if native._is_plain(declared))


def quick_of(name):
    """Return what a primitive's call path asks first, made anew."""
    return native.quick_calls(REGISTRY[name])["quick"]


def both_ways(function):
    """Return what a function gives where C makes its calls, and where Python does."""
    in_c = function()
    with aino.backends.native.flags(enabled=False):
        return in_c, function()


def entries(compiled):
    """Return the calls of a compiled function that C makes."""
    entrance = getattr(compiled, "_compiled", compiled)._entrance
    return [] if entrance is None else list(entrance.entries)


def made_in_c(compiled, call):
    """Return what a call gives, and how many calls C made for it by what was there before."""
    known = entries(compiled)
    before = sum(entry.calls for entry in known)
    try:
        result = call()
    except Exception as error:
        result = type(error)
    return result, sum(entry.calls for entry in known) - before


def bits(result):
    if isinstance(result, aino.Tensor):
        array = result.detach().array
        return array.tobytes(), array.shape, array.dtype, result.requires_grad
    return [bits(part) for part in result] if isinstance(result, (list, tuple)) else result


def network(seed=0):
    aino.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))


X = np.arange(4, dtype=np.float32).reshape(1, 4) / 3


def in_python(function):
    """Return a compiled function whose guards are all asked in Python."""
    compiled = aino.compile(function, backend="native")

    def call(*args):
        compiled._entrance = None
        return compiled(*args)

    return call


def compile_natively(function):
    return aino.compile(function, backend="native")


def as_is(function):
    return function


def left(model):
    """Return what parameters hold, and their gradients."""
    return [(bits(p), None if p.grad is None else bits(p.grad)) for p in model.parameters()]


def training(transform, kind, **settings):
    model = network()
    optimizer = kind(model.parameters(), lr=0.1, **settings)
    lossf, x, y = nn.MSELoss(), aino.from_numpy(np.tile(X, (5, 1))), aino.ones(5, 3)

    def step():
        optimizer.zero_grad()
        loss = lossf(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return transform(step), model, optimizer
