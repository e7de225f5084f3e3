"""Whatever can't be drawn is refused with what to do instead."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.errors import GradientError

x = aino.tensor([1.0, 2.0], requires_grad=True)
y = x.sum()


class Nothing(nn.Module):
    def forward(self, x):
        return "text"


class Counting(nn.Module):
    def forward(self, x):
        return x.argmax()


@pytest.mark.parametrize(
    ("arguments", "keywords", "error", "says"),
    [
        ((np.ones(2),), {}, TypeError, r"ndarray: aino.tensor\(array, requires_grad=True\)"),
        ((1.0,), {}, TypeError, "takes a tensor"),
        ((nn.Linear,), {}, TypeError, r"make a module of it, Linear\(\.\.\.\)"),
        (([],), {}, TypeError, "nothing to draw"),
        (([y, 3],), {}, TypeError, r"output\[1\] should be a tensor, not int"),
        (({"a": {"b": "c"}},), {}, TypeError, r"a\['b'\] should be a tensor, not str"),
        ((y, x), {}, TypeError, "inputs are for a module"),
        ((y,), {"inputs": x}, TypeError, "inputs are for a module"),
        ((nn.Tanh(), x), {"inputs": x}, TypeError, "not both"),
        ((y,), {"depth": 1}, TypeError, r"aino.draw\(module, x, depth="),
        ((aino.ones(2),), {}, GradientError, r"x.requires_grad_\(\)"),
        ((Nothing(), x), {}, TypeError, "Nothing returned no tensor"),
        ((Counting(), x), {}, GradientError, "nothing was recorded"),
        ((nn.Tanh(),), {"gradients": True}, GradientError, r"aino.draw\(module, x"),
        ((x * 2.0,), {"gradients": True}, GradientError, "one real scalar"),
        (([y, y],), {"gradients": True}, GradientError, "one real scalar"),
        ((y,), {"depth": -1}, ValueError, "depth should be at least 0"),
        ((y,), {"depth": "all"}, TypeError, "depth is a whole number"),
        ((y,), {"limit": 0}, ValueError, "limit should be at least 1"),
        ((y,), {"repeat": True}, TypeError, "repeat is a whole number"),
        ((y,), {"numbers": None}, TypeError, "numbers is a whole number"),
        ((y,), {"rankdir": "down"}, ValueError, "'TB'"),
        ((y,), {"names": [x]}, TypeError, "names is a dict"),
        ((y,), {"names": {x: "x"}}, TypeError, "keys of names are strings"),
        ((y,), {"names": {"x": 3}}, TypeError, r"names\['x'\] should be a tensor"),
    ],
)
def test_mistakes(arguments, keywords, error, says):
    with pytest.raises(error, match=says):
        aino.draw(*arguments, **keywords)


def test_gradients_of_a_graph_that_is_gone():
    noise = aino.ones(1000)
    loss = (aino.ones(1000).requires_grad_() * noise).sum()
    loss.backward()
    del noise
    with pytest.raises(GradientError, match=r"draw before backward\(\)"):
        aino.draw(loss, gradients=True)
