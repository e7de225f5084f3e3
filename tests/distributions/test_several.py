"""Distributions of vectors, matrices and categories, and those made of others."""

import math
import pickle

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.autograd import gradcheck

RNG = np.random.default_rng(0)
LOC = np.array([0.5, -1.0, 2.0])
FACTOR = RNG.normal(size=(3, 2))
DIAGONAL = np.array([0.5, 1.0, 2.0])
COVARIANCE = FACTOR @ FACTOR.T + np.diag(DIAGONAL)
LOWER = np.linalg.cholesky(COVARIANCE)
SAMPLES = 40_000


def t(array, requires_grad=False):
    return aino.tensor(np.asarray(array, float), requires_grad=requires_grad)


def log_gamma(x):
    return np.vectorize(math.lgamma)(x)


def normal_log_prob(x):
    away = x - LOC
    inside = np.einsum("...i,ij,...j", away, np.linalg.inv(COVARIANCE), away)
    return -0.5 * (inside + np.linalg.slogdet(2 * np.pi * COVARIANCE)[1])


def dirichlet_log_prob(x):
    a = CONCENTRATION
    beta = log_gamma(a).sum() - math.lgamma(a.sum())
    return ((a - 1) * np.log(x)).sum(-1) - beta


CONCENTRATION = np.array([0.7, 2.0, 3.5])
PROBS = np.array([0.2, 0.5, 0.3])
POINTS = np.array([[0.2, 0.3, 0.5], [0.05, 0.9, 0.05]])
ONE_HOTS = np.eye(3)


def multinomial_log_prob(x):
    ways = math.lgamma(5) - log_gamma(x + 1).sum(-1)
    return ways + (x * np.log(PROBS)).sum(-1)


def wishart_log_prob(x):
    n, p = 4.5, 3
    log_det = np.linalg.slogdet(x)[1]
    trace = np.trace(np.linalg.inv(COVARIANCE) @ x, axis1=-2, axis2=-1)
    gammas = p * (p - 1) / 4 * math.log(math.pi) + sum(math.lgamma((n - i) / 2) for i in range(p))
    whole = n / 2 * (p * math.log(2) + np.linalg.slogdet(COVARIANCE)[1]) + gammas
    return 0.5 * (n - p - 1) * log_det - 0.5 * trace - whole


def relaxed_log_prob(x):
    """Of Maddison, Mnih and Teh: Γ(K) tᴷ⁻¹ ∏ pᵢ xᵢ^(-t - 1) / (Σ pᵢ xᵢ^-t)ᴷ."""
    temperature, count = 0.7, 3
    top = (np.log(PROBS) - (temperature + 1) * np.log(x)).sum(-1)
    bottom = np.log((PROBS * x**-temperature).sum(-1))
    return math.lgamma(count) + (count - 1) * math.log(temperature) + top - count * bottom


def logistic_normal_log_prob(x):
    """Of the stick that is broken: z = share, x in terms of it, and the determinant by hand."""
    left = np.stack([np.ones(len(x)), 1 - x[:, 0]], -1)
    share = x[:, :2] / left
    z = np.log(share) - np.log(1 - share) + np.log([2.0, 1.0])
    normal = -0.5 * ((z - LOC[:2]) / DIAGONAL[:2]) ** 2 - np.log(DIAGONAL[:2] * np.sqrt(2 * np.pi))
    return (normal - np.log(share * (1 - share) * left)).sum(-1)


def mixture_log_prob(x):
    each = np.exp(-0.5 * ((x[:, None] - LOC) / DIAGONAL) ** 2) / DIAGONAL / np.sqrt(2 * np.pi)
    return np.log((PROBS * each).sum(-1))


def matrices(count):
    root = RNG.normal(size=(count, 3, 3))
    return root @ root.swapaxes(-1, -2) + np.eye(3)


