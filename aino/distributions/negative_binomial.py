"""The negative binomial distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.distribution import Distribution
from aino.distributions.gamma import Gamma
from aino.ops.random.distributions import poisson

__all__ = ["NegativeBinomial"]


class NegativeBinomial(Binary, Distribution):
    """How many trials succeed before ``total_count`` of them have failed.

    ``P(k) = Γ(n + k) / Γ(n) / k! · (1 - p)ⁿ pᵏ``; n need not be whole.

    Arguments:
        total_count: after how many failures the trials stop.
        probs: the probability that a trial succeeds, less than 1.
        logits: its log-odds, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.NegativeBinomial(1, aino.tensor(0.5)).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-0.6931, -1.3863])
    """

    arg_constraints = {
        "total_count": constraints.greater_than_eq(0),
        "probs": constraints.half_open_interval(0.0, 1.0),
        "logits": constraints.real,
    }
    support = constraints.nonnegative_integer

    def __init__(
        self,
        total_count: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        (total_count,) = self._keep(probs, logits, total_count)
        self.total_count = total_count.type_as(self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.logits.exp()

    @property
    def mode(self) -> Tensor:
        return ((self.total_count - 1) * self.logits.exp()).floor().clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.mean / (-self.logits).sigmoid()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        rate = (-self.logits).exp().detach()
        rates = Gamma(self.total_count.detach(), rate, validate_args=False).sample(sample_shape)
        return poisson(rates)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n, logits = self.total_count, self.logits
        ways = (n + value).lgamma() - (value + 1).lgamma() - n.lgamma()
        ways = ways.masked_fill(n + value == 0, 0)  # no failure to wait for: it is over at once
        return ways + self._log_likelihood(logits, value, n + value)
