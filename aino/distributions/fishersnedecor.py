"""Fisher and Snedecor's F-distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import log_gamma
from aino.distributions.utils import broadcast_all
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.elementary import xlogy
from aino.type_info import finfo

__all__ = ["FisherSnedecor"]


class FisherSnedecor(Distribution):
    """Fisher and Snedecor's F: of ``(u / df1) / (v / df2)``, u and v chi-squared.

    Arguments:
        df1: the degrees of freedom of u.
        df2: the degrees of freedom of v.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.FisherSnedecor(2.0, 2.0).log_prob(aino.tensor([1.0, 2.0]))
    tensor([-1.3863, -2.1972])
    """

    arg_constraints = {"df1": constraints.positive, "df2": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, df1: Any, df2: Any, validate_args: bool | None = None) -> None:
        self.df1, self.df2 = broadcast_all(df1, df2)
        super().__init__(self.df1.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        """The mean; nan where df2 is not above 2."""
        return where(self.df2 > 2, self.df2 / (self.df2 - 2), math.nan)

    @property
    def mode(self) -> Tensor:
        """The mode; nan where df1 is not above 2."""
        mode = (self.df1 - 2) / self.df1 * self.df2 / (self.df2 + 2)
        return where(self.df1 > 2, mode, math.nan)

    @property
    def variance(self) -> Tensor:
        """The variance; nan where df2 is not above 4."""
        m, n = self.df1, self.df2
        variance = 2 * n.square() * (m + n - 2) / (m * (n - 2).square() * (n - 4))
        return where(n > 4, variance, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        m, n = 0.5 * self.df1, 0.5 * self.df2
        ratio = (log_gamma(m, shape) - m.log()) - (log_gamma(n, shape) - n.log())
        return ratio.exp().clamp(finfo(m.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        m, n = 0.5 * self.df1, 0.5 * self.df2
        ratio = self.df1 / self.df2
        beta = m.lgamma() + n.lgamma() - (m + n).lgamma()
        shape = m * ratio.log() + xlogy(m - 1, value) - (m + n) * (ratio * value).log1p()
        return shape - beta