#: class, parameters, the oracle of log_prob, where it is looked at, mean, variance
CASES = [
    ("MultivariateNormal", {"loc": LOC, "covariance_matrix": COVARIANCE}, normal_log_prob,
     RNG.normal(size=(4, 3)), LOC, np.diag(COVARIANCE)),
    ("MultivariateNormal", {"loc": LOC, "precision_matrix": np.linalg.inv(COVARIANCE)},
     normal_log_prob, RNG.normal(size=(4, 3)), LOC, np.diag(COVARIANCE)),
    ("MultivariateNormal", {"loc": LOC, "scale_tril": LOWER}, normal_log_prob,
     RNG.normal(size=(4, 3)), LOC, np.diag(COVARIANCE)),
    ("LowRankMultivariateNormal", {"loc": LOC, "cov_factor": FACTOR, "cov_diag": DIAGONAL},
     normal_log_prob, RNG.normal(size=(4, 3)), LOC, np.diag(COVARIANCE)),
    ("Dirichlet", {"concentration": CONCENTRATION}, dirichlet_log_prob, POINTS,
     CONCENTRATION / CONCENTRATION.sum(),
     CONCENTRATION * (CONCENTRATION.sum() - CONCENTRATION)
     / (CONCENTRATION.sum() ** 2 * (CONCENTRATION.sum() + 1))),
    ("OneHotCategorical", {"probs": PROBS}, lambda x: (x * np.log(PROBS)).sum(-1), ONE_HOTS,
     PROBS, PROBS * (1 - PROBS)),
    ("OneHotCategorical", {"logits": np.log(PROBS) + 2}, lambda x: (x * np.log(PROBS)).sum(-1),
     ONE_HOTS, PROBS, PROBS * (1 - PROBS)),
    ("OneHotCategoricalStraightThrough", {"probs": PROBS},
     lambda x: (x * np.log(PROBS)).sum(-1), ONE_HOTS, PROBS, PROBS * (1 - PROBS)),
    ("Multinomial", {"total_count": 4, "probs": PROBS}, multinomial_log_prob,
     np.array([[4.0, 0.0, 0.0], [1.0, 2.0, 1.0]]), 4 * PROBS, 4 * PROBS * (1 - PROBS)),
    ("Wishart", {"df": 4.5, "covariance_matrix": COVARIANCE}, wishart_log_prob, matrices(3),
     4.5 * COVARIANCE,
     4.5 * (COVARIANCE**2 + np.outer(np.diag(COVARIANCE), np.diag(COVARIANCE)))),
    ("Wishart", {"df": 4.5, "precision_matrix": np.linalg.inv(COVARIANCE)}, wishart_log_prob,
     matrices(3), 4.5 * COVARIANCE, None),
    ("RelaxedOneHotCategorical", {"temperature": 0.7, "probs": PROBS}, relaxed_log_prob, POINTS,
     None, None),
    ("LogisticNormal", {"loc": LOC[:2], "scale": DIAGONAL[:2]}, logistic_normal_log_prob, POINTS,
     None, None),
]  # fmt: skip
cases = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{'-'.join(case[1])}")


def make(case, requires_grad=False):
    name, parameters, *_ = case
    given = {k: v if isinstance(v, int) else t(v, requires_grad) for k, v in parameters.items()}
    return getattr(D, name)(**given), given


@cases
def test_log_prob(case):
    distribution, _ = make(case)
    found = distribution.log_prob(t(case[3]))
    np.testing.assert_allclose(found.numpy(), case[2](case[3]), 1e-9, 1e-9)


@cases
def test_moments_and_samples(case):
    distribution, _ = make(case)
    sample = distribution.sample((SAMPLES,))
    assert distribution.support.check(sample).all()
    assert sample.shape == (SAMPLES, *distribution.event_shape)
    for name, expected in (("mean", case[4]), ("variance", case[5])):
        if expected is not None:
            found = getattr(distribution, name).numpy()
            np.testing.assert_allclose(found, expected, 1e-9)
    if case[4] is not None and case[5] is not None:
        error = np.sqrt(case[5] / SAMPLES)
        assert np.all(np.abs(sample.numpy().mean(0) - case[4]) < 4 * error)


