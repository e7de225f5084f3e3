"""Checkpoints: the gradients of the function itself, in less memory."""

import tracemalloc

import numpy as np
import pytest

import aino
from aino import nn
from aino.utils import checkpoint as utils
from aino.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def network(depth=4, width=8, dropout=0.3):
    aino.manual_seed(0)
    parts = []
    for _ in range(depth):
        parts += [nn.Linear(width, width), nn.Tanh(), nn.Dropout(dropout), nn.LayerNorm(width)]
    return nn.Sequential(*parts)


def gradients(model, call, x):
    aino.manual_seed(1)
    model.zero_grad()
    y = call(x)
    (y * y).sum().backward()
    after = aino.rand(1).item()
    return [y.detach(), *[p.grad.clone() for p in model.parameters()]], after


WAYS = {
    "whole": lambda model: lambda x: checkpoint(model, x),
    "reentrant": lambda model: lambda x: checkpoint(model, x, use_reentrant=True),
    "to the end": lambda model: lambda x: checkpoint(model, x, early_stop=False),
    "two segments": lambda model: lambda x: checkpoint_sequential(model, 2, x),
    "seven segments": lambda model: lambda x: checkpoint_sequential(model, 7, x),
    "nested": lambda model: (
        lambda x: checkpoint(lambda x: checkpoint(model[8:], checkpoint(model[:8], x)), x)
    ),
    "by name": lambda model: lambda x: checkpoint(lambda *, x: model(x), x=x),
    "in a list": lambda model: lambda x: checkpoint(lambda xs: model(xs[0]), [x]),
}


@pytest.mark.parametrize("wanted", [True, False], ids=["input", "parameters"])
@pytest.mark.parametrize("way", WAYS)
def test_gradients_and_random_numbers(way, wanted):
    model = network()
    x = aino.randn(5, 8, requires_grad=wanted)
    plain = gradients(model, model, x)
    again = gradients(model, WAYS[way](model), x)
    for a, b in zip(plain[0], again[0], strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert plain[1] == again[1]


def test_grad_and_second_derivatives():
    model = network(2, dropout=0.0)
    x = aino.randn(5, 8, requires_grad=True)
    found = []
    for call in (model, lambda x: checkpoint(model, x)):
        (g,) = aino.autograd.grad(call(x).square().sum(), x, create_graph=True)
        found.append(aino.autograd.grad(g.square().sum(), [x, *model.parameters()]))
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6, atol=1e-6)


def test_a_graph_that_is_retained():
    model = network(1)
    x = aino.randn(5, 8, requires_grad=True)
    y = checkpoint(model, x).sum()
    first, second = (aino.autograd.grad(y, x, retain_graph=True)[0] for _ in range(2))
    assert first.tolist() == second.tolist()


def test_memory():
    """A chain of 50 operations keeps next to nothing until its backward pass."""

    def chain(x):
        for _ in range(50):
            x = x.sin()
        return x

    x = aino.ones(50_000, requires_grad=True)
    held = []
    for call in (chain, lambda x: checkpoint(chain, x)):
        tracemalloc.start()
        y = call(x)
        held.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del y
    assert held[1] < held[0] / 10


def test_what_changes_is_found():
    state = {"n": 1}

    def function(x):
        for _ in range(state["n"]):
            x = x.exp()
        return x

    def shaped(x):
        return x[: state["n"] + 1].exp()

    for changing in (function, shaped):
        state["n"] = 2
        y = checkpoint(changing, aino.ones(4, requires_grad=True), early_stop=False)
        state["n"] = 1
        with pytest.raises(CheckpointError):
            y.sum().backward()


def test_what_is_written_in_between_is_found():
    x = aino.ones(3, requires_grad=True)
    h = x * 1.0
    y = checkpoint(lambda h: h.exp().sin(), h)
    h.zero_()
    with pytest.raises(aino.errors.InplaceError):
        y.sum().backward()


def test_a_weight_that_a_step_has_changed_is_found():
    model = network(1, dropout=0.0)
    y = checkpoint(model, aino.ones(2, 8))
    with aino.no_grad():
        model[0].weight.mul_(2.0)
    with pytest.raises(aino.errors.InplaceError):
        y.sum().backward()


def test_contexts_of_both_calls():
    seen = []

    class Context:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            seen.append(self.name)

        def __exit__(self, *_):
            pass

    x = aino.ones(2, requires_grad=True)
    y = checkpoint(aino.exp, x, context_fn=lambda: (Context("first"), Context("second")))
    y.sum().backward()
    assert seen == ["first", "second"]


def test_nothing_is_done_where_nothing_is_recorded():
    with aino.no_grad():
        assert checkpoint(aino.exp, aino.zeros(1)).item() == 1.0


def test_a_compiled_step():
    model = network(2, dropout=0.0)
    optimizer = aino.optim.SGD(model.parameters(), lr=0.1)

    def step(x, call):
        optimizer.zero_grad()
        loss = call(x).square().mean()
        loss.backward()
        optimizer.step()
        return loss

    x = aino.randn(5, 8)
    start = {key: value.clone() for key, value in model.state_dict().items()}
    eager = [step(x, model).item() for _ in range(4)]
    model.load_state_dict(start)
    compiled = aino.compile(lambda x: step(x, lambda x: checkpoint(model, x)), fullgraph=True)
    assert [compiled(x).item() for _ in range(4)] == eager


def test_errors():
    x = aino.ones(2, requires_grad=True)
    with pytest.raises(ValueError, match="determinism_check"):
        checkpoint(aino.exp, x, determinism_check="all")
    with pytest.raises(ValueError, match="segments"):
        checkpoint_sequential([aino.exp], 2, x)
    assert utils.__all__ == sorted(utils.__all__)
