"""The Weibull distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.exponential import Exponential
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import AffineTransform, PowerTransform
from aino.distributions.utils import broadcast_all, euler_constant
from aino.ops.pointwise.elementary import xlogy

__all__ = ["Weibull"]


class Weibull(TransformedDistribution):
    """The Weibull distribution: ``1 - F(x) = exp(-(x / scale)ᵏ)`` over x > 0.

    Arguments:
        scale: the scale.
        concentration: the exponent k: whether what has lasted long lasts longer (k < 1) or not.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Weibull(1.0, 2.0).log_prob(aino.tensor([1.0]))
    tensor([-0.3069])
    """

    arg_constraints = {"scale": constraints.positive, "concentration": constraints.positive}
    support = constraints.positive

    def __init__(self, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.scale, self.concentration = broadcast_all(scale, concentration)
        self.concentration_reciprocal = self.concentration.reciprocal()
        base = Exponential(self.scale.new_ones(self.scale.shape), validate_args=validate_args)
        steps = [PowerTransform(self.concentration_reciprocal), AffineTransform(0, self.scale)]
        super().__init__(base, steps, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Any) -> None:
        super()._expand_rest(new, batch)
        new.concentration_reciprocal = self.concentration_reciprocal.expand(batch)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        k, z = self.concentration, value / self.scale
        return (k / self.scale).log() + xlogy(k - 1, z) - z.pow(k)

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """The mode, which is 0 up to the concentration 1."""
        share = (1 - self.concentration_reciprocal).clamp(min=0)
        return self.scale * share.pow(self.concentration_reciprocal)

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self._moment(1).square()

    def _moment(self, order: int) -> Tensor:
        return self.scale.pow(order) * (1 + order * self.concentration_reciprocal).lgamma().exp()

    def entropy(self) -> Tensor:
        inverse = self.concentration_reciprocal
        return euler_constant * (1 - inverse) + (self.scale * inverse).log() + 1
