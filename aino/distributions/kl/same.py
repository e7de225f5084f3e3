"""Divergences within one family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aino import tracing
from aino.autograd.tensor import Tensor
from aino.distributions.bernoulli import Bernoulli
from aino.distributions.beta import Beta
from aino.distributions.binomial import Binomial
from aino.distributions.categorical import Categorical
from aino.distributions.cauchy import Cauchy
from aino.distributions.continuous_bernoulli import ContinuousBernoulli
from aino.distributions.dirichlet import Dirichlet
from aino.distributions.exp_family import ExponentialFamily, normalizer_gradients
from aino.distributions.exponential import Exponential
from aino.distributions.gamma import Gamma
from aino.distributions.geometric import Geometric
from aino.distributions.gumbel import Gumbel
from aino.distributions.half_normal import HalfNormal
from aino.distributions.independent import Independent
from aino.distributions.kl.registry import kl_divergence, register_kl
from aino.distributions.laplace import Laplace
from aino.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from aino.distributions.multivariate_normal import (
    MultivariateNormal,
    inverse_of_lower,
    log_diagonal,
    times,
)
from aino.distributions.normal import Normal
from aino.distributions.one_hot_categorical import OneHotCategorical
from aino.distributions.pareto import Pareto
from aino.distributions.poisson import Poisson
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.uniform import Uniform
from aino.distributions.utils import euler_constant, sum_rightmost
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.elementary import logaddexp, xlogy


def _softplus(x: Tensor) -> Tensor:
    return logaddexp(x, x.new_zeros(()))


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Any, q: Any) -> Tensor:
    """p times what its logarithm differs by, and 1 - p times the same of 1 - p."""
    hit = xlogy(p.probs, p.probs) - xlogy(p.probs, q.probs)
    missed, other = 1 - p.probs, 1 - q.probs
    return hit + xlogy(missed, missed) - xlogy(missed, other)


@register_kl(Beta, Beta)
def _beta(p: Any, q: Any) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial(p: Any, q: Any) -> Tensor:
    """Of as many trials each; infinite where p has more of them."""
    tracing.checked(_check_trials, p.total_count.array, q.total_count.array)
    trial = p.probs * (p.logits - q.logits) + _softplus(q.logits) - _softplus(p.logits)
    return where(p.total_count > q.total_count, math.inf, p.total_count * trial)


def _check_trials(own: Any, other: Any) -> None:
    if not np.all(own >= other):
        raise NotImplementedError(
            "the divergence of binomial distributions is not known where q has more trials than p"
        )


@register_kl(Categorical, Categorical)
def _categorical(p: Any, q: Any) -> Tensor:
    terms = p.probs * (p.logits - q.logits)
    terms = where((q.probs == 0).expand(terms.shape), math.inf, terms)
    return where((p.probs == 0).expand(terms.shape), 0.0, terms).sum(-1)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Any, q: Any) -> Tensor:
    """Source: Chyzak and Nielsen, "A closed-form formula for the KL between Cauchy's" (2019)."""
    together = (p.scale + q.scale).square() + (p.loc - q.loc).square()
    return together.log() - (4 * p.scale * q.scale).log()


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _continuous_bernoulli(p: Any, q: Any) -> Tensor:
    return p.mean * (p.logits - q.logits) - p._log_mass() + q._log_mass()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    mean_logs = a.digamma() - a.sum(-1, keepdim=True).digamma()
    return q._log_beta() - p._log_beta() + ((a - b) * mean_logs).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Any, q: Any) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: Any, q: Any) -> Tensor:
    """The divergence of Bregman of the normalizer: ``A(θq) - A(θp) - (θq - θp) · ∇A(θp)``."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"no divergence is registered for {type(p).__name__} and {type(q).__name__}"
        )
    params, normalizer, gradients = normalizer_gradients(p)
    others = q._natural_params
    result = q._log_normalizer(*others) - normalizer
    for own, other, gradient in zip(params, others, gradients):
        term = (other - own) * gradient
        result = result - sum_rightmost(term, term.dim() - len(q.batch_shape))
    return result


@register_kl(Gamma, Gamma)
def _gamma(p: Any, q: Any) -> Tensor:
    a, b = p.concentration, q.concentration
    ratio = q.rate / p.rate
    return b.lgamma() - a.lgamma() + (a - b) * a.digamma() - b * ratio.log() + a * (ratio - 1)


