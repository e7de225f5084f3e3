"""What constraints hold of, and how distributions ask them."""

import math
import warnings

import numpy as np
import pytest

import aino
from aino import distributions as D
from aino.distributions import constraints as C

nan, inf = math.nan, math.inf
EYE = [[1.0, 0.0], [0.0, 1.0]]

#: constraint, what satisfies it, what does not: each an event
ROWS = [
    (C.boolean, [0.0, 1.0], [0.5, -1.0, nan]),
    (C.one_hot, [[0.0, 1.0]], [[1.0, 1.0], [0.5, 0.5]]),
    (C.nonnegative_integer, [0.0, 3.0], [-1.0, 0.5]),
    (C.positive_integer, [1.0, 3.0], [0.0, 1.5]),
    (C.integer_interval(1, 3), [1.0, 3.0], [0.0, 4.0, 1.5]),
    (C.real, [0.0, inf], [nan]),
    (C.real_vector, [[0.0, 1.0]], [[0.0, nan]]),
    (C.positive, [1e-9, inf], [0.0, -1.0, nan]),
    (C.nonnegative, [0.0, 2.0], [-1e-9]),
    (C.greater_than(2), [2.1], [2.0]),
    (C.greater_than_eq(2), [2.0], [1.9]),
    (C.less_than(2), [1.9], [2.0]),
    (C.unit_interval, [0.0, 1.0], [-0.1, 1.1, nan]),
    (C.interval(-1, aino.tensor(2.0)), [-1.0, 2.0], [-1.1, 2.1]),
    (C.half_open_interval(-1, 2), [-1.0, 1.9], [2.0]),
    (C.simplex, [[0.2, 0.8]], [[0.2, 0.9], [-0.2, 1.2]]),
    (C.multinomial(3), [[1.0, 2.0]], [[-1.0, 4.0], [2.0, 2.0]]),
    (C.lower_triangular, [EYE, [[0.0, 0.0], [3.0, 0.0]]], [[[1.0, 2.0], [0.0, 1.0]]]),
    (C.lower_cholesky, [EYE], [[[0.0, 0.0], [3.0, 0.0]], [[1.0, 2.0], [0.0, 1.0]]]),
    (C.corr_cholesky, [EYE, [[1.0, 0.0], [0.6, 0.8]]], [[[1.0, 0.0], [0.6, 0.9]]]),
    (C.symmetric, [[[1.0, 2.0], [2.0, 1.0]]], [[[1.0, 2.0], [2.1, 1.0]]]),
    (C.positive_definite, [EYE], [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [0.1, 1.0]]]),
    (C.positive_semidefinite, [EYE, [[0.0, 0.0], [0.0, 1.0]]], [[[1.0, 2.0], [2.0, 1.0]]]),
    (C.independent(C.positive, 1), [[1.0, 2.0]], [[1.0, -2.0]]),
    (C.MixtureSameFamilyConstraint(C.positive), [1.0], [-1.0]),
]  # fmt: skip


@pytest.mark.parametrize(("constraint", "inside", "outside"), ROWS, ids=lambda x: "")
def test_checks(constraint, inside, outside):
    found = constraint.check(aino.tensor([*inside, *outside]))
    assert found.dtype == aino.bool
    assert found.tolist() == [True] * len(inside) + [False] * len(outside)
    assert constraint.event_dim == np.ndim(inside[0])


def test_parts():
    stacked = C.stack([C.positive, C.real], -1)
    assert stacked.check(aino.tensor([[1.0, -1.0], [-1.0, -1.0]])).tolist() == [
        [True, True],
        [False, True],
    ]
    joined = C.cat([C.positive, C.real], -1, [2, 1])
    assert joined.check(aino.tensor([1.0, -1.0, -1.0])).tolist() == [True, False, True]
    assert C.square.check(aino.zeros(2, 3, 3)).tolist() == [True, True]
    assert C.square.check(aino.zeros(2, 3)).item() is False
    assert C.positive_definite.check(aino.zeros(2, 3)).item() is False
    with pytest.raises(AssertionError):
        C.cat([C.real], lengths=[1, 2])
    with pytest.raises(AssertionError):
        C.stack([3])


def test_what_depends():
    assert C.is_dependent(C.dependent)
    assert not C.is_dependent(C.real)
    with pytest.raises(NotImplementedError):
        _ = C.dependent.event_dim
    assert C.dependent(event_dim=1).event_dim == 1
    with pytest.raises(ValueError, match="alone"):
        C.dependent.check(aino.zeros(1))
    with pytest.raises(NotImplementedError):
        C.Constraint().check(aino.zeros(1))
    assert C.is_dependent(D.Uniform.support)
    assert D.Uniform.support.event_dim == 0
    assert repr(D.Uniform(0.0, 2.0).support) == "Interval(lower_bound=0.0, upper_bound=2.0)"


