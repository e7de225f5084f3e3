"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.cauchy import Cauchy
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import AbsTransform
from aino.ops.pointwise.choosing import where

__all__ = ["HalfCauchy"]


class HalfCauchy(TransformedDistribution):
    """The distribution of |x| where x is Cauchy-distributed around 0.

    Arguments:
        scale: how far from 0 the density is half as high as there.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.HalfCauchy(1.0).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-0.4516, -1.1447])
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    base_dist: Cauchy

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        base = Cauchy(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """How far from 0 the density is half as high as there."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return self.scale.new_full(self.scale.shape, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale.new_zeros(self.scale.shape)

    @property
    def variance(self) -> Tensor:
        return self.base_dist.variance

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        folded = self.base_dist.log_prob(value) + math.log(2)
        return where(value >= 0, folded, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, prob: Tensor) -> Tensor:
        return self.base_dist.icdf((prob + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
