"""Writes that give a tensor from outside a history: it is eager's, and never one of tracers."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import CompileError, CompileWarning

#: name -> a function of w, an argument x and what it holds; what it returns wants no gradient,
#: but for those that say so.
WRITES = {
    "the argument": lambda w, x, held: x.mul_(w).detach().sum(),
    "the argument, returned": lambda w, x, held: (x.mul_(w) * w).sum(),
    "a view of the argument": lambda w, x, held: x[0].mul_(w).detach() * 1.0,
    "a subscript of the argument": lambda w, x, held: x.__setitem__(0, w) or x.detach().sum(),
    "what it holds": lambda w, x, held: held.mul_(w).detach().sum(),
    "a copy into what it holds": lambda w, x, held: held.copy_(w * x).detach().sum(),
    "a view of what it holds": lambda w, x, held: held[1:].add_(w).detach().sum(),
    "a loss of its own besides": lambda w, x, held: (
        (w * x).sum().backward() or held.add_(w).detach().sum()
    ),
}


def outcome(write, compiled):
    """Return results and gradients of three calls, and of what is led back from afterwards."""
    w = aino.tensor(2.0, requires_grad=True)
    held = aino.arange(3.0)

    def function(x):
        return write(w, x, held)

    if compiled:
        function = aino.compile(function)
    found = []
    for turn in range(3):
        x = aino.arange(3.0) + turn
        result = function(x)
        found.append(result.detach().numpy().copy())
        for tensor in (x, held, result):
            if tensor.requires_grad:
                (slope,) = aino.autograd.grad((tensor * 1.0).sum(), w, retain_graph=True)
                assert type(slope.array) is np.ndarray
                found.append(slope.numpy().copy())
    return found


@pytest.mark.parametrize("name", WRITES)
def test_what_was_written_leads_back_as_in_eager(name):
    expected = outcome(WRITES[name], compiled=False)
    with pytest.warns(CompileWarning, match="goes on uncompiled"):
        found = outcome(WRITES[name], compiled=True)
    for mine, its in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_it_is_refused_by_name():
    w = aino.tensor(2.0, requires_grad=True)
    with pytest.raises(CompileError, match=r"its argument x.*detach"):
        aino.compile(lambda x: x.mul_(w).detach(), fullgraph=True)(aino.ones(2))


def test_a_refusal_leaves_every_history_as_it_was():
    w = aino.tensor(2.0, requires_grad=True)
    x, held = aino.ones(2), aino.ones(2)
    view = held[0]

    @aino.compile(fullgraph=True)
    def function(x):
        x.mul_(w)
        view.mul_(w)
        raise_if = x.sum() > 0
        return 1 if raise_if else 2

    for _ in range(2):
        with pytest.raises(CompileError):
            function(x)
        assert [t.grad_fn for t in (x, held, view)] == [None] * 3
        assert not any(t.requires_grad for t in (x, held, view))
        assert (x.tolist(), held.tolist()) == ([1.0, 1.0], [1.0, 1.0])


def test_a_buffer_of_a_module():
    class Running(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 2)
            self.register_buffer("mean", aino.zeros(2))

        def forward(self, x):
            y = self.linear(x)
            self.mean.mul_(0.9).add_(y.mean(0), alpha=0.1)
            return y.detach()

    aino.manual_seed(0)
    model = Running()
    with pytest.warns(CompileWarning, match="goes on uncompiled"):
        aino.compile(model)(aino.ones(3, 2))
    (slope,) = aino.autograd.grad(model.mean.sum(), model.linear.bias)
    assert type(slope.array) is np.ndarray
    np.testing.assert_allclose(slope.numpy(), [0.1, 0.1], rtol=1e-6)
