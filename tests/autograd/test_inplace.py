"""Writes in place: a gradient is right, or an error names the operation and the value."""

from __future__ import annotations

import numpy as np
import pytest

import aino
from aino.autograd import gradcheck, gradgradcheck
from aino.errors import DtypeError, InplaceError, ShapeError


def leaf():
    return aino.tensor([[0.5, -1.5, 2.0], [1.25, 0.75, -0.5]], dtype=aino.float64).requires_grad_()


def written(x):
    y = x * 2.0
    y.add_(x * x)
    y[0].mul_(x[1])
    y[:, 1:] = x[:, :2]
    y.T[0].tanh_()
    y += x
    return y * x


def looped(x):
    y = aino.zeros(4, dtype=aino.float64)
    y[0] = x[0, 0]
    for k in range(1, 4):
        y[k] = y[k - 1].clone() * x[1, 1]
    return y


def masked(x):
    y = x * 3.0
    y[x > 0.6] = x[0, 0]
    y.masked_fill_(x < -1.0, 2.0)
    return y * y


def parts(x):
    z = aino.complex(x, x * 2.0)
    z.real.mul_(x)
    z.imag[0].add_(x[1] * x[1])
    return (z * z.conj()).real


@pytest.mark.parametrize("function", [written, looped, masked, parts])
def test_gradients_of_both_orders(function):
    assert gradcheck(function, leaf())
    assert gradgradcheck(function, leaf())


@pytest.mark.parametrize(
    ("write", "name"),
    [
        (lambda y: y.add_(1.0), "SquareBackward0|MulBackward0|PowNumberBackward0"),
        (lambda y: y[0].zero_(), "Backward0"),
        (lambda y: y.detach().mul_(2.0), "Backward0"),
        (lambda y: y.__setitem__((0, 0), 1.0), "Backward0"),
        (lambda y: y.data.fill_(0.0), "Backward0"),
    ],
)
def test_a_saved_value_that_was_written_is_named(write, name):
    y = leaf() * 1.0
    z = y * y
    with aino.no_grad():
        write(y)
    with pytest.raises(InplaceError, match=rf"({name}).*\(2, 3\).*in place"):
        z.sum().backward()


def test_a_value_that_no_wanted_rule_reads_may_be_written():
    x, constant = leaf(), aino.ones(2, 3, dtype=aino.float64)
    y = constant * x * 2.0
    with aino.no_grad():
        x.mul_(5.0)
    y.sum().backward()
    assert x.grad.tolist() == [[2.0] * 3] * 2


def test_a_list_of_saved_values_is_checked_too():
    parts = [leaf() * 1.0, leaf() * 1.0]
    y = aino.einsum("ij,ij->i", *parts)
    parts[0].add_(1.0)
    with pytest.raises(InplaceError):
        y.sum().backward()


def test_leaves_and_their_views_are_protected():
    x = leaf()
    for write in (
        lambda: x.add_(1.0),
        lambda: x[0].add_(1.0),
        lambda: x.T[0].mul_(2.0),
        lambda: x.__setitem__(0, 1.0),
        lambda: x.zero_(),
    ):
        with pytest.raises(InplaceError, match="leaf"):
            write()
    assert x.array[0, 0] == 0.5
    with aino.no_grad():
        x[0] = 7.0
        x.mul_(2.0)
    assert x.tolist()[0] == [14.0] * 3
    assert x.is_leaf
    assert x.requires_grad


def test_refusals_leave_the_tensor_as_it_was():
    y = aino.ones(3)
    before = y._version
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(3,\)"):
        y.add_(aino.ones(2, 3))
    with pytest.raises(DtypeError, match="int64"):
        aino.ones(3, dtype=aino.int64).add_(0.5)
    with pytest.raises(ShapeError):
        y[0:2] = aino.ones(3)
    with pytest.raises(IndexError):
        y[5] = 1.0
    assert y.tolist() == [1.0] * 3
    assert y._version == before


def test_memory_that_can_not_be_written():
    with pytest.raises(InplaceError, match="expanded"):
        aino.ones(1).expand(3).add_(1.0)
    array = np.ones(3)
    array.flags.writeable = False
    with pytest.raises(InplaceError, match="read-only"):
        aino.from_numpy(array).add_(1.0)


def test_hooks_stay_with_the_value_that_they_were_put_on():
    x = leaf()
    seen = []
    y = x * 2.0
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.mul_(3.0)
    y.sum().backward()
    assert seen == [[[3.0] * 3] * 2]


def test_copies_do_not_share_their_sources_hooks():
    x = leaf()
    source = x * 2.0
    y = aino.zeros(2, 3, dtype=aino.float64).copy_(source)
    y.register_hook(lambda g: g * 10.0)
    (y + source).sum().backward()
    assert x.grad.tolist() == [[22.0] * 3] * 2


