"""``aino.distributions`` against PyTorch's, figure by figure."""

import inspect

import numpy as np
import pytest

import aino
from aino import distributions
from tests.distributions.rows import ROWS

torch = pytest.importorskip("torch")

rows = pytest.mark.parametrize("row", ROWS, ids=str)

#: Where mathematics says otherwise than PyTorch: what, and why.
OTHERWISE = {
    ("ContinuousBernoulli", "cdf"): "near p = 1/2 PyTorch's is that of p = 1/2",
    ("ContinuousBernoulli", "icdf"): "near p = 1/2 PyTorch's is that of p = 1/2",
    ("Geometric", "param_shape"): "PyTorch's has none",
    ("Kumaraswamy", "float32"): "PyTorch's density loses its digits near 0 and 1",
    ("Kumaraswamy", "mode"): "PyTorch's is nan for all exponents, too, that have one",
    ("Weibull", "mode"): "0 up to the concentration 1, where PyTorch's is nan",
}
#: Of which PyTorch's refuses float64 itself: it is compared with a float32 tensor inside.
FLOAT32 = {"GeneralizedPareto"}


def theirs(row, dtype=torch.float64):
    given = {name: torch.tensor(v, dtype=dtype) for name, v in row.parameters.items()}
    return getattr(torch.distributions, row.name)(**given)


def tensors(x):
    return torch.tensor(x.detach().numpy())


def same(found, expected, tolerance=1e-6):
    assert tuple(found.shape) == tuple(expected.shape)
    assert str(found.dtype) == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(found.numpy(), expected.numpy(), tolerance, tolerance)


def outcome(thing, name, *arguments):
    """What an attribute is, or a method returns, or the type of its error."""
    try:
        found = getattr(thing, name)
        return found(*arguments) if callable(found) else found
    except Exception as error:
        return type(error)


def compared(row, name, found, expected):
    if (row.name, name) in OTHERWISE:
        return
    if isinstance(expected, type):
        assert isinstance(found, type), f"{name}: PyTorch has none"
        assert issubclass(found, expected)
    else:
        same(found, expected)


@rows
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_densities(row, dtype):
    if row.name in FLOAT32 and dtype == "float64":
        pytest.skip("PyTorch's raises")
    ours, own = row.make(getattr(np, dtype)), row.value(getattr(np, dtype))
    their, value = theirs(row, getattr(torch, dtype)), tensors(own)
    tolerance = 1e-6 if dtype == "float64" else 2e-3
    if (row.name, dtype) not in OTHERWISE:
        same(ours.log_prob(own), their.log_prob(value), tolerance)
    for name in ("cdf", "icdf"):
        at = own if name == "cdf" else aino.tensor([[0.1], [0.5], [0.93]], dtype=own.dtype)
        found = outcome(ours, name, at)
        expected = outcome(their, name, tensors(at))
        if not isinstance(expected, type) and dtype == "float32":
            continue
        compared(row, name, found, expected)


@rows
def test_figures(row):
    ours, their = row.make(), theirs(row)
    for name in ("mean", "mode", "variance", "stddev", "batch_shape", "event_shape", "param_shape"):
        found = outcome(ours, name)
        expected = outcome(their, name)
        if "shape" in name and not isinstance(expected, type):
            assert tuple(found) == tuple(expected)
        else:
            compared(row, name, found, expected)
    for name in ("entropy", "perplexity", "enumerate_support"):
        found = outcome(ours, name)
        compared(row, name, found, outcome(their, name))
    assert ours.has_rsample == their.has_rsample
    assert ours.has_enumerate_support == their.has_enumerate_support


@rows
def test_words(row):
    ours, their = row.make(), theirs(row)
    assert repr(ours) == repr(their).replace("torch.", "aino.")
    one = {name: values[0] for name, values in row.parameters.items()}
    single = getattr(distributions, row.name)(
        **{name: aino.tensor(value) for name, value in one.items()}
    )
    their_single = getattr(torch.distributions, row.name)(
        **{name: torch.tensor(value) for name, value in one.items()}
    )
    assert repr(single) == repr(their_single)
    assert set(ours.arg_constraints) == set(their.arg_constraints)
    for name, constraint in ours.arg_constraints.items():
        expected = their.arg_constraints[name]
        assert type(constraint).__name__ == type(expected).__name__
        assert constraint.event_dim == expected.event_dim
        assert constraint.is_discrete == expected.is_discrete
    assert type(ours.support).__name__ == type(their.support).__name__
    assert repr(single.support) == repr(their_single.support)


@rows
def test_gradients_of_densities(row):
    if row.discrete or row.name in FLOAT32:
        pytest.skip("its value has no gradient, or PyTorch's raises")
    given = row.given(requires_grad=True)
    own = row.value(requires_grad=True)
    log_prob = getattr(distributions, row.name)(**given).log_prob(own)
    found = aino.autograd.grad(log_prob.sum(), [own, *given.values()], allow_unused=True)
    their = {n: torch.tensor(v.detach().numpy(), requires_grad=True) for n, v in given.items()}
    value = tensors(own).requires_grad_()
    log_prob = getattr(torch.distributions, row.name)(**their).log_prob(value)
    expected = torch.autograd.grad(log_prob.sum(), [value, *their.values()], allow_unused=True)
    for a, b in zip(found, expected):
        if b is not None:
            same(a, b, 1e-5)


@rows
def test_constructors(row):
    ours, their = (
        inspect.signature(getattr(library.distributions, row.name)).parameters.values()
        for library in (aino, torch)
    )
    assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in their]
