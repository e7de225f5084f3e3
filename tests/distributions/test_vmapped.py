"""Distributions inside ``vmap``: one distribution a sample, as the batch of them."""

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.func import grad, vmap
from tests.distributions.rows import ROWS
from tests.distributions.test_several import cases, make, t

rows = pytest.mark.parametrize("row", ROWS, ids=str)


def one(row, *parameters):
    return getattr(D, row.name)(**dict(zip(row.parameters, parameters)))


@rows
def test_densities(row):
    parameters = list(row.given().values())
    value = row.value()[:, 0]
    found = vmap(lambda *p: one(row, *p).log_prob(value))(*parameters)
    np.testing.assert_allclose(found.numpy(), row.make().log_prob(row.value()).mT.numpy(), 1e-9)


@rows
def test_gradients(row):
    parameters = list(row.given().values())
    value = row.value()[:, 0]
    place = next(i for i, name in enumerate(row.parameters) if name not in row.constant)
    found = vmap(grad(lambda *p: one(row, *p).log_prob(value).sum(), argnums=place))(*parameters)
    given = row.given(requires_grad=True)
    log_prob = getattr(D, row.name)(**given).log_prob(row.value())
    (expected,) = aino.autograd.grad(log_prob.sum(), list(given.values())[place])
    np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-8, 1e-10)


@rows
@pytest.mark.filterwarnings("ignore::aino.autograd.batched.fallback.LoopWarning")
def test_samples(row):
    def draw(*parameters):
        distribution = one(row, *parameters)
        return distribution.sample((400,))

    drawn = vmap(draw, randomness="different")(*row.given().values())
    assert drawn.shape == (3, 400)
    assert row.make().support.check(drawn.mT).all()
    if "mean" not in row.without:
        own = row.make()
        error = np.sqrt(own.variance.numpy() / 400)
        assert np.all(np.abs(drawn.numpy().mean(1) - own.mean.numpy()) < 5 * error)


@cases
@pytest.mark.filterwarnings("ignore::aino.autograd.batched.fallback.LoopWarning")
def test_vectors(case):
    distribution, given = make(case)
    found = vmap(distribution.log_prob)(t(case[3]))
    np.testing.assert_allclose(found.numpy(), distribution.log_prob(t(case[3])).numpy(), 1e-9)
    names = [name for name, value in given.items() if isinstance(value, aino.Tensor)]
    several = [aino.stack([given[name]] * 2) for name in names]

    def log_prob(*parameters):
        return getattr(D, case[0])(**(given | dict(zip(names, parameters)))).log_prob(t(case[3]))

    again = vmap(log_prob)(*several)
    np.testing.assert_allclose(again.numpy(), np.stack([found.numpy()] * 2), 1e-9)


def test_every_sample_is_checked():
    scale = aino.tensor([1.0, -1.0])
    with pytest.raises(ValueError, match="scale of Normal must satisfy"):
        vmap(lambda s: D.Normal(0.0, s).log_prob(s))(scale)
    value = aino.tensor([1.0, -1.0])
    with pytest.raises(ValueError, match="must lie in the support"):
        vmap(D.Exponential(1.0).log_prob)(value)
