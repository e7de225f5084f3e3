"""The Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_uniform
from aino.distributions.utils import broadcast_all

__all__ = ["Cauchy"]


class Cauchy(Distribution):
    """The Cauchy distribution, of density ``scale / π / ((x - loc)² + scale²)``.

    Its mean and variance do not exist: they are nan and inf.

    Arguments:
        loc: where the density is highest.
        scale: how far from there it is half as high.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Cauchy(0.0, 1.0).cdf(aino.tensor([0.0, 1.0]))
    tensor([0.5000, 0.7500])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc.new_full(self.loc.shape, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        return self.loc.new_full(self.loc.shape, math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        places = standard_uniform(self._extended_shape(sample_shape), self.loc.dtype)
        return self.loc + self.scale * (math.pi * (places - 0.5)).tan()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -math.log(math.pi) - self.scale.log() - z.square().log1p()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return ((value - self.loc) / self.scale).atan() / math.pi + 0.5

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc + self.scale * (math.pi * (value - 0.5)).tan()

    def entropy(self) -> Tensor:
        return math.log(4 * math.pi) + self.scale.log()
