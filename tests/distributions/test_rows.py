"""Every distribution of one number: figures, derivatives, samples, shapes, dtypes, pickles."""

import json
import math
import pickle

import numpy as np
import pytest

import aino
from aino import distributions
from aino.autograd import gradcheck, gradgradcheck
from aino.errors import MissingExtraError
from tests.distributions.figures import PATH
from tests.distributions.rows import ROWS

FIGURES = json.loads(PATH.read_text(encoding="utf-8"))
rows = pytest.mark.parametrize("row", ROWS, ids=str)
SAMPLES = 40_000
#: Those whose domain moves with a parameter.
MOVING = {"Uniform", "Pareto", "GeneralizedPareto"}


def figures(row, name):
    return np.array([one[name] for one in FIGURES[str(row)]]).T


def has(distribution, name):
    return getattr(type(distribution), name) is not getattr(distributions.Distribution, name)


def close(found, expected, tolerance):
    np.testing.assert_allclose(found.detach().numpy(), expected, tolerance, tolerance)


@rows
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_log_prob(row, dtype):
    found = row.make(dtype).log_prob(row.value(dtype))
    assert found.dtype == dtype
    assert found.shape == (len(row.values), 3)
    close(found, figures(row, "log_prob"), 1e-10 if dtype == np.float64 else 2e-4)


@rows
@pytest.mark.parametrize("name", ["mean", "variance", "entropy"])
def test_what_is_integrated(row, name):
    if name in row.without:
        pytest.skip("it does not exist")
    distribution = row.make()
    try:
        found = getattr(distribution, name)
    except NotImplementedError:
        pytest.skip("PyTorch has none either")
    if callable(found):
        try:
            found = found()
        except NotImplementedError:
            pytest.skip("PyTorch has none either")
    close(found, figures(row, name), 1e-8)
    if name == "variance":
        close(distribution.stddev, figures(row, name) ** 0.5, 1e-8)
    if name == "entropy":
        close(distribution.perplexity(), np.exp(figures(row, name)), 1e-8)


@rows
def test_cdf_and_its_inverse(row):
    distribution, value = row.make(), row.value()
    try:
        cdf = distribution.cdf(value)
    except NotImplementedError:
        pytest.skip("PyTorch has none either")
    except MissingExtraError:
        pytest.skip("SciPy is not installed")
    close(cdf, figures(row, "cdf"), 1e-9)
    try:
        back = distribution.icdf(cdf)
    except NotImplementedError:
        return
    unsaturated = (cdf.numpy() > 1e-6) & (cdf.numpy() < 1 - 1e-6)
    close(back[aino.tensor(unsaturated)], np.broadcast_to(value, cdf.shape)[unsaturated], 1e-6)


@rows
def test_nothing_is_likelier_than_the_mode(row):
    distribution = row.make()
    try:
        mode = distribution.mode
    except NotImplementedError:
        pytest.skip("PyTorch has none either")
    exists = ~mode.isnan().numpy()
    unchecked = row.make(validate_args=False)
    peak = unchecked.log_prob(mode).numpy()
    others = unchecked.log_prob(row.value()).numpy()
    assert np.all((others <= peak + 1e-12) | ~exists)
    for step in (-1e-3, 1e-3):
        place = mode + step
        inside = distribution.support.check(place).numpy() & (not row.discrete)
        assert np.all((unchecked.log_prob(place).numpy() <= peak + 1e-12) | ~(exists & inside))


@rows
def test_derivatives_of_log_prob(row):
    given = row.given(requires_grad=True)
    names = [name for name in given if name not in row.constant]
    discrete = row.discrete or row.name == "Uniform"
    value = row.value(requires_grad=not discrete)

    def log_prob(value, *parameters):
        parts = given | dict(zip(names, parameters))
        return getattr(distributions, row.name)(**parts, validate_args=False).log_prob(value)

    inputs = (value, *(given[name] for name in names))
    assert gradcheck(log_prob, inputs)
    if row.name != "Laplace":  # whose slope jumps at a value of the row
        assert gradgradcheck(log_prob, inputs)


