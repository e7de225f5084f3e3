"""Student's t-distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import log_gamma, standard_normal
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.choosing import where

__all__ = ["StudentT"]


class StudentT(Distribution):
    """Student's t-distribution: of ``loc + scale · z / √(v / df)``, z normal and v chi-squared.

    Arguments:
        df: the degrees of freedom of v.
        loc: the middle.
        scale: the scale.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.StudentT(1.0).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-1.1447, -1.8379])
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        super().__init__(self.df.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The middle; nan up to one degree of freedom."""
        return where(self.df > 1, self.loc, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The variance: infinite up to two degrees of freedom, nan up to one."""
        df = self.df
        finite = self.scale.square() * df / (df - 2)
        return where(df > 2, finite, where(df > 1, math.inf, df.new_full((), math.nan)))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        # ln √(v / df), of a v that would be rounded to 0 where df is small.
        shape = self._extended_shape(sample_shape)
        half = 0.5 * self.df
        spread = 0.5 * (log_gamma(half, shape) - half.log())
        noise = standard_normal(shape, self.df.dtype) * (-spread).exp()
        return self.loc + self.scale * noise

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        return -0.5 * (self.df + 1) * (z.square() / self.df).log1p() - self._log_total()

    def _log_total(self) -> Tensor:
        """Return the logarithm of what the density is divided by."""
        half = 0.5 * self.df
        gammas = half.lgamma() - (half + 0.5).lgamma()
        return self.scale.log() + 0.5 * self.df.log() + 0.5 * math.log(math.pi) + gammas

    def entropy(self) -> Tensor:
        half = 0.5 * (self.df + 1)
        return half * (half.digamma() - (0.5 * self.df).digamma()) + self._log_total()
