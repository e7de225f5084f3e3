"""Every registered divergence against the integral, or the sum, of p (ln p - ln q)."""

import math

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.autograd import gradcheck
from aino.distributions.kl import registry
from tests.distributions.test_rows import whole

#: Two distributions of each family, and from where to where they are: the second ones are those
#: of which a narrow p can be a part.
FAMILIES = {
    "Bernoulli": [(0.3,), (0.6,)],
    "Beta": [(2.0, 3.0), (1.5, 0.7)],
    "Binomial": [(5, 0.3), (5, 0.6)],
    "Cauchy": [(0.5, 2.0), (-1.0, 0.7)],
    "ContinuousBernoulli": [(0.3,), (0.5,)],
    "Exponential": [(1.5,), (0.4,)],
    "Gamma": [(2.5, 1.5), (0.7, 0.5)],
    "Geometric": [(0.3,), (0.6,)],
    "Gumbel": [(0.5, 1.5), (-1.0, 2.5)],
    "HalfNormal": [(1.5,), (0.7,)],
    "Laplace": [(0.5, 1.5), (-1.0, 0.7)],
    "Normal": [(0.5, 1.5), (-1.0, 0.7)],
    "Pareto": [(1.5, 3.5), (0.4, 0.8)],
    "Poisson": [(1.5,), (3.0,)],
    "Uniform": [(0.5, 0.9), (-0.5, 1.5)],
}  # fmt: skip
DOMAINS = {
    "Bernoulli": range(2), "Binomial": range(6), "Geometric": range(300), "Poisson": range(150),
    "Beta": (0.0, 1.0), "ContinuousBernoulli": (0.0, 1.0), "Exponential": (0.0, np.inf),
    "Gamma": (0.0, np.inf), "HalfNormal": (0.0, np.inf), "Pareto": (1.5, np.inf),
    "Uniform": (0.5, 0.9), "Cauchy": (-np.inf, np.inf), "Gumbel": (-np.inf, np.inf),
    "Laplace": (-np.inf, np.inf), "Normal": (-np.inf, np.inf),
}  # fmt: skip
#: Those of vectors, of one-hot vectors, and those made of others have tests of their own.
OTHERS = {
    "Categorical", "Dirichlet", "ExponentialFamily", "Independent", "LowRankMultivariateNormal",
    "MultivariateNormal", "OneHotCategorical", "TransformedDistribution",
}  # fmt: skip
PAIRS = sorted((p.__name__, q.__name__) for p, q in registry._FUNCTIONS if p.__module__.startswith("aino."))  # fmt: skip  # noqa: E501


def family(name, which, requires_grad=False):
    given = [
        aino.tensor(v, dtype=aino.float64, requires_grad=requires_grad)
        if isinstance(v, float)
        else v
        for v in FAMILIES[name][which]
    ]
    return getattr(D, name)(*given), given


def test_every_pair_is_known():
    assert {name for pair in PAIRS for name in pair} == set(FAMILIES) | OTHERS


def integrated(p, q, name):
    """∫ p (ln p - ln q), or the sum."""
    domain = DOMAINS[name]
    if isinstance(domain, range):
        x, weights = np.array(domain, float), np.ones(len(domain))
    elif name == "Laplace":  # its peak is no place to integrate over
        halves = whole(-np.inf, 0.5), whole(0.5, np.inf)
        x, weights = (np.concatenate(parts) for parts in zip(*halves))
    else:
        x, weights = whole(*domain)
    own, other = p.log_prob(aino.tensor(x)), q.log_prob(aino.tensor(x))
    terms = own.exp() * (own - other)
    return float((terms.nan_to_num() * aino.tensor(weights)).sum())


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if not OTHERS & set(pair)])
def test_pairs(first, second):
    p, _ = family(first, 0)
    q, given = family(second, 1)
    found = D.kl_divergence(p, q)
    assert found.shape == ()
    lenient = getattr(D, second)(*given, validate_args=False)
    outside = ~q.support.check(p.sample((2000,))).numpy()
    if outside.any():
        assert float(found) == math.inf
    else:
        # Where the other density has a kink in the middle of p, four digits are enough.
        loose = second == "Laplace" or first == "Laplace"
        assert float(found) == pytest.approx(integrated(p, lenient, first), rel=1e-3 if loose else 1e-6)  # fmt: skip  # noqa: E501
    own, _ = family(first, 0)
    assert float(D.kl_divergence(p, own)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if not OTHERS & set(pair)])