@rows
@pytest.mark.parametrize("name", ["cdf", "icdf", "entropy", "mean", "variance"])
def test_derivatives_of_figures(row, name):
    given = row.given(requires_grad=True)
    names = [name for name in given if name not in row.constant]
    values = {
        "cdf": row.value(requires_grad=row.name != "Uniform"),
        "icdf": aino.tensor([[0.2], [0.5], [0.9]], dtype=aino.float64, requires_grad=True),
    }
    inputs = [values[name]] if name in values else []

    def figure(*inputs):
        parameters = inputs[len(inputs) - len(names) :]
        parts = given | dict(zip(names, parameters))
        found = getattr(getattr(distributions, row.name)(**parts, validate_args=False), name)
        return found(*inputs[: len(inputs) - len(names)]) if callable(found) else found

    inputs += [given[name] for name in names]
    try:
        wanted = figure(*inputs).requires_grad
    except (NotImplementedError, MissingExtraError):
        pytest.skip("there is none")
    if wanted:
        assert gradcheck(figure, inputs)


@rows
def test_samples(row):
    distribution = row.make()
    sample = distribution.sample((SAMPLES,))
    assert sample.shape == (SAMPLES, 3)
    assert sample.dtype == np.float64
    assert not sample.requires_grad
    assert bool(distribution.support.check(sample).all())
    drawn = np.sort(sample.numpy(), 0)
    if "mean" not in row.without:
        mean, variance = figures(row, "mean"), figures(row, "variance")
        assert np.all(np.abs(drawn.mean(0) - mean) < 5 * np.sqrt(variance / SAMPLES))
    # Kolmogorov and Smirnov: at the values of the row, and everywhere where there is a cdf.
    bound = 1.95 / math.sqrt(SAMPLES)
    for x, cdf in zip(row.values, figures(row, "cdf")):
        share = np.mean(drawn <= x, 0)
        assert np.all(np.abs(share - cdf) < bound), (x, share, cdf)
    try:
        cdf = distribution.cdf(aino.tensor(drawn)).numpy()
    except (NotImplementedError, MissingExtraError):
        return
    share = (np.arange(SAMPLES)[:, None] + 0.5) / SAMPLES
    assert np.abs(cdf - share).max() < bound


#: Those whose distribution function is not known.
NO_CDF = {"RelaxedBernoulli"}


@rows
def test_gradients_of_single_samples(row):
    """A sample moves so that the probability below it stays what it is."""
    given = row.given(requires_grad=True)
    kept = getattr(distributions, row.name)(**given, validate_args=False)
    if not kept.has_rsample:
        with pytest.raises(NotImplementedError):
            kept.rsample()
    elif has(kept, "cdf") and row.name not in NO_CDF:
        for slope in aino.autograd.grad(kept.cdf(kept.rsample((100,))).sum(), list(given.values())):
            assert slope.abs().max() < 1e-9


@pytest.mark.parametrize(
    "row", [r for r in ROWS if r.make().has_rsample and r.name not in MOVING], ids=str
)
def test_gradients_of_expectations(row):
    """The mean of ∇f(x) is ∇E[f(x)] = ∫ f(x) ∇p(x) dx."""
    names = list(row.parameters)
    given = {n: v.detach().expand(SAMPLES, 3).clone() for n, v in row.given().items()}
    several = [given[name].requires_grad_() for name in names]
    sample = getattr(distributions, row.name)(**given).rsample()
    assert sample.requires_grad
    slopes = aino.autograd.grad(oscillation(sample).sum(), several)
    for k in range(3):
        parts = {n: v[k].detach().requires_grad_() for n, v in row.given().items()}
        density = getattr(distributions, row.name)(**parts, validate_args=False)
        ends = row.domain(*[v[k] for v in row.parameters.values()])
        nodes, weights = (aino.tensor(a) for a in whole(ends[0], ends[-1]))
        expectation = (density.log_prob(nodes).exp() * weights * oscillation(nodes)).sum()
        expected = aino.autograd.grad(expectation, [parts[name] for name in names])
        for name, slope, value in zip(names, slopes, expected):
            own = slope[:, k].numpy()
            error = own.std() / math.sqrt(SAMPLES)
            assert abs(own.mean() - float(value)) < 4 * error + 1e-6, (name, k)