def test_validation_is_a_choice():
    with pytest.raises(ValueError, match=r"scale of Normal\(loc: 0.0, scale: -1.0\).*GreaterThan"):
        D.Normal(0.0, -1.0)
    assert D.Normal(0.0, -1.0, validate_args=False).scale.item() == -1.0
    try:
        D.Distribution.set_default_validate_args(False)
        assert D.Normal(0.0, -1.0).scale.item() == -1.0
        with pytest.raises(ValueError, match="must satisfy"):
            D.Normal(0.0, -1.0, validate_args=True)
    finally:
        D.Distribution.set_default_validate_args(True)
    with pytest.raises(ValueError, match="True or False"):
        D.Distribution.set_default_validate_args(3)


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda: D.Bernoulli(0.3, 0.2), ValueError, "exactly one of probs or logits"),
        (lambda: D.Bernoulli(), ValueError, "exactly one"),
        (lambda: D.Normal([1.0], 1.0), ValueError, "number or a tensor"),
        (lambda: D.Normal(aino.zeros(2), aino.ones(3)), RuntimeError, "shape"),
        (lambda: D.Categorical(aino.tensor(1.0)), ValueError, "one dimension"),
        (lambda: D.Categorical(aino.tensor([-1.0, 2.0])), ValueError, "Simplex"),
        (lambda: D.Dirichlet(aino.tensor(1.0)), ValueError, "one dimension"),
        (lambda: D.Dirichlet(aino.tensor([1.0, 0.0])), ValueError, "GreaterThan"),
        (lambda: D.Geometric(0.0), ValueError, "positive"),
        (lambda: D.Uniform(1.0, 0.0), ValueError, "LessThan"),
        (lambda: D.Multinomial(aino.tensor(3), aino.ones(2)), NotImplementedError, "one number"),
        (lambda: D.Independent(D.Normal(0.0, 1.0), 1), ValueError, "reinterpreted_batch_ndims"),
        (lambda: D.MultivariateNormal(aino.zeros(2)), ValueError, "exactly one"),
        (lambda: D.MultivariateNormal(aino.tensor(0.0), aino.eye(2)), ValueError, "loc"),
        (lambda: D.MultivariateNormal(aino.zeros(2), aino.ones(2)), ValueError, "two dimensions"),
        (lambda: D.MultivariateNormal(aino.zeros(2), -aino.eye(2)), ValueError, "PositiveDef"),
        (lambda: D.LowRankMultivariateNormal(aino.zeros(2), aino.ones(3, 1), aino.ones(2)),
         ValueError, "rows"),
        (lambda: D.Wishart(1.0, aino.eye(3)), ValueError, "more than 2"),
        (lambda: D.LKJCholesky(1), ValueError, "2 or more"),
        (lambda: D.Binomial(aino.tensor([3, 4]), aino.tensor(0.5)).enumerate_support(),
         NotImplementedError, "differ"),
        (lambda: D.Normal(aino.tensor(1), aino.tensor(1)).sample(), RuntimeError, "int64"),
        (lambda: D.Gamma(aino.tensor(1), aino.tensor(1)).sample(), RuntimeError, "int64"),
        (lambda: D.Uniform(aino.tensor(0), aino.tensor(1)).sample(), RuntimeError, "int64"),
        (lambda: D.Poisson(1.0).rsample(), NotImplementedError, "Poisson has no rsample"),
        (lambda: D.Normal(0.0, 1.0).sample(3), TypeError, "tuple"),
        (lambda: D.Normal(0.0, 1.0).expand(3), TypeError, "tuple"),
    ],
)  # fmt: skip
def test_errors(use, error, words):
    with pytest.raises(error, match=words):
        use()


def test_a_distribution_of_the_users():
    class Coin(D.Distribution):
        arg_constraints = {"p": C.unit_interval}  # noqa: RUF012
        support = C.boolean

        def __init__(self, p):
            self.p = p
            super().__init__(p.shape)

        def log_prob(self, value):
            self._validate_sample(value)
            return aino.where(value == 1, self.p, 1 - self.p).log()

    coin = Coin(aino.tensor([0.3, 0.5]))
    assert repr(coin) == "Coin(p: aino.Size([2]))"
    assert coin.log_prob(aino.tensor([1.0, 0.0])).exp().tolist() == pytest.approx([0.3, 0.5])
    with pytest.raises(NotImplementedError, match="expand"):
        coin.expand((3, 2))
    with pytest.raises(ValueError, match="Boolean"):
        coin.log_prob(aino.tensor([2.0, 0.0]))
    for name in ("mean", "mode", "variance", "stddev"):
        with pytest.raises(NotImplementedError, match="Coin has no"):
            getattr(coin, name)
    with pytest.warns(UserWarning, match="arg_constraints"):
        D.Distribution()


def test_a_subclass_with_an_expand_of_its_own():
    class Wide(D.Normal):
        def __init__(self, loc):
            super().__init__(loc, 10.0)

        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Wide, _instance)
            return super().expand(batch_shape, _instance=new)

    assert Wide(aino.zeros(1)).expand((3,)).scale.tolist() == [10.0] * 3


def test_older_names():
    with pytest.warns(FutureWarning, match="sample"):
        assert D.Normal(0.0, 1.0).sample_n(3).shape == (3,)


def test_lazy_properties_have_gradients_inside_no_grad():
    logits = aino.zeros(2, requires_grad=True)
    bernoulli = D.Bernoulli(logits=logits)
    with aino.no_grad():
        assert bernoulli.probs.requires_grad
    assert "probs" in vars(bernoulli)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        D.Beta(0.01, 0.01).sample((1000,)).sum()
        D.Dirichlet(aino.full((3,), 1e-4)).sample((1000,)).sum()
        D.Gamma(1e-3, 1.0).rsample((1000,)).sum()