@register_kl(Gumbel, Gumbel)
def _gumbel(p: Any, q: Any) -> Tensor:
    ratio, away = p.scale / q.scale, (p.loc - q.loc) / q.scale
    moved = ((1 + ratio).lgamma() - away).exp()
    return moved - ratio.log() + ratio * euler_constant + away - (1 + euler_constant)


@register_kl(Geometric, Geometric)
def _geometric(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (-q.probs).log1p() / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _half_normal(p: Any, q: Any) -> Tensor:
    return _normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _laplace(p: Any, q: Any) -> Tensor:
    ratio = p.scale / q.scale
    away = (p.loc - q.loc).abs()
    return -ratio.log() + away / q.scale + ratio * (-away / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _normal(p: Any, q: Any) -> Tensor:
    ratio = (p.scale / q.scale).square()
    away = ((p.loc - q.loc) / q.scale).square()
    return 0.5 * (ratio + away - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot(p: Any, q: Any) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _pareto(p: Any, q: Any) -> Tensor:
    """Infinite where p draws what is below q's smallest."""
    scales, exponents = p.scale / q.scale, q.alpha / p.alpha
    result = q.alpha * scales.log() - exponents.log() + exponents - 1
    return where(p.scale < q.scale, math.inf, result)


@register_kl(Poisson, Poisson)
def _poisson(p: Any, q: Any) -> Tensor:
    return xlogy(p.rate, p.rate) - xlogy(p.rate, q.rate) - (p.rate - q.rate)


@register_kl(Uniform, Uniform)
def _uniform(p: Any, q: Any) -> Tensor:
    """Infinite where p reaches beyond q."""
    result = ((q.high - q.low) / (p.high - p.low)).log()
    return where((q.low > p.low) | (q.high < p.high), math.inf, result)


# Of vectors, and of distributions made of others


def _of_vectors(p: Any, q: Any, trace: Tensor, distance: Tensor, half_log_dets: Tensor) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            f"the two distributions are of vectors of different sizes: {p.event_shape} and "
            f"{q.event_shape}"
        )
    return half_log_dets + 0.5 * (trace + distance - p.event_shape[0])


def _half_log_det(distribution: Any) -> Tensor:
    if isinstance(distribution, LowRankMultivariateNormal):
        return distribution._half_log_det()
    return log_diagonal(distribution._unbroadcasted_scale_tril)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
def _to_multivariate_normal(p: Any, q: Any) -> Tensor:
    inverse = inverse_of_lower(q._unbroadcasted_scale_tril)
    if isinstance(p, LowRankMultivariateNormal):
        of_factor = (inverse @ p._unbroadcasted_cov_factor).square().sum((-2, -1))
        diagonal = p._unbroadcasted_cov_diag.unsqueeze(-2)
        trace = of_factor + (inverse.square() * diagonal).sum((-2, -1))
    else:
        trace = (inverse @ p._unbroadcasted_scale_tril).square().sum((-2, -1))
    distance = times(inverse, q.loc - p.loc).square().sum(-1)
    return _of_vectors(p, q, trace, distance, _half_log_det(q) - _half_log_det(p))


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _to_low_rank(p: Any, q: Any) -> Tensor:
    distance = q._distance(q.loc - p.loc)
    if isinstance(p, LowRankMultivariateNormal):
        parts = [p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag.sqrt().diag_embed()]
    else:
        parts = [p._unbroadcasted_scale_tril]
    # The trace of Σq⁻¹ A Aᵀ: what the columns of A are worth as distances.
    trace: Any = 0.0
    w, d = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag.unsqueeze(-1)
    turned = inverse_of_lower(q._capacitance_tril) @ (w / d).mT
    for part in parts:
        trace = trace + (part.square() / d).sum((-2, -1)) - (turned @ part).square().sum((-2, -1))
    return _of_vectors(p, q, trace, distance, _half_log_det(q) - _half_log_det(p))


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: Any, q: Any) -> Tensor:
    """Of two that the same transforms lead to: that of what they were made of."""
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError(
            "no divergence is known of distributions of different transforms or events"
        )
    base = kl_divergence(p.base_dist, q.base_dist)
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(base, extra) if extra > 0 else base


@register_kl(Independent, Independent)
def _independent(p: Any, q: Any) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "no divergence is known of independent distributions over different dimensions"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)