def oscillation(x):
    return x.sin() + x.cos()


def whole(low, high):
    """Nodes and weights of the integral over a whole domain, ends left out."""
    if np.isfinite(high):
        return _nodes(low, high)
    if np.isfinite(low):
        nodes, weights = _nodes(-np.inf, -low)
        return -nodes, weights
    halves = _nodes(-np.inf, 0.0), whole(0.0, np.inf)
    return [np.concatenate(parts) for parts in zip(*halves)]


def _nodes(low, x):
    """Nodes and weights of the double exponential rule from ``low``, which may be -inf, to x."""
    step = 0.02
    t = np.arange(-4.0, 3.4, step)
    if np.isfinite(low):
        share = 1 / (1 + np.exp(-np.pi * np.sinh(t)))
        nodes = low + (x - low) * share
        weights = (x - low) * step * np.pi * np.cosh(t) * share * (1 - share)
    else:
        away = np.exp(0.5 * np.pi * np.sinh(t))
        nodes, weights = x - away, step * 0.5 * np.pi * np.cosh(t) * away
    inside = (nodes > low) & (nodes < x)
    return nodes[inside], weights[inside]


@rows
def test_shapes(row):
    distribution = row.make()
    assert distribution.batch_shape == (3,)
    assert distribution.event_shape == ()
    assert distribution.sample().shape == (3,)
    assert distribution.sample((2, 0)).shape == (2, 0, 3)
    larger = distribution.expand((4, 3))
    assert type(larger) is type(distribution)
    assert larger.batch_shape == (4, 3)
    assert larger.sample((2,)).shape == (2, 4, 3)
    value = row.value()[0]
    close(larger.log_prob(value), np.broadcast_to(distribution.log_prob(value), (4, 3)), 1e-12)
    for name in ("mean", "variance", "mode"):
        try:
            assert getattr(larger, name).shape == (4, 3)
        except NotImplementedError:
            with pytest.raises(NotImplementedError):
                getattr(distribution, name)


@rows
def test_pickles(row):
    distribution = row.make()
    value = row.value()
    back = pickle.loads(pickle.dumps(distribution))
    assert repr(back) == repr(distribution)
    close(back.log_prob(value), distribution.log_prob(value), 0)


@rows
def test_what_is_outside(row):
    outside = aino.tensor([math.nan, math.nan, math.nan])
    with pytest.raises(ValueError, match="must lie in the support"):
        row.make(np.float32).log_prob(outside)
    with pytest.raises(ValueError, match="can't be broadcast"):
        row.make().log_prob(row.value()[:2, 0])
    with pytest.raises(ValueError, match="must be a Tensor"):
        row.make().log_prob(row.values[0])
    wrong = dict.fromkeys(row.parameters, math.nan)
    with pytest.raises(ValueError, match="must"):
        getattr(distributions, row.name)(**{k: aino.tensor(v) for k, v in wrong.items()})


@rows
def test_enumerated_support(row):
    distribution = row.make()
    if not distribution.has_enumerate_support:
        with pytest.raises(NotImplementedError):
            distribution.enumerate_support()
        return
    support = distribution.enumerate_support()
    assert support.shape == (len(support), 3)
    close(distribution.log_prob(support).exp().sum(0), np.ones(3), 1e-12)
    assert distribution.enumerate_support(expand=False).shape == (len(support), 1)