@cases
def test_derivatives(case):
    distribution, given = make(case, requires_grad=True)
    continuous = distribution.has_rsample and "OneHot" not in case[0]
    value = t(case[3], requires_grad=continuous)
    names = [name for name, v in given.items() if isinstance(v, aino.Tensor)]

    def log_prob(value, *parameters):
        parts = given | dict(zip(names, parameters))
        for name, matrix in parts.items():
            if name.endswith("_matrix"):
                parts[name] = (matrix + matrix.mT) / 2
        if case[0] == "Wishart":
            value = (value + value.mT) / 2
        return getattr(D, case[0])(**parts, validate_args=False).log_prob(value)

    assert gradcheck(log_prob, (value, *(given[name] for name in names)))


@cases
def test_samples_have_gradients(case):
    distribution, given = make(case, requires_grad=True)
    if not distribution.has_rsample:
        with pytest.raises(NotImplementedError):
            distribution.rsample()
        return
    sample = distribution.rsample((SAMPLES // 4,))
    leaves = [v for v in given.values() if isinstance(v, aino.Tensor)]
    slopes = aino.autograd.grad(sample.square().sum(), leaves)
    assert all(bool(slope.isfinite().all()) for slope in slopes)


@pytest.mark.parametrize("case", [c for c in CASES if c[5] is not None and "Cat" not in c[0]
                                  and c[0] != "Multinomial"], ids=lambda c: "-".join((c[0], *c[1])))  # fmt: skip  # noqa: E501
def test_gradient_of_a_mean_square(case):
    """The gradient of E[x²] is that of the mean's square and the variance, in closed form."""
    distribution, given = make(case, requires_grad=True)
    leaves = list(given.values())
    exact = aino.autograd.grad(
        (distribution.mean.square() + distribution.variance).sum(), leaves, retain_graph=True
    )
    groups = []
    for _ in range(20):
        x = distribution.rsample((2000,)).square().sum() / 2000
        groups.append([g.numpy() for g in aino.autograd.grad(x, leaves, retain_graph=True)])
    for k, expected in enumerate(exact):
        several = np.array([group[k] for group in groups])
        if expected.dim() == 2 and "matrix" in case[1]:  # a matrix counts by its symmetric part
            several, expected = several + several.swapaxes(-1, -2), expected + expected.mT
        error = several.std(0) / math.sqrt(20) + 1e-9
        assert np.all(np.abs(several.mean(0) - expected.numpy()) < 5 * error)


@cases
def test_shapes(case):
    distribution, _ = make(case)
    larger = distribution.expand((4,))
    assert type(larger) is type(distribution)
    assert larger.batch_shape == (4,)
    assert larger.event_shape == distribution.event_shape
    assert larger.sample((2,)).shape == (2, 4, *distribution.event_shape)
    assert distribution.sample((0, 2)).shape == (0, 2, *distribution.event_shape)
    value = t(case[3])[0]
    found = larger.log_prob(value).numpy()
    np.testing.assert_allclose(found, distribution.log_prob(value).numpy().repeat(4), 1e-9)
    back = pickle.loads(pickle.dumps(larger))
    np.testing.assert_allclose(back.log_prob(value).numpy(), found)
    with pytest.raises(ValueError, match="event shape"):
        distribution.log_prob(value[..., :1])


@pytest.mark.parametrize("name", ["Categorical", "OneHotCategorical", "Multinomial"])
def test_what_categories_draw(name):
    rows = t([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.1, 0.2, 0.7]])
    distribution = getattr(D, name)(probs=rows)
    if name == "Multinomial":
        drawn = distribution.sample((SAMPLES,)).mean(0)
    else:
        drawn = distribution.sample((SAMPLES,))
        if name == "Categorical":
            assert drawn.dtype == aino.int64
            drawn = (drawn.unsqueeze(-1) == aino.arange(3)).double()
        drawn = drawn.mean(0)
    assert np.all(np.abs(drawn.numpy() - rows.numpy()) < 4 * 0.5 / math.sqrt(SAMPLES))
    assert drawn[1].tolist() == [0.0, 0.0, 1.0]
    assert drawn[0, 2] == 0


def test_entropies():
    entropy = -(PROBS * np.log(PROBS)).sum()
    assert D.Categorical(t(PROBS)).entropy().item() == pytest.approx(entropy)
    assert D.OneHotCategorical(t(PROBS)).entropy().item() == pytest.approx(entropy)
    counts = np.array([[a, b, 4 - a - b] for a in range(5) for b in range(5 - a)], float)
    log_prob = multinomial_log_prob(counts)
    found = D.Multinomial(4, t(PROBS)).entropy().item()
    assert found == pytest.approx(-(np.exp(log_prob) * log_prob).sum())
    expected = 0.5 * np.linalg.slogdet(2 * np.pi * np.e * COVARIANCE)[1]
    for k in range(4):
        assert make(CASES[k])[0].entropy().item() == pytest.approx(expected)
    # The others as the mean of -ln p over samples.
    for case in (CASES[4], CASES[9]):
        distribution, _ = make(case)
        terms = -distribution.log_prob(distribution.sample((SAMPLES,))).numpy()
        error = terms.std() / math.sqrt(SAMPLES)
        assert abs(distribution.entropy().item() - terms.mean()) < 4 * error


@pytest.mark.parametrize(("dim", "eta"), [(2, 0.7), (3, 1.0), (4, 1.5), (5, 3.0)])
def test_correlation_matrices(dim, eta):
    """The mean square of each correlation is 1 / (2η + d - 1)."""
    distribution = D.LKJCholesky(dim, t(eta))
    lower = distribution.sample((SAMPLES,))
    assert distribution.support.check(lower).all()
    squares = (lower @ lower.mT).square().numpy()
    error = squares.std(0) / math.sqrt(SAMPLES)
    expected = np.where(np.eye(dim, dtype=bool), 1.0, 1 / (2 * eta + dim - 1))
    assert np.all(np.abs(squares.mean(0) - expected) < 4 * error + 1e-9)


def test_density_of_correlation_matrices():
    """Of two rows: the density of r = sin a is (1 - r²)^(η - 1) / B, over the whole line."""
    eta = 1.7
    r, step = np.linspace(-1, 1, 20_001, retstep=True)
    r = (r[1:] + r[:-1]) / 2
    lower = np.zeros((len(r), 2, 2))
    lower[:, 0, 0], lower[:, 1, 0], lower[:, 1, 1] = 1.0, r, np.sqrt(1 - r * r)
    log_prob = D.LKJCholesky(2, t(eta)).log_prob(t(lower)).numpy()
    assert (np.exp(log_prob) * step).sum() == pytest.approx(1.0, abs=1e-5)
    assert log_prob[100] - log_prob[10_000] == pytest.approx(
        (eta - 1) * math.log((1 - r[100] ** 2) / (1 - r[10_000] ** 2))
    )


def test_mixtures():
    mixture = D.MixtureSameFamily(D.Categorical(t(PROBS)), D.Normal(t(LOC), t(DIAGONAL)))
    x = np.linspace(-4, 5, 7)
    np.testing.assert_allclose(mixture.log_prob(t(x)).numpy(), mixture_log_prob(x), 1e-9)
    mean = (PROBS * LOC).sum()
    variance = (PROBS * (DIAGONAL**2 + LOC**2)).sum() - mean**2
    assert mixture.mean.item() == pytest.approx(mean)
    assert mixture.variance.item() == pytest.approx(variance)
    drawn = mixture.sample((SAMPLES,)).numpy()
    assert abs(drawn.mean() - mean) < 4 * math.sqrt(variance / SAMPLES)
    for place in x:
        cdf = mixture.cdf(t(place)).item()
        assert abs((drawn <= place).mean() - cdf) < 2 / math.sqrt(SAMPLES)
    assert mixture.expand((2, 4)).sample((3,)).shape == (3, 2, 4)
    vectors = D.Independent(D.Normal(aino.zeros(2, 3, 4), aino.ones(2, 3, 4)), 1)
    several = D.MixtureSameFamily(D.Categorical(aino.ones(2, 3)), vectors)
    assert several.batch_shape == (2,)
    assert several.event_shape == (4,)
    assert several.sample((5,)).shape == (5, 2, 4)
    assert several.log_prob(aino.zeros(4)).shape == (2,)
    assert several.mean.shape == several.variance.shape == (2, 4)
    with pytest.raises(ValueError, match="components"):
        D.MixtureSameFamily(D.Categorical(aino.ones(2)), D.Normal(aino.zeros(3), 1.0))
    with pytest.raises(ValueError, match="Categorical"):
        D.MixtureSameFamily(D.Normal(0.0, 1.0), D.Normal(aino.zeros(3), 1.0))


def test_independent_parts():
    base = D.Normal(aino.zeros(2, 3), aino.ones(3))
    both = D.Independent(base, 1)
    assert both.batch_shape == (2,)
    assert both.event_shape == (3,)
    value = aino.randn(2, 3)
    assert aino.allclose(both.log_prob(value), base.log_prob(value).sum(-1))
    assert aino.allclose(both.entropy(), base.entropy().sum(-1))
    assert both.expand((4, 2)).sample().shape == (4, 2, 3)
    assert not D.Independent(D.Bernoulli(aino.ones(2) / 2), 1).has_enumerate_support
    with pytest.raises(NotImplementedError):
        D.Independent(D.Bernoulli(aino.ones(2) / 2), 1).enumerate_support()


def test_transformed_distributions():
    """A chain of transforms, batches that grow, events of vectors."""
    scale = aino.tensor([1.0, 2.0])
    squashed = D.TransformedDistribution(
        D.Normal(0.0, 1.0), [D.AffineTransform(0.0, scale), D.SigmoidTransform()]
    )
    assert squashed.batch_shape == (2,)
    x = squashed.sample((5,))
    direct = D.LogNormal(0.0, 1.0)
    assert squashed.log_prob(x).shape == (5, 2)
    turned = D.TransformedDistribution(D.Normal(0.0, 1.0), [D.AffineTransform(1.0, -2.0)])
    same = D.Normal(1.0, 2.0)
    at = aino.linspace(-3.0, 3.0, 5)
    for name in ("log_prob", "cdf"):
        assert aino.allclose(getattr(turned, name)(at), getattr(same, name)(at), atol=1e-6)
    assert aino.allclose(turned.icdf(aino.tensor([0.1, 0.6])), same.icdf(aino.tensor([0.1, 0.6])))
    vectors = D.TransformedDistribution(
        D.Normal(aino.zeros(3), 1.0), [D.IndependentTransform(D.ExpTransform(), 1)]
    )
    assert vectors.event_shape == (3,)
    value = aino.tensor([0.5, 1.0, 2.0])
    assert aino.allclose(vectors.log_prob(value), direct.log_prob(value).sum())
    lower = D.TransformedDistribution(D.Normal(aino.zeros(3), 1.0), [D.CorrCholeskyTransform()])
    assert lower.event_shape == (3, 3)
    assert lower.log_prob(lower.sample((2,))).shape == (2,)
    with pytest.raises(ValueError, match="Transform"):
        D.TransformedDistribution(D.Normal(0.0, 1.0), [3])


#: Another parameter of the same kind, for the second distribution of a batch.
OTHER = {
    "loc": lambda x: x + 1,
    "covariance_matrix": lambda x: 2 * x, "precision_matrix": lambda x: 2 * x,
    "scale_tril": lambda x: 1.5 * x, "cov_factor": lambda x: 0.5 * x, "cov_diag": lambda x: 3 * x,
    "concentration": lambda x: 1.5 * x, "probs": lambda x: x[::-1].copy(),
    "logits": lambda x: x[::-1].copy(), "df": lambda x: x + 1.5, "temperature": lambda x: x,
    "scale": lambda x: 2 * x, "total_count": lambda x: x,
}  # fmt: skip


@cases
def test_a_batch_is_each_of_its_distributions(case):
    name, parameters, _, x, *_ = case
    second = (name, {k: OTHER[k](v) for k, v in parameters.items()}, None, x)
    singles = [make(case)[0], make(second)[0]]
    given = {
        k: v
        if isinstance(v, int) or k == "temperature"
        else aino.stack([getattr(single, k) for single in singles])
        for k, v in parameters.items()
    }
    batch = getattr(D, name)(**given)
    assert batch.batch_shape == (2,)
    value = t(x)
    several = [single.log_prob(value).numpy() for single in singles]
    found = batch.log_prob(value.unsqueeze(1)).numpy()
    np.testing.assert_allclose(found, np.stack(several, 1), 1e-9, 1e-9)
    for figure in ("mean", "mode", "variance", "entropy", "covariance_matrix", "precision_matrix",
                   "scale_tril"):  # fmt: skip
        if not hasattr(type(batch), figure):
            continue
        try:
            expected = [getattr(single, figure) for single in singles]
            expected = [part() if callable(part) else part for part in expected]
        except NotImplementedError:
            continue
        own = getattr(batch, figure)
        own = own() if callable(own) else own
        np.testing.assert_allclose(own.numpy(), np.stack(expected), 1e-8, 1e-9)
    drawn = batch.sample((4000,)).numpy()
    for k, single in enumerate(singles):
        try:
            error = np.sqrt(single.variance.numpy() / 4000)
        except NotImplementedError:
            continue
        assert np.all(np.abs(drawn[:, k].mean(0) - single.mean.numpy()) < 5 * error)


def test_relaxed_categories_are_chosen_as_often_as_categories():
    """The largest coordinate is the k-th with the probability p, at any temperature."""
    for temperature in (0.3, 2.0):
        drawn = D.RelaxedOneHotCategorical(temperature, t(PROBS)).sample((SAMPLES,))
        shares = np.bincount(drawn.argmax(-1).numpy(), minlength=3) / SAMPLES
        assert np.all(np.abs(shares - PROBS) < 4 * 0.5 / math.sqrt(SAMPLES))


def test_logistic_normal_samples_are_normal_again():
    distribution = D.LogisticNormal(t(LOC[:2]), t(DIAGONAL[:2]))
    x = D.StickBreakingTransform().inv(distribution.sample((SAMPLES,))).numpy()
    assert np.all(np.abs(x.mean(0) - LOC[:2]) < 4 * DIAGONAL[:2] / math.sqrt(SAMPLES))
    np.testing.assert_allclose(x.std(0), DIAGONAL[:2], 0.02)


def test_supports_are_as_deep_as_events():
    base = D.Independent(D.Normal(aino.zeros(3), 1.0), 1)
    for distribution in (
        D.TransformedDistribution(base, D.ExpTransform()),
        D.TransformedDistribution(base, []),
        D.TransformedDistribution(D.Normal(aino.zeros(3), 1.0), D.SoftmaxTransform()),
        D.Independent(D.Beta(aino.ones(2, 3), 1.0), 2),
    ):
        assert distribution.support.event_dim == len(distribution.event_shape)
        assert distribution.support.check(distribution.sample((4,))).tolist() == [True] * 4


def test_one_hot_vectors_with_the_gradient_of_probabilities():
    p, weights = t([0.3, 0.9, 0.6], requires_grad=True), t([1.0, -2.0, 4.0])
    sample = D.OneHotCategoricalStraightThrough(p).rsample((5,))
    assert D.constraints.one_hot.check(sample.detach().round()).all()
    (found,) = aino.autograd.grad((sample * weights).sum(), p)
    (expected,) = aino.autograd.grad((5 * p / p.sum() * weights).sum(), p)
    np.testing.assert_allclose(found.numpy(), expected.numpy(), 1e-12)
