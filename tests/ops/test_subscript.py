"""Subscripts beyond their rows: memory, errors, writes, and going through a tensor in a loop."""

import numpy as np
import pytest

import aino
from aino.autograd.node import SparseCotangent
from aino.errors import InplaceError, ShapeError

X = np.arange(24.0).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "index",
    [0, -1, (0, 1), (0, 1, 2), slice(1), (..., 0), (None, 1), (slice(None), slice(0, 3, 2))],
)
def test_basic_indices_are_views(index):
    x = aino.tensor(X)
    part = x[index]
    assert np.shares_memory(part.array, x.array)
    part.fill_(100.0)
    expected = X.copy()
    expected[index] = 100.0
    np.testing.assert_array_equal(x.array, expected)


@pytest.mark.parametrize("index", [[0, 1], (slice(None), [2, 0]), X > 3.0, (0, [1, 1])])
def test_other_indices_are_copies(index):
    x = aino.tensor(X)
    assert not np.shares_memory(x[index].array, x.array)


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (2, "index 2 is out of bounds for dimension 0 with size 2"),
        ((0, -4), "index -4 is out of bounds for dimension 1 with size 3"),
        ([0, 5], "index 5 is out of bounds for dimension 0 with size 2"),
        ((0, 0, 0, 0), "too many indices for tensor of dimension 3"),
        (1.0, "got float"),
        ("a", "got str"),
        ([0.5], "a tensor of float64"),
        (np.array([True]), "shape of the mask [1] at index 0 does not match"),
        (([0, 1], [0, 1, 2]), "could not be broadcast together with shapes (2,) (3,)"),
    ],
)
def test_errors_speak_of_dimensions(index, message):
    with pytest.raises(IndexError) as raised:
        aino.tensor(X)[index]
    assert message in str(raised.value)


def test_a_number_beside_a_mask_takes_its_axis_first():
    """NumPy would put the mask's axis before the slice's."""
    for recorded in (False, True):
        x = aino.tensor(X, requires_grad=recorded) * 1.0
        x[0, :, aino.tensor([True, False, False, True])] = aino.tensor([[1.0], [2.0], [3.0]])
        expected = X.copy()
        expected[0][:, [0, 3]] = [[1.0], [2.0], [3.0]]
        np.testing.assert_array_equal(x.detach().numpy(), expected)


def test_an_index_that_is_changed_later():
    """The gradient is that of the index as it was, or backward says that it isn't any more."""
    x = aino.tensor(X[0], requires_grad=True)
    rows, columns = aino.tensor([0, 1]), aino.tensor([1, 2])
    y = x[rows, columns]
    rows.fill_(2)
    y.sum().backward()
    assert x.grad.array[[0, 1], [1, 2]].tolist() == [1.0, 1.0]
    rows = aino.tensor([0, 1])
    y = x[rows]
    rows.fill_(2)
    with pytest.raises(InplaceError, match="index"):
        y.sum().backward()


def test_view_refuses_to_copy():
    x = aino.tensor(X)
    assert x.view(6, 4)._version == x._version
    with pytest.raises(ShapeError, match="without a copy"):
        x.mT.view(24)
    assert x.view(aino.int64).dtype == np.int64


# In a loop


def pieces_in(order, x):
    """Return a sum of functions of slices of x and of the whole of it, in some order."""
    terms = [(x[0] ** 2).sum(), (x[1, 1:] ** 3).sum(), (x * x).sum(), (x[:, 2] * 5.0).sum()]
    return sum([terms[place] for place in order])


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 0, 1, 3), (0, 2, 1, 3), (3, 1, 0), (1,)])
def test_slices_and_wholes_add_up_in_any_order(order):
    x = aino.tensor(X, requires_grad=True)
    pieces_in(order, x).backward()
    again = aino.tensor(X, requires_grad=True)
    (recorded,) = aino.autograd.grad(pieces_in(order, again), again, create_graph=True)
    np.testing.assert_allclose(x.grad.array, recorded.detach().array, rtol=1e-14)
    slopes = [np.zeros_like(X) for _ in range(4)]
    slopes[0][0] = 2.0 * X[0]
    slopes[1][1, 1:] = 3.0 * X[1, 1:] ** 2
    slopes[2] = 2.0 * X
    slopes[3][:, 2] = 5.0
    np.testing.assert_allclose(x.grad.array, sum([slopes[place] for place in order]))


def test_a_hook_sees_the_gradient_of_the_whole():
    x = aino.tensor(X, requires_grad=True)
    y = x * 1.0
    seen = []
    y.register_hook(seen.append)
    (y[0] + y[1]).sum().backward()
    np.testing.assert_array_equal(seen[0].array, np.ones_like(X))


def test_slices_of_one_tensor_share_one_gradient_array(monkeypatch):
    """So a loop over a tensor of length n takes time linear in n, backward too."""
    made = []
    dense = SparseCotangent.dense
    monkeypatch.setattr(
        SparseCotangent, "dense", lambda self: made.append(self.whole is None) or dense(self)
    )
    x = aino.tensor(np.ones((50, 3)), requires_grad=True)
    total = 0.0
    for row in x:
        total = total + (row * row).sum()
    total.backward()
    assert sum(made) == 1
    np.testing.assert_array_equal(x.grad.array, 2.0 * np.ones((50, 3)))
