"""The Poisson distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.elementary import xlogy
from aino.ops.random.distributions import poisson

__all__ = ["Poisson"]


class Poisson(ExponentialFamily):
    """How often something happens that happens ``rate`` times on average: ``λᵏ e⁻λ / k!``.

    Arguments:
        rate: the mean.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Poisson(1.0).log_prob(aino.tensor([0.0, 2.0]))
    tensor([-1.0000, -1.6931])
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return poisson(self.rate.detach().expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return xlogy(value, rate) - rate - (value + 1).lgamma()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.rate.log(),)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.exp()
