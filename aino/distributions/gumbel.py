"""The Gumbel distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import AffineTransform, ExpTransform
from aino.distributions.uniform import Uniform
from aino.distributions.utils import broadcast_all, euler_constant
from aino.type_info import finfo

__all__ = ["Gumbel"]


class Gumbel(TransformedDistribution):
    """The Gumbel distribution, of the largest of many: ``F(x) = exp(-exp(-(x - loc) / scale))``.

    Arguments:
        loc: where the density is highest.
        scale: the scale.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Gumbel(0.0, 1.0).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-1.0000, -1.3679])
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive}
    support = constraints.real

    def __init__(self, loc: Any, scale: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale = broadcast_all(loc, scale)
        limits = finfo(self.loc.dtype)
        ends = self.loc.new_full(self.loc.shape, limits.tiny), 1 - limits.eps
        steps = [
            ExpTransform().inv,
            AffineTransform(0, -1),
            ExpTransform().inv,
            AffineTransform(self.loc, -self.scale),
        ]
        super().__init__(Uniform(*ends, validate_args=False), steps, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (self.loc - value) / self.scale
        return z - z.exp() - self.scale.log()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (-((self.loc - value) / self.scale).exp()).exp()

    def icdf(self, value: Tensor) -> Tensor:
        return self.loc - self.scale * (-value.log()).log()

    @property
    def mean(self) -> Tensor:
        return self.loc + self.scale * euler_constant

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def stddev(self) -> Tensor:
        return math.pi / math.sqrt(6) * self.scale

    @property
    def variance(self) -> Tensor:
        return self.stddev.square()

    def entropy(self) -> Tensor:
        return self.scale.log() + (1 + euler_constant)