def test_views_follow_their_base_and_bases_their_views():
    x = leaf()
    y = x * 1.0
    row, column = y[0], y[:, 0]
    row.mul_(2.0)
    y.add_(1.0)
    column.zero_()
    assert row.tolist() == y[0].tolist()
    assert (row.sum() + column.sum()).item() == y[0].sum().item()
    (row.sum() + y.sum()).backward()
    assert x.grad.tolist() == [[0.0, 4.0, 4.0], [0.0, 1.0, 1.0]]


def test_a_view_made_before_its_base_required_a_gradient_is_its_own():
    w = aino.ones(2, 3)
    row = w[0]
    w.requires_grad_()
    assert not row.requires_grad
    (row.sum() + w.sum()).backward()
    assert w.grad.tolist() == [[1.0] * 3] * 2


def test_freezing_a_leaf_does_not_cut_its_views():
    w = leaf()
    row = w[0]
    w.requires_grad_(False)
    assert row.requires_grad
    row.sum().backward()
    assert w.grad is None
    w.requires_grad_(True)
    row.sum().backward()
    assert w.grad.tolist() == [[1.0] * 3, [0.0] * 3]


CONJUGATES = [lambda z: z.conj(), lambda z: z.H, lambda z: z.mH, lambda z: aino.adjoint(z)]


@pytest.mark.parametrize("conjugate", CONJUGATES)
def test_a_conjugate_of_real_numbers_shares_memory(conjugate):
    x = aino.ones(2, 3)
    conjugate(x).mul_(2.0)
    assert x.tolist() == [[2.0] * 3] * 2


@pytest.mark.parametrize("conjugate", CONJUGATES)
@pytest.mark.parametrize("write", [
    lambda z: z.mul_(2.0), lambda z: z.copy_(z * 2.0), lambda z: z.__setitem__((0, 0), 1.0),
    lambda z: z[0].zero_(), lambda z: z.add_(1.0),
])  # fmt: skip
def test_a_conjugate_of_complex_numbers_is_not_written_in_silence(conjugate, write):
    z = aino.ones(2, 3) * (1.0 + 2.0j)
    before = conjugate(z).tolist()
    with pytest.raises(InplaceError, match="clone"):
        write(conjugate(z))
    assert conjugate(z).tolist() == before
    write(conjugate(z).resolve_conj())
    write(z.conj_physical())


@pytest.mark.parametrize(
    ("method", "keywords"),
    [
        ("mul_", ["other"]),
        ("add_", ["other"]),
        ("lerp_", ["end", "weight"]),
        ("addcmul_", ["tensor1"]),
    ],
)
def test_a_tensor_given_by_keyword_is_recorded(method, keywords):
    w = aino.tensor([2.0, 3.0], requires_grad=True)
    x = aino.ones(2)
    more = {"addcmul_": {"tensor2": aino.ones(2)}}.get(method, {})
    getattr(x, method)(**dict.fromkeys(keywords, w), **more)
    x.sum().backward()
    assert w.grad is not None
    assert w.grad.shape == (2,)


def test_functions_in_place_are_called_by_the_names_of_the_others():
    x = aino.tensor([-1.0, 2.0])
    assert aino.nn.functional.elu_(input=x, alpha=2.0) is x
    assert x.tolist() == pytest.approx([2.0 * (np.exp(-1.0) - 1.0), 2.0])


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    "write", [lambda w: w.mul_(2.0), lambda w: w[0].zero_(), lambda w: w.fill_(1.0)]
)
def test_overlapping_windows_are_not_written(write, recorded):
    """An element of several windows would be written, or counted, several times."""
    x = aino.arange(4.0, requires_grad=recorded)
    y = x * 1.0
    with pytest.raises(InplaceError, match="clone"):
        write(y.unfold(0, 2, 1))
    assert y.tolist() == [0.0, 1.0, 2.0, 3.0]
    y.unfold(0, 2, 2).mul_(2.0)
    assert y.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_a_fused_operation_needs_what_its_pass_reads():
    """Its rule reads no shift; its definition, which a recorded pass differentiates, does."""
    x, shift = leaf(), aino.zeros(3, dtype=aino.float64, requires_grad=True)
    y = aino.nn.functional.batch_norm(x, None, None, bias=shift, training=True)
    loss = (y * aino.arange(6.0, dtype=aino.float64).reshape(2, 3)).sum()
    expected = aino.autograd.grad(loss, (x, shift), retain_graph=True)
    with aino.no_grad():
        shift.add_(1.0)
    found = aino.autograd.grad(loss, (x, shift), retain_graph=True)
    assert all(aino.equal(a, b) for a, b in zip(found, expected))
    with pytest.raises(InplaceError, match="needs its 'bias'"):
        aino.autograd.grad(loss, (x, shift), create_graph=True)
