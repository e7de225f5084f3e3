"""What is shown of a value that nobody holds any more is what it was."""

import numpy as np
import pytest

import aino
from aino import nn
from aino.drawing.values import Values
from aino.drawing.walk import walk
from aino.nn import functional as F


def arithmetic(x, keep):
    a = keep(x * 2.0)
    b = keep(a + x)
    c = keep(b.sum(dim=0))
    d = keep(aino.exp(-c) / 3.0)
    return keep((d - c[0]).mean())


def shapes(x, keep):
    a = keep(x.reshape(-1))
    b = keep(aino.cat([a, a * 2.0]))
    c = keep(b[1:4].flip(0))
    return keep(aino.stack([c, c]).permute(1, 0).max(dim=1).values.sum())


def choices(x, keep):
    a = keep(aino.where(x > 0.5, x, x * 0.1))
    b = keep(aino.clamp(a, 0.0, 1.0))
    return keep(F.softmax(b, -1).prod() ** 2)


def losses(x, keep):
    a = keep(F.linear(x, aino.ones(3, 2).requires_grad_()))
    b = keep(F.layer_norm(a, (3,)))
    return keep(F.cross_entropy(b, aino.tensor([0, 2])))


def writes(x, keep):
    a = keep(x * 1.0)
    a[0] = keep(a[1] * 3.0)
    keep(a)
    b = keep(a.sin())
    b.mul_(2.0)
    return keep(b.sum())


@pytest.mark.parametrize("compute", [arithmetic, shapes, choices, losses, writes])
def test_shown_values_are_right(compute):
    truth = {}

    def keep(tensor):
        truth[tensor.node] = tensor.array.copy()
        return tensor

    x = aino.tensor([[0.3, -1.2], [2.0, 0.7]], requires_grad=True)
    y = compute(x, keep)
    nodes, _ = walk([y.node], {})
    values = Values(nodes, {}, {})
    shown = 0
    for node, expected in truth.items():
        value = values.of(node)
        assert value.shape == expected.shape
        assert value.dtype in (None, expected.dtype)
        if value.array is not None:
            np.testing.assert_array_equal(value.array, expected)
            shown += 1
    assert shown >= len(truth) - 2, "hardly any value is known"


def test_a_changed_parameter_does_not_change_the_past():
    layer = nn.Linear(2, 1)
    optimizer = aino.optim.SGD(layer.parameters(), lr=0.1)
    h = layer(aino.ones(1, 2))
    node, before = h.node, h.array.copy()
    y = (h + 1.0).sum()
    del h
    y.backward(retain_graph=True)
    optimizer.step()
    nodes, _ = walk([y.node], {})
    value = Values(nodes, {}, {}).of(node)
    assert value.array is None or np.array_equal(value.array, before)


@pytest.mark.parametrize("dtype", [aino.float32, aino.float64, aino.complex64])
def test_dtypes_of_values_that_are_not_known(dtype):
    x = aino.ones(2000, 600, dtype=dtype).requires_grad_()
    y = aino.real((x + x).mean()) if dtype.kind == "c" else (x + x).mean()
    nodes, _ = walk([y.node], {})
    values = Values(nodes, {}, {})
    found = [values.of(node) for node in nodes if node.primitive]
    assert [value.array for value in found] == [None] * len(found)
    assert [value.dtype for value in found][:2] == [dtype, dtype]
    assert all(value.dtype is None for value in found[2:])