@pytest.mark.parametrize(
    ("name", "parameters", "mean", "variance"),
    [
        ("StudentT", {"df": [1.0, 1.5, 2.0]}, [math.nan, 0.0, 0.0], [math.nan, math.inf, math.inf]),
        ("FisherSnedecor", {"df1": 3.0, "df2": [2.0, 4.0, 5.0]},
         [math.nan, 2.0, 5 / 3], [math.nan, math.nan, 2 * 25 * 6 / (3 * 9)]),
        ("InverseGamma", {"concentration": [1.0, 2.0, 3.0], "rate": 2.0},
         [math.inf, 2.0, 1.0], [math.inf, math.inf, 1.0]),
        ("Pareto", {"scale": 1.0, "alpha": [1.0, 2.0, 3.0]},
         [math.inf, 2.0, 1.5], [math.inf, math.inf, 0.75]),
        ("GeneralizedPareto", {"loc": 1.0, "scale": 1.0, "concentration": [1.0, 0.5, 0.25]},
         [math.inf, 3.0, 1 + 4 / 3], [math.inf, math.inf, 1 / (0.75**2 * 0.5)]),
        ("Cauchy", {"loc": 0.0, "scale": [1.0]}, [math.nan], [math.inf]),
        ("HalfCauchy", {"scale": [1.0]}, [math.inf], [math.inf]),
    ],
)  # fmt: skip
def test_moments_that_do_not_exist(name, parameters, mean, variance):
    given = {key: aino.tensor(value, dtype=aino.float64) for key, value in parameters.items()}
    distribution = getattr(distributions, name)(**given)
    np.testing.assert_allclose(distribution.mean.numpy(), mean, 1e-12)
    np.testing.assert_allclose(distribution.variance.numpy(), variance, 1e-12)


def test_modes_at_the_edges():
    """Where parameters put the mode at an end of the support, or nowhere."""
    modes = [
        (distributions.Gamma(aino.tensor([0.5, 1.0, 3.0]), 2.0), [0.0, 0.0, 1.0]),
        (distributions.Weibull(2.0, aino.tensor([0.5, 1.0, 2.0])), [0.0, 0.0, 2 * 0.5**0.5]),
        (distributions.FisherSnedecor(aino.tensor([2.0, 4.0]), 4.0), [math.nan, 1 / 3]),
        (distributions.Kumaraswamy(aino.tensor([0.5, 1.0, 2.0]), 1.0), [math.nan, math.nan, 1.0]),
        (distributions.Binomial(3, aino.tensor([0.0, 0.5, 1.0])), [0.0, 2.0, 3.0]),
        (distributions.NegativeBinomial(aino.tensor([1.0, 3.0]), aino.tensor(0.5)), [0.0, 2.0]),
        (distributions.Bernoulli(aino.tensor([0.2, 0.5, 0.7])), [0.0, math.nan, 1.0]),
    ]
    for distribution, expected in modes:
        np.testing.assert_allclose(distribution.mode.numpy(), expected, 1e-6)
    corner = distributions.Dirichlet(aino.tensor([0.2, 0.7])).mode
    assert corner.tolist() == [0.0, 1.0]
    wishart = distributions.Wishart(aino.tensor([2.5, 4.0]), aino.eye(2)).mode
    assert wishart[0].isnan().any()
    assert wishart[1].tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_what_is_certain():
    """Probabilities of what must happen, and of what can't."""
    zero, one = aino.tensor(0.0), aino.tensor(1.0)
    assert distributions.NegativeBinomial(zero, aino.tensor(0.3)).log_prob(zero).item() == 0.0
    assert distributions.Geometric(one).log_prob(zero).item() == 0.0
    assert distributions.Geometric(one).log_prob(one).item() == -math.inf
    assert distributions.Poisson(zero).log_prob(zero).item() == 0.0
    assert distributions.Poisson(zero).log_prob(one).item() == -math.inf
    assert distributions.Uniform(zero, one).log_prob(one).item() == -math.inf
    assert distributions.Gamma(one, 2.0).log_prob(zero).item() == pytest.approx(math.log(2))
    assert distributions.Multinomial(2, aino.tensor([1.0, 0.0])).sample().tolist() == [2.0, 0.0]
    impossible = distributions.Multinomial(1, logits=aino.tensor([0.0, -math.inf]))
    assert impossible.log_prob(aino.tensor([1.0, 0.0])).item() == 0.0
