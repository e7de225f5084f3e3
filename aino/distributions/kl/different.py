"""Divergences between families: what p expects of the terms that q's density is made of.

``KL(p ‖ q) = -H(p) - E[ln q(x)]``, and ln q is a sum of few things: x, x², ln x, ln(1 - x), e⁻ᵗˣ.
Each p says what it expects of them, and each q what it makes of that. Where p draws what q can't,
the divergence is infinite.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions.bernoulli import Bernoulli
from aino.distributions.beta import Beta
from aino.distributions.binomial import Binomial
from aino.distributions.continuous_bernoulli import ContinuousBernoulli
from aino.distributions.exponential import Exponential
from aino.distributions.gamma import Gamma
from aino.distributions.gumbel import Gumbel
from aino.distributions.kl.registry import register_kl
from aino.distributions.laplace import Laplace
from aino.distributions.normal import Normal
from aino.distributions.pareto import Pareto
from aino.distributions.poisson import Poisson
from aino.distributions.uniform import Uniform
from aino.distributions.utils import euler_constant
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.elementary import xlogy

# What is expected of ln x, of ln(1 - x), of e⁻ᵗˣ


def _log_of_uniform(p: Any) -> Tensor:
    whole = xlogy(p.high, p.high) - xlogy(p.low, p.low)
    return whole / (p.high - p.low) - 1


def _log1p_of_uniform(p: Any) -> Tensor:
    low, high = 1 - p.high, 1 - p.low
    return (xlogy(high, high) - xlogy(low, low)) / (high - low) - 1


def _digamma_of_all(p: Any) -> Tensor:
    return (p.concentration1 + p.concentration0).digamma()


LOG: dict[type, Callable[[Any], Tensor]] = {
    Beta: lambda p: p.concentration1.digamma() - _digamma_of_all(p),
    Exponential: lambda p: -p.rate.log() - euler_constant,
    Gamma: lambda p: p.concentration.digamma() - p.rate.log(),
    Pareto: lambda p: p.scale.log() + p.alpha.reciprocal(),
    Uniform: _log_of_uniform,
}
LOG_OF_REST: dict[type, Callable[[Any], Tensor]] = {
    Beta: lambda p: p.concentration0.digamma() - _digamma_of_all(p),
    Uniform: _log1p_of_uniform,
}
DECAY: dict[type, Callable[[Any, Tensor], Tensor]] = {
    Exponential: lambda p, t: p.rate / (p.rate + t),
    Gamma: lambda p, t: (-p.concentration * (t / p.rate).log1p()).exp(),
    Normal: lambda p, t: (0.5 * (p.scale * t).square() - p.loc * t).exp(),
    Uniform: lambda p, t: ((-p.low * t).exp() - (-p.high * t).exp()) / (t * (p.high - p.low)),
}


def _expected(table: dict[type, Any], p: Any) -> Any:
    return next(table[kind] for kind in type(p).__mro__ if kind in table)


def _distance(p: Any, place: Tensor) -> Tensor:
    """Return the mean of ``|x - place|`` over a normal x."""
    away = (p.loc - place) / p.scale
    near = math.sqrt(2 / math.pi) * (-0.5 * away.square()).exp()
    return p.scale * (near + away * (away * math.sqrt(0.5)).erf())


# What is expected of ln q(x)


def _of_beta(p: Any, q: Any) -> Tensor:
    one, other = _expected(LOG, p)(p), _expected(LOG_OF_REST, p)(p)
    shape = (q.concentration1 - 1) * one + (q.concentration0 - 1) * other
    return shape - q._dirichlet._log_beta()


def _of_gamma(p: Any, q: Any) -> Tensor:
    a = q.concentration
    return a * q.rate.log() - a.lgamma() + (a - 1) * _expected(LOG, p)(p) - q.rate * p.mean


def _of_gumbel(p: Any, q: Any) -> Tensor:
    t = q.scale.reciprocal()
    moved = (q.loc * t).exp() * _expected(DECAY, p)(p, t)
    return (q.loc - p.mean) * t - moved - q.scale.log()


def _of_normal(p: Any, q: Any) -> Tensor:
    square = p.variance + (p.mean - q.loc).square()
    return -0.5 * square / q.scale.square() - q.scale.log() - 0.5 * math.log(2 * math.pi)


def _of_pareto(p: Any, q: Any) -> Tensor:
    return q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _expected(LOG, p)(p)


CROSS: dict[type, Callable[[Any, Any], Tensor]] = {
    Beta: _of_beta,
    ContinuousBernoulli: lambda p, q: q.logits * p.mean - q._log_mass(),
    Exponential: lambda p, q: q.rate.log() - q.rate * p.mean,
    Gamma: _of_gamma,
    Gumbel: _of_gumbel,
    Laplace: lambda p, q: -(2 * q.scale).log() - _distance(p, q.loc) / q.scale,
    Normal: _of_normal,
    Pareto: _of_pareto,
    Uniform: lambda p, q: -(q.high - q.low).log() + 0 * p.mean,
}

# Which pairs there are: what p reaches beyond q is asked of those whose bounds are parameters

FINITE = {
    Beta: (ContinuousBernoulli, Exponential, Gamma, Normal, Uniform),
    ContinuousBernoulli: (Exponential, Normal, Uniform),
    Exponential: (Gamma, Gumbel, Normal),
    Gamma: (Exponential, Gumbel, Normal),
    Gumbel: (Normal,),
    Laplace: (Normal,),
    Normal: (Gumbel, Laplace),
    Pareto: (Exponential, Gamma, Normal),
    Uniform: (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Normal, Pareto),
}
_UNIT, _ABOVE = (Beta, ContinuousBernoulli), (Exponential, Gamma)
INFINITE: dict[type, tuple[type, ...]] = {
    Beta: (Pareto,),
    ContinuousBernoulli: (Pareto,),
    Exponential: (*_UNIT, Pareto, Uniform),
    Gamma: (*_UNIT, Pareto, Uniform),
    Gumbel: (*_UNIT, *_ABOVE, Pareto, Uniform),
    Laplace: (*_UNIT, *_ABOVE, Pareto, Uniform),
    Normal: (*_UNIT, *_ABOVE, Pareto, Uniform),
    Pareto: (*_UNIT, Uniform),
    Poisson: (Bernoulli, Binomial),
}


def _beyond(p: Any, q: Any) -> Any:
    """Tell where p draws what is impossible for q."""
    if isinstance(p, Uniform):
        low, high = p.low, p.high
        if isinstance(q, (Beta, ContinuousBernoulli)):
            return (low < 0) | (high > 1)
        if isinstance(q, (Exponential, Gamma)):
            return low < 0
        if isinstance(q, Pareto):
            return low < q.scale
    if isinstance(q, Uniform):  # p is of numbers from 0 to 1
        return (q.low > 0) | (q.high < 1)
    return None


def _finite(p: Any, q: Any) -> Tensor:
    result = -p.entropy() - CROSS[_kind(CROSS, q)](p, q)
    beyond = _beyond(p, q)
    return result if beyond is None else where(beyond, math.inf, result)


def _kind(table: dict[type, Any], distribution: Any) -> type:
    return next(kind for kind in type(distribution).__mro__ if kind in table)


def _infinite(p: Any, q: Any) -> Tensor:
    return p.mean.new_full(p.batch_shape, math.inf).broadcast_to((p.mean + q.mean).shape)


for _function, _pairs in ((_finite, FINITE), (_infinite, INFINITE)):
    for _p, _others in _pairs.items():
        for _q in _others:
            register_kl(_p, _q)(_function)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Any, q: Any) -> Tensor:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)
