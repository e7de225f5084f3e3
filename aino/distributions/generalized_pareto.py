"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_exponential
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.choosing import where

__all__ = ["GeneralizedPareto"]

_SMALL = 1e-3


def _quotient(function: Any, coefficients: list[float], q: Tensor) -> Tensor:
    """Return function(q) / q, near 0 by its power series."""
    near = q.abs() < _SMALL
    away = where(near, 1.0, q)
    series = q * 0 + coefficients[-1]
    for coefficient in coefficients[-2::-1]:
        series = series * q + coefficient
    return where(near, series, function(away) / away)


class GeneralizedPareto(Distribution):
    """What lies beyond a threshold: ``1 - F(x) = (1 + c z)^(-1/c)``, z = (x - loc) / scale ≥ 0.

    Arguments:
        loc: the threshold.
        scale: the scale.
        concentration: the exponent c: heavy tails above 0, exponential ones at 0, an end below.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.GeneralizedPareto(0.0, 1.0, 1.0).cdf(aino.tensor([0.0, 1.0]))
    tensor([0.0000, 0.5000])
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        c = self.concentration
        end = where(c < 0, self.loc - self.scale / c, math.inf)
        return constraints.interval(self.loc, end)

    def _hazard(self, value: Tensor) -> Tensor:
        """Return -ln(1 - F), which is ln(1 + c z) / c: z where c is 0."""
        z = (value - self.loc) / self.scale
        series = [1.0, -1 / 2, 1 / 3, -1 / 4, 1 / 5, -1 / 6]
        return z * _quotient(lambda q: q.log1p(), series, self.concentration * z)

    def _place(self, hazard: Tensor) -> Tensor:
        """Return x, given -ln(1 - F(x))."""
        series = [1.0, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720]
        z = hazard * _quotient(lambda q: q.expm1(), series, self.concentration * hazard)
        return self.loc + self.scale * z

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self._place(standard_exponential(shape, self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(1 + self.concentration) * self._hazard(value) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """Return ``ln(1 - F(value))``, the logarithm of the probability of what is above."""
        if self._validate_args:
            self._validate_sample(value)
        return -self._hazard(value)

    def log_cdf(self, value: Tensor) -> Tensor:
        """Return ``ln F(value)``, the logarithm of the probability of what is not above."""
        return self.cdf(value).log()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(-self._hazard(value)).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        return self._place(-(-value).log1p())

    @property
    def mean(self) -> Tensor:
        """The mean; infinite from the concentration 1 on."""
        c = self.concentration
        return where(c < 1, self.loc + self.scale / (1 - c), math.inf)

    @property
    def variance(self) -> Tensor:
        """The variance; infinite from the concentration 0.5 on."""
        c = self.concentration
        variance = self.scale.square() / ((1 - c).square() * (1 - 2 * c))
        return where(c < 0.5, variance, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1