def test_gradients(first, second):
    p, given_p = family(first, 0, requires_grad=True)
    q, given_q = family(second, 1, requires_grad=True)
    if not float(D.kl_divergence(p, q)) < math.inf:
        pytest.skip("infinite")
    given = [x for x in (*given_p, *given_q) if isinstance(x, aino.Tensor) and x.requires_grad]

    def divergence(*given):
        left = iter(given)
        parts = [
            [next(left) if isinstance(x, float) else x for x in FAMILIES[name][which]]
            for which, name in ((0, first), (1, second))
        ]
        return D.kl_divergence(getattr(D, first)(*parts[0]), getattr(D, second)(*parts[1]))

    assert gradcheck(divergence, given)


def test_narrower_parts_of_a_uniform_distribution():
    """Where p reaches beyond q it is infinite, alone in its batch."""
    low = aino.tensor([0.2, -0.2], dtype=aino.float64)
    p = D.Uniform(low, aino.ones(2, dtype=aino.float64))
    for q in (D.Beta(2.0, 2.0), D.ContinuousBernoulli(0.3), D.Exponential(1.0), D.Gamma(2.0, 1.0),
              D.Pareto(0.1, 1.0), D.Uniform(0.0, 1.0)):  # fmt: skip
        found = D.kl_divergence(p, q).isinf().tolist()
        assert found == [False, True]
    assert D.kl_divergence(D.Beta(2.0, 1.0), D.Uniform(0.2, 1.0)).item() == math.inf
    assert D.kl_divergence(D.Pareto(0.5, 1.0), D.Pareto(1.0, 1.0)).item() == math.inf


def vectors(rng, low_rank, batch=()):
    loc, factor = rng.normal(size=(*batch, 4)), rng.normal(size=(*batch, 4, 2))
    diagonal = rng.uniform(0.5, 2.0, (*batch, 4))
    if low_rank:
        parts = loc, factor, diagonal
        return D.LowRankMultivariateNormal(*map(aino.tensor, parts)), loc
    covariance = factor @ np.swapaxes(factor, -1, -2) + diagonal[..., None] * np.eye(4)
    return D.MultivariateNormal(aino.tensor(loc), aino.tensor(covariance)), loc


@pytest.mark.parametrize("batch", [(), (3,)])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("second", [False, True])
def test_normal_vectors(first, second, batch):
    rng = np.random.default_rng(0)
    p, m = vectors(rng, first, batch)
    q, n = vectors(rng, second, batch)
    sp, sq = p.covariance_matrix.numpy(), q.covariance_matrix.numpy()
    inverse = np.linalg.inv(sq)
    expected = 0.5 * (
        np.trace(inverse @ sp, axis1=-2, axis2=-1)
        + np.einsum("...i,...ij,...j", m - n, inverse, m - n)
        - 4
        + np.linalg.slogdet(sq)[1]
        - np.linalg.slogdet(sp)[1]
    )
    np.testing.assert_allclose(D.kl_divergence(p, q).numpy(), expected, 1e-9)


def test_categories():
    a, b = np.array([0.2, 0.0, 0.8]), np.array([0.3, 0.3, 0.4])
    expected = 0.2 * np.log(0.2 / 0.3) + 0.8 * np.log(0.8 / 0.4)
    for kind in (D.Categorical, D.OneHotCategorical):
        p, q = kind(aino.tensor(a)), kind(aino.tensor(b))
        assert D.kl_divergence(p, q).item() == pytest.approx(expected, abs=1e-6)
        assert D.kl_divergence(q, p).item() == math.inf


def test_dirichlet():
    """Against the mean of ln p - ln q over samples."""
    p = D.Dirichlet(aino.tensor([2.0, 1.5, 3.0], dtype=aino.float64))
    q = D.Dirichlet(aino.tensor([1.0, 2.5, 0.7], dtype=aino.float64))
    x = p.sample((40_000,))
    terms = (p.log_prob(x) - q.log_prob(x)).numpy()
    found = D.kl_divergence(p, q).item()
    assert abs(found - terms.mean()) < 4 * terms.std() / 200


@pytest.mark.parametrize("name", ["Bernoulli", "Beta", "ContinuousBernoulli", "Dirichlet",
                                  "Exponential", "Gamma", "Normal", "Poisson"])  # fmt: skip
