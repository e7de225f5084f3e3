"""The Kumaraswamy distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import AffineTransform, PowerTransform
from aino.distributions.uniform import Uniform
from aino.distributions.utils import broadcast_all, euler_constant
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.elementary import xlogy
from aino.type_info import finfo

__all__ = ["Kumaraswamy"]


class Kumaraswamy(TransformedDistribution):
    """The Kumaraswamy distribution over [0, 1]: ``1 - F(x) = (1 - xᵃ)ᵇ``.

    Arguments:
        concentration1: the exponent a, of x.
        concentration0: the exponent b, of 1 - xᵃ.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Kumaraswamy(2.0, 1.0).log_prob(aino.tensor([0.5]))
    tensor([0.])
    """

    arg_constraints = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        self.concentration1, self.concentration0 = broadcast_all(concentration1, concentration0)
        limits = finfo(self.concentration0.dtype)
        low = self.concentration0.new_full(self.concentration0.shape, limits.tiny)
        steps = [
            PowerTransform(self.concentration0.reciprocal()),
            AffineTransform(1, -1),
            PowerTransform(self.concentration1.reciprocal()),
        ]
        base = Uniform(low, 1 - limits.eps, validate_args=False)
        super().__init__(base, steps, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        rest = (-(a * value.log()).expm1()).log()  # of 1 - xᵃ, which keeps its digits near 1
        return (a * b).log() + xlogy(a - 1, value) + (b - 1) * rest

    @property
    def mean(self) -> Tensor:
        return self._moment(1)

    @property
    def mode(self) -> Tensor:
        """The mode; nan unless both exponents are 1 or more and one is more."""
        a, b = self.concentration1, self.concentration0
        inside = (a >= 1) & (b >= 1) & (a * b != 1)
        share = where(inside, (a - 1) / (a * b - 1), float("nan"))
        return share.pow(a.reciprocal())

    @property
    def variance(self) -> Tensor:
        return self._moment(2) - self._moment(1).square()

    def _moment(self, order: int) -> Tensor:
        b = self.concentration0
        s = 1 + order / self.concentration1
        return (b.log() + s.lgamma() + b.lgamma() - (s + b).lgamma()).exp()

    def entropy(self) -> Tensor:
        a, b = self.concentration1, self.concentration0
        harmonic = (b + 1).digamma() + euler_constant
        return (1 - b.reciprocal()) + (1 - a.reciprocal()) * harmonic - a.log() - b.log()
