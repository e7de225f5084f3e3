"""Tensors that take another shape or other memory in place: what PyTorch does, or a refusal."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.errors import GradientError, InplaceError
from tests.parity.compare import torch

FORMS = {
    "squeeze_": (lambda x: x.squeeze_(), (2, 1, 3)),
    "squeeze_ (a dim)": (lambda x: x.squeeze_(1), (2, 1, 3)),
    "unsqueeze_": (lambda x: x.unsqueeze_(1), (2, 3)),
    "transpose_": (lambda x: x.transpose_(0, -1), (2, 1, 3)),
    "swapdims_": (lambda x: x.swapdims_(0, 1), (2, 3)),
    "swapaxes_": (lambda x: x.swapaxes_(0, 1), (2, 3)),
    "t_": (lambda x: x.t_(), (2, 3)),
    "as_strided_": (lambda x: x.as_strided_((3, 2), (2, 1)), (2, 3)),
}


def numbers(shape):
    return np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)


def of(library, array):
    return library.from_numpy(array.copy())


#: Programs of a library, a change of form, and a leaf: each returns tensors.


def on_a_result(m, form, w):
    x = w * 2
    form(x)
    x.mul_(of(m, numbers(x.shape)))
    return [x, x * x]


def on_a_tensor_without_gradient(m, form, w):
    x = of(m, numbers(w.shape))
    form(x)
    x.add_(3)
    return [x * 1, w * 1]


def on_a_view(m, form, w):
    base = w * 2
    x = base[:]
    form(x)
    x.mul_(of(m, numbers(x.shape)))
    return [base * 1, x * 1]


def on_a_view_of_a_view(m, form, w):
    base = w * 2
    x = base[:][...]
    form(x)
    y = x[0]
    y.mul_(5)
    return [base * 1, x * 1, y * 1]


def a_value_written_into_it(m, form, w):
    x = of(m, numbers(w.shape) * 0)
    y = (w * 3).detach().requires_grad_(False)
    form(x)
    form(y)
    z = w * 2
    form(z)
    x.copy_(z)
    return [x * 1]


def an_older_view_that_is_only_read(m, form, w):
    x = w * 2
    view = x[0]
    form(x)
    return [view * 1, x * 1]


PROGRAMS = [
    on_a_result, on_a_tensor_without_gradient, on_a_view, on_a_view_of_a_view,
    a_value_written_into_it, an_older_view_that_is_only_read,
]  # fmt: skip


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_a_change_of_form(program, name):
    form, shape = FORMS[name]
    found = []
    for library in (aino, torch):
        w = of(library, numbers(shape)).requires_grad_()
        outputs = program(library, form, w)
        sum((y * y).sum() for y in outputs if y.requires_grad).backward()
        found.append([*[y.detach().numpy() for y in outputs], w.grad.numpy()])
    for mine, its in zip(*found):
        np.testing.assert_allclose(mine, its)


@pytest.mark.parametrize("name", FORMS)
def test_a_leaf_that_requires_a_gradient(name):
    form, shape = FORMS[name]
    for library, error in ((aino, InplaceError), (torch, RuntimeError)):
        w = of(library, numbers(shape)).requires_grad_()
        with pytest.raises(error):
            form(w)
        with library.no_grad():
            form(w)
        (w * w).sum().backward()
        assert w.grad.shape == w.shape
    w = of(aino, numbers(shape)).requires_grad_()
    w.sum().backward()
    with aino.no_grad(), pytest.raises(InplaceError, match="grad to None"):
        form(w)
    assert tuple(w.shape) == shape


def test_an_older_view_that_is_written_is_refused_before_anything_changes():
    x = aino.zeros(2, 3)
    row = x[0]
    x.unsqueeze_(0)
    with pytest.raises(InplaceError, match="take the view anew"):
        row.add_(aino.ones(3, requires_grad=True))
    assert x.tolist() == [[[0.0] * 3] * 2]
    row.add_(1)  # without a gradient it shares the memory, as ever
    assert x[0, 0].tolist() == [1.0] * 3


def test_an_older_view_of_what_was_written_is_refused():
    x = aino.ones(2, 3, requires_grad=True) * 1
    row = x[0]
    x.t_()
    x.mul_(2)
    with pytest.raises(InplaceError, match="take the view anew"):
        row.sum()


def test_a_retained_gradient_has_the_new_shape():
    x = aino.ones(2, 3, requires_grad=True) * 2
    x.retain_grad()
    x.t_()
    (x * x).sum().backward()
    assert x.grad.shape == (3, 2)


# Memory


def test_views_by_strides_share_the_memory_and_the_gradient():
    found = []
    for library in (aino, torch):
        w = of(library, numbers((6,))).requires_grad_()
        x = w * 1
        view = x.as_strided((2, 2), (3, 1), 1)
        view.mul_(10)
        part = x[2:5].as_strided((3,), (1,))
        part.mul_(2)
        (x * x).sum().backward()
        found.append((x.detach().numpy(), w.grad.numpy()))
    np.testing.assert_allclose(found[0], found[1])


def test_beyond_a_view_lie_the_elements_of_what_it_is_a_view_of():
    """PyTorch drops their gradients; the elements are there, and so are their slopes."""
    w = aino.arange(6.0).requires_grad_()
    x = w * 1
    y = x[2:4].as_strided((6,), (1,), 0)
    assert y.tolist() == x.tolist()
    (y * aino.arange(6.0)).sum().backward()
    assert w.grad.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_elements_that_are_one_in_memory_are_not_written():
    view = aino.zeros(4).as_strided((3, 2), (1, 1))
    with pytest.raises(InplaceError, match="read-only"):
        view.add_(1)


@pytest.mark.parametrize("shape", [(2, 2), (6,), (3,), (0,), ()])
def test_resize(shape):
    for start in (numbers((2, 3)), numbers((3, 2)).T, numbers((8,))[2:]):
        mine = aino.from_numpy(start.copy(order="K"))
        its = torch.from_numpy(start.copy(order="K"))
        assert mine.resize_(*shape or [()]) is mine
        its.resize_(shape)
        np.testing.assert_array_equal(mine.numpy(), its.numpy())
        assert mine.stride() == its.stride() or 0 in shape


def test_resize_grows_what_nobody_shares():
    x = aino.arange(3.0)
    x.resize_(5)
    assert x[:3].tolist() == [0.0, 1.0, 2.0]
    assert x.shape == (5,)
    for length in (2, 7, 4, 9):
        x.resize_(length)
    assert x[:2].tolist() == [0.0, 1.0]
    held = numbers((4,))
    for shared in (aino.from_numpy(held[1:]), aino.arange(4.0)[1:]):
        with pytest.raises(InplaceError, match="clone"):
            shared.resize_(9)
        assert shared.shape == (3,)
    x = aino.arange(3.0)
    view = x[1:]
    with pytest.raises(InplaceError, match="shared"):
        x.resize_(9)
    assert view.tolist() == [1.0, 2.0]


def test_other_memory_is_refused_where_a_gradient_is_required():
    w = aino.ones(3, requires_grad=True)
    for change in (lambda: (w * 2).resize_(2), lambda: aino.zeros(3).set_(w),
                   lambda: (w * 2).set_(aino.zeros(3))):  # fmt: skip
        with pytest.raises(GradientError):
            change()


def test_set():
    x, y = aino.zeros(2), aino.arange(6.0)
    assert x.set_(y).is_set_to(y)
    x[0] = 7
    assert y[0] == 7
    x.set_(y, 1, (2, 2), (1, 2))
    assert x.tolist() == torch.arange(6.0).set_(torch.arange(6.0), 1, (2, 2), (1, 2)).tolist()
    x.set_(y.untyped_storage(), 2, (3,))
    assert x.tolist() == [2.0, 3.0, 4.0]
    assert x.set_().shape == (0,)


def test_storage():
    x = aino.arange(6.0).reshape(2, 3)
    its = torch.arange(6.0).reshape(2, 3)
    assert x.untyped_storage().nbytes() == its.untyped_storage().nbytes()
    assert x[1].untyped_storage().data_ptr() == x.data_ptr()
    assert x.t().storage().tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


def test_calls_of_functions():
    for library in (aino, torch):
        x = of(library, numbers((2, 2)))
        assert x.apply_(lambda a: a + 1).tolist() == [[2.0, 3.0], [4.0, 5.0]]
        assert x.map_(x.clone(), lambda a, b: a * b).tolist() == [[4.0, 9.0], [16.0, 25.0]]
        assert x.map2_(x.clone(), x.clone(), lambda a, b, c: a - b - c).tolist()[0] == [-4.0, -9.0]
    with pytest.raises(GradientError):
        aino.ones(2, requires_grad=True).apply_(abs)


def test_a_diagonal_is_filled_with_its_gradient():
    found = []
    for library in (aino, torch):
        w = of(library, numbers((5, 2))).requires_grad_()
        x = w * 1
        x.fill_diagonal_(3.0, True)
        (x * x).sum().backward()
        found.append((x.detach().numpy(), w.grad.numpy()))
    np.testing.assert_allclose(found[0], found[1])


def test_a_tensor_of_another_form_in_a_compiled_function():
    x = aino.zeros(2, 3)
    x.t_()

    def double(x, w):
        row = x[0]
        row.mul_(w)
        return (x * w).sum()

    compiled = aino.compile(double)
    w = aino.tensor(2.0)
    for _ in range(4):
        x.fill_(1.0)
        found = compiled(x, w)
        y = aino.ones(3, 2)
        assert found.item() == double(y, w).item()
        assert x.tolist() == y.tolist()


def test_a_write_that_records_goes_on_as_it_is():
    """The tensor leads back to ``w`` from then on, which a program does not do."""
    x = aino.zeros(2, 3)
    x.t_()

    def double(x, w):
        x[0].mul_(w)
        return (x * w).sum()

    compiled = aino.compile(double)
    w = aino.tensor(2.0, requires_grad=True)
    with pytest.warns(aino.errors.CompileWarning, match="goes on uncompiled"):
        compiled(x, w)
    for turn in range(3):
        x.fill_(1.0)
        if turn == 0:  # what leads somewhere is given anew, and said anew
            with pytest.warns(aino.errors.CompileWarning, match="goes on uncompiled"):
                found = compiled(x, w)
        else:
            found = compiled(x, w)
        y, v = aino.ones(3, 2), aino.tensor(2.0, requires_grad=True)
        expected = double(y, v)
        assert found.item() == expected.item()
        (mine,) = aino.autograd.grad(found, w, retain_graph=True)
        assert mine == aino.autograd.grad(expected, v)[0]


def test_changes_of_form_are_left_to_the_function_itself():
    def form(x):
        y = x * 2
        y.t_()
        return y + 1

    with pytest.raises(aino.errors.CompileError, match=r"t_\(\)"):
        aino.compile(form, fullgraph=True)(aino.ones(2, 3))