def test_exponential_families(name):
    """Bregman's divergence of the normalizer is the divergence, and its entropy the entropy."""
    general = registry._FUNCTIONS[D.ExponentialFamily, D.ExponentialFamily]
    if name == "Dirichlet":
        p, q = (D.Dirichlet(aino.tensor(a)) for a in ([2.0, 1.5, 3.0], [1.0, 2.5, 0.7]))
    else:
        p, q = family(name, 0)[0], family(name, 1)[0]
    assert general(p, q).item() == pytest.approx(D.kl_divergence(p, q).item(), rel=1e-6)
    if name not in ("Poisson", "Dirichlet", "Beta"):
        entropy = D.ExponentialFamily.entropy(p).item()
        assert entropy == pytest.approx(p.entropy().item(), rel=1e-6)


def test_entropies_of_exponential_families_have_gradients_where_parameters_have():
    for wanted in (False, True):
        rate = aino.tensor([0.5, 2.0], requires_grad=wanted)
        entropy = D.ExponentialFamily.entropy(D.Exponential(rate))
        assert entropy.requires_grad == wanted
        if wanted:
            (slope,) = aino.autograd.grad(entropy.sum(), rate)
            assert aino.allclose(slope, -1 / rate)


def test_the_carrier_measure_counts():
    """Of a normal distribution whose deviation is known: h(x) is the density around 0."""

    class Around(D.ExponentialFamily):
        def __init__(self, mean):
            self.mean_ = mean
            super().__init__(mean.shape, validate_args=False)

        @property
        def _natural_params(self):
            return (self.mean_,)

        def _log_normalizer(self, theta):
            return theta.square() / 2

        @property
        def _mean_carrier_measure(self):
            return -(self.mean_.square() + 1) / 2 - 0.5 * math.log(2 * math.pi)

    mean = aino.tensor([0.5, -2.0])
    assert aino.allclose(Around(mean).entropy(), D.Normal(mean, 1.0).entropy())
    assert aino.allclose(
        D.kl_divergence(Around(mean), Around(-mean)),
        D.kl_divergence(D.Normal(mean, 1.0), D.Normal(-mean, 1.0)),
    )


def test_wishart():
    v = np.array([[2.0, 0.3], [0.3, 1.0]])
    p = D.Wishart(aino.tensor(4.0, dtype=aino.float64), aino.tensor(v))
    q = D.Wishart(aino.tensor(5.0, dtype=aino.float64), aino.eye(2, dtype=aino.float64))
    x = p.sample((20_000,))
    terms = (p.log_prob(x) - q.log_prob(x)).numpy()
    assert abs(D.kl_divergence(p, q).item() - terms.mean()) < 4 * terms.std() / math.sqrt(20_000)


def test_distributions_made_of_others():
    p, q = D.Normal(aino.zeros(3, 2), 1.0), D.Normal(aino.ones(3, 2), 2.0)
    single = D.kl_divergence(p, q)
    both = D.kl_divergence(D.Independent(p, 1), D.Independent(q, 1))
    assert aino.allclose(both, single.sum(-1))
    assert aino.allclose(
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.LogNormal(1.0, 2.0)), single[0, 0]
    )
    with pytest.raises(NotImplementedError):
        D.kl_divergence(D.Independent(p, 1), D.Independent(q, 2))
    with pytest.raises(NotImplementedError):
        D.kl_divergence(D.LogNormal(0.0, 1.0), D.InverseGamma(1.0, 1.0))
    with pytest.raises(NotImplementedError, match="Normal and Poisson"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Poisson(1.0))


def test_the_nearest_function_is_taken():
    class P(D.Normal):
        pass

    class Q(D.Normal):
        pass

    try:
        D.register_kl(P, D.Normal)(lambda p, q: "left")
        assert D.kl_divergence(P(0.0, 1.0), D.Normal(0.0, 1.0)) == "left"
        assert D.kl_divergence(D.Normal(0.0, 1.0), P(0.0, 1.0)).item() == 0.0
        D.register_kl(D.Normal, Q)(lambda p, q: "right")
        with pytest.warns(RuntimeWarning, match="fit as well"):
            assert D.kl_divergence(P(0.0, 1.0), Q(0.0, 1.0)) == "left"
    finally:
        for pair in [(P, D.Normal), (D.Normal, Q)]:
            registry._FUNCTIONS.pop(pair, None)
        registry._found.cache_clear()
    with pytest.raises(TypeError, match="class of distributions"):
        D.register_kl(int, D.Normal)
