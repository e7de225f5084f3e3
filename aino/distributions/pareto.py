"""The Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.exponential import Exponential
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import AffineTransform, ExpTransform
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.choosing import where

__all__ = ["Pareto"]


class Pareto(TransformedDistribution):
    """The Pareto distribution: ``1 - F(x) = (scale / x)ᵃ`` over x ≥ scale.

    Arguments:
        scale: the smallest value.
        alpha: the exponent a.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Pareto(1.0, 1.0).log_prob(aino.tensor([1.0, 2.0]))
    tensor([ 0.0000, -1.3863])
    """

    arg_constraints = {"alpha": constraints.positive, "scale": constraints.positive}

    def __init__(self, scale: Any, alpha: Any, validate_args: bool | None = None) -> None:
        self.scale, self.alpha = broadcast_all(scale, alpha)
        base = Exponential(self.alpha, validate_args=validate_args)
        steps = [ExpTransform(), AffineTransform(0, self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        return constraints.greater_than_eq(self.scale)

    @property
    def mean(self) -> Tensor:
        """The mean; infinite where the exponent is not above 1."""
        return where(self.alpha > 1, self.alpha * self.scale / (self.alpha - 1), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.scale

    @property
    def variance(self) -> Tensor:
        """The variance; infinite where the exponent is not above 2."""
        a = self.alpha
        variance = self.scale.square() * a / ((a - 1).square() * (a - 2))
        return where(a > 2, variance, math.inf)

    def entropy(self) -> Tensor:
        return (self.scale / self.alpha).log() + (1 + self.alpha.reciprocal())
