"""The Laplace distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import random_sign, standard_exponential
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.choosing import where

__all__ = ["Laplace"]


class Laplace(Distribution):
    """The Laplace distribution, of density ``exp(-|x - loc| / scale) / (2 scale)``.

    Arguments:
        loc: the mean.
        scale: how far from there the density falls to 1 / e of its peak.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Laplace(0.0, 1.0).log_prob(aino.tensor([0.0, 2.0]))
    tensor([-0.6931, -2.6931])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real
    has_rsample = True

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.sqrt(2) * self.scale

    @property
    def variance(self) -> Tensor:
        return 2 * self.scale.square()

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape, dtype = self._extended_shape(sample_shape), self.loc.dtype
        noise = random_sign(shape, dtype) * standard_exponential(shape, dtype)
        return self.loc + self.scale * noise

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return -(2 * self.scale).log() - (value - self.loc).abs() / self.scale

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        below = z < 0  # no |z|, whose slope in the middle would be lost
        return where(below, 0.5 * where(below, z, 0.0).exp(), 1 - 0.5 * where(below, 0.0, -z).exp())

    def icdf(self, value: Tensor) -> Tensor:
        below = value < 0.5
        left, right = where(below, value, 0.5), where(below, 0.5, 1 - value)
        return self.loc + self.scale * where(below, (2 * left).log(), -(2 * right).log())

    def entropy(self) -> Tensor:
        return 1 + (2 * self.scale).log()
