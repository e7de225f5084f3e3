"""The logistic-normal distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.normal import Normal
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import StickBreakingTransform

__all__ = ["LogisticNormal"]


class LogisticNormal(TransformedDistribution):
    """Points of a simplex that normal numbers lead to, by ``StickBreakingTransform``.

    Arguments:
        loc: the means, over the last dimension, one fewer than the point has coordinates.
        scale: the standard deviations.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.LogisticNormal(aino.zeros(2), aino.ones(2)).event_shape
    aino.Size([3])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        base = Normal(loc, scale, validate_args=validate_args)
        if not base.batch_shape:
            base = base.expand((1,))
        super().__init__(base, StickBreakingTransform(), validate_args=validate_args)

    @property
    def loc(self) -> Tensor:
        """The means."""
        return self.base_dist.base_dist.loc  # type: ignore[attr-defined]

    @property
    def scale(self) -> Tensor:
        """The standard deviations."""
        return self.base_dist.base_dist.scale  # type: ignore[attr-defined]
