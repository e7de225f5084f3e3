"""The binomial distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.distribution import Distribution
from aino.ops.creation.ranges import arange
from aino.ops.random.distributions import binomial

__all__ = ["Binomial"]


class Binomial(Binary, Distribution):
    """How many of some trials succeed: ``P(k) = n! / k! / (n - k)! · pᵏ (1 - p)ⁿ⁻ᵏ``.

    Arguments:
        total_count: how many trials.
        probs: the probability that one succeeds.
        logits: its log-odds, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Binomial(2, aino.tensor(0.5)).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-1.3863, -0.6931])
    """

    arg_constraints = {
        "total_count": constraints.nonnegative_integer,
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    has_enumerate_support = True

    def __init__(
        self,
        total_count: Any = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        (total_count,) = self._keep(probs, logits, total_count)
        self.total_count = total_count.type_as(self._param)
        super().__init__(self._param.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.total_count * self.probs

    @property
    def mode(self) -> Tensor:
        return ((self.total_count + 1) * self.probs).floor().clamp(max=self.total_count)

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        counts, probs = self.total_count.detach(), self.probs.detach()
        return binomial(counts.expand(shape), probs.expand(shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self.total_count
        ways = (n + 1).lgamma() - (value + 1).lgamma() - (n - value + 1).lgamma()
        return ways + self._log_likelihood(self.logits, value, n)

    def entropy(self) -> Tensor:
        """Return the entropy, a sum over all that can happen; of one number of trials."""
        log_prob = self.log_prob(self.enumerate_support(expand=False))
        return -(log_prob.exp() * log_prob).sum(0)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        most = int(self.total_count.max())
        if not self.total_count.min() == most:
            raise NotImplementedError(
                "Binomial: where the numbers of trials differ, supports differ in length"
            )
        return self._enumerated(arange(most + 1, dtype=self._param.dtype), expand)
