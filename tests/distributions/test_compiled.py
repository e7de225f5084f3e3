"""Distributions in compiled functions: as in eager code, in the same order of random numbers."""

import runpy
import warnings

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.errors import CompileWarning
from tests.distributions.rows import ROWS
from tests.distributions.test_several import cases, make, t

rows = pytest.mark.parametrize("row", ROWS, ids=str)
#: What reads a value to know a shape, and goes on uncompiled with a warning.
UNCOMPILED = {("Binomial", "entropy")}


def log_prob(distribution, value):
    return distribution.log_prob(value)


def sample(distribution, value):
    return distribution.rsample((5,)) if distribution.has_rsample else distribution.sample((5,))


def entropy(distribution, value):
    return distribution.entropy()


def several_calls(function, arguments):
    aino.manual_seed(0)
    return [function(*arguments).numpy() for _ in range(4)]


@rows
@pytest.mark.parametrize("what", [log_prob, sample, entropy])
def test_compiled_is_eager(row, what):
    def function(value, *parameters):
        kind = getattr(D, row.name)
        return what(kind(**dict(zip(row.parameters, parameters))), value)

    arguments = [row.value(), *row.given().values()]
    same_compiled(function, arguments, warns=(row.name, what.__name__) in UNCOMPILED)


def same_compiled(function, arguments, warns=False):
    try:
        expected = several_calls(function, arguments)
    except NotImplementedError:
        pytest.skip("there is none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore" if warns else "error", CompileWarning)
        found = several_calls(aino.compile(function), arguments)
    for a, b in zip(found, expected):
        assert np.array_equal(a, b, equal_nan=True)


@cases
@pytest.mark.parametrize("what", [log_prob, sample, entropy])
def test_vectors(case, what):
    _, given = make(case)
    names = [name for name, value in given.items() if isinstance(value, aino.Tensor)]

    def function(value, *parameters):
        return what(getattr(D, case[0])(**(given | dict(zip(names, parameters)))), value)

    arguments = [t(case[3]), *(given[name] for name in names)]
    same_compiled(function, arguments)


def normals(loc):
    return D.Normal(loc, 1.0), D.MultivariateNormal(loc, aino.eye(3, dtype=aino.float64))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: D.Categorical(x.exp()).sample((5,)),
        lambda x: D.Categorical(logits=x).log_prob(aino.tensor([0, 2])),
        lambda x: D.MixtureSameFamily(D.Categorical(logits=x), normals(x)[0]).sample((5,)),
        lambda x: D.MixtureSameFamily(D.Categorical(logits=x), normals(x)[0]).log_prob(x[0]),
        lambda x: D.LKJCholesky(3, x.exp()).sample((2,)),
        lambda x: D.kl_divergence(normals(x)[1], normals(2 * x)[1]),
        lambda x: D.kl_divergence(D.Beta(x.exp(), 2.0), D.Normal(x, 1.0)),
        lambda x: D.kl_divergence(D.Binomial(3, x.sigmoid()), D.Binomial(3, (-x).sigmoid())),
        lambda x: D.biject_to(D.constraints.corr_cholesky)(x),
        lambda x: D.transform_to(D.constraints.simplex)(x),
    ],
)
def test_others(function):
    same_compiled(function, [t([0.1, -0.4, 0.3])])


def test_parameters_are_checked_at_each_call():
    @aino.compile
    def density(value, scale):
        return D.Normal(0.0, scale).log_prob(value)

    value, scale = aino.tensor([0.5]), aino.tensor([1.0])
    for _ in range(3):
        density(value, scale)
    with pytest.raises(ValueError, match=r"scale of Normal.* must satisfy"):
        density(value, -scale)
    with pytest.raises(ValueError, match="must lie in the support"):
        density(value * np.nan, scale)
    assert density(value, scale).item() == D.Normal(0.0, scale).log_prob(value).item()


def test_numbers_that_change():
    @aino.compile
    def density(value, rate):
        return D.Exponential(rate).log_prob(value)

    value = aino.tensor([0.5, 1.5])
    for rate in (1.0, 2.0, 0.3, 0.7, 5.0):
        assert aino.allclose(density(value, rate), D.Exponential(rate).log_prob(value))


def variational_step(compiled):
    """Fit a normal distribution to a gamma distribution's by the evidence lower bound."""
    aino.manual_seed(0)
    loc, log_scale = (aino.zeros(3, dtype=aino.float64, requires_grad=True) for _ in range(2))
    optimizer = aino.optim.Adam([loc, log_scale], lr=0.05)
    target = D.Normal(aino.tensor([1.0, -1.0, 3.0], dtype=aino.float64), 0.5)
    weight = D.Gamma(aino.tensor(2.0, dtype=aino.float64), 1.0)

    def step():
        optimizer.zero_grad()
        guess = D.Independent(D.Normal(loc, log_scale.exp()), 1)
        x = guess.rsample((16,))
        loss = (guess.log_prob(x) - target.log_prob(x).sum(-1)).mean()
        loss = loss + D.kl_divergence(D.Normal(loc, log_scale.exp()), target).sum()
        loss = loss * weight.sample()
        loss.backward()
        optimizer.step()
        return loss

    step = aino.compile(step) if compiled else step
    losses = [step().item() for _ in range(60)]
    return losses, loc.detach().numpy(), log_scale.detach().numpy()


def test_a_training_step():
    with warnings.catch_warnings():
        warnings.simplefilter("error", CompileWarning)
        found = variational_step(True)
    expected = variational_step(False)
    for a, b in zip(found, expected):
        assert np.array_equal(a, b)
    assert np.all(np.abs(found[1] - [1.0, -1.0, 3.0]) < 1.0)


@pytest.mark.parametrize("name", ["Beta", "ContinuousBernoulli", "StudentT", "VonMises"])
def test_saved_programs(tmp_path, name):
    """A density, and how samples of it move, as a file that needs NumPy alone."""
    row = next(row for row in ROWS if row.name == name)

    @aino.compile
    def function(value, *parameters):
        leaves = [p.detach().requires_grad_() for p in parameters]
        distribution = getattr(D, name)(**dict(zip(row.parameters, leaves)))
        log_prob = distribution.log_prob(value)
        drawn = distribution.rsample() if distribution.has_rsample else log_prob
        return log_prob.detach(), *aino.autograd.grad(drawn.sum(), leaves)

    arguments = [row.value(), *row.given().values()]
    for _ in range(3):
        expected = function(*arguments)
    function.save_source(tmp_path / "saved.py")
    saved = runpy.run_path(str(tmp_path / "saved.py"))["function"]
    found = saved(*[x.numpy() for x in arguments])
    assert len(found) == len(expected)
    np.testing.assert_allclose(found[0], expected[0].numpy(), 1e-12)
    assert all(np.isfinite(slope).all() for slope in found[1:])
