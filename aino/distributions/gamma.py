"""The gamma distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.sampling import standard_gamma
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.elementary import xlogy
from aino.ops.special.gamma import gammainc

__all__ = ["Gamma"]


class Gamma(ExponentialFamily):
    """The gamma distribution, of density ``rateᵃ xᵃ⁻¹ exp(-rate x) / Γ(a)`` over x ≥ 0.

    Arguments:
        concentration: the exponent a.
        rate: the inverse of the scale; the mean is a / rate.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Gamma(2.0, 1.0).log_prob(aino.tensor([1.0, 2.0]))
    tensor([-1.0000, -1.3069])
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.square()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return standard_gamma(self.concentration, shape) / self.rate

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, rate = self.concentration, self.rate
        return xlogy(a, rate) + xlogy(a - 1, value) - rate * value - a.lgamma()

    def cdf(self, value: Tensor) -> Tensor:
        """Return the probability of what is not above ``value``; by SciPy (the extra ``scipy``)."""
        if self._validate_args:
            self._validate_sample(value)
        return gammainc(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1 - a) * a.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return (x + 1).lgamma() - (x + 1) * (-y).log()
