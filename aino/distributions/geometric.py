"""The geometric distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.distribution import Distribution, demand
from aino.distributions.sampling import standard_exponential
from aino.distributions.utils import broadcast_all

__all__ = ["Geometric"]


class Geometric(Binary, Distribution):
    """How many trials fail before the first that succeeds: ``P(k) = (1 - p)ᵏ p``.

    Arguments:
        probs: the probability that a trial succeeds, more than 0.
        logits: its log-odds, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Geometric(0.5).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-0.6931, -1.3863])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.nonnegative_integer

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._keep(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)
        if self._validate_args and probs is not None:
            demand(self.probs > 0, self.probs, lambda _: "Geometric: probs must be positive, got:")

    @property
    def mean(self) -> Tensor:
        return 1 / self.probs - 1

    @property
    def mode(self) -> Tensor:
        return self.probs.new_zeros(self.probs.shape)

    @property
    def variance(self) -> Tensor:
        return (1 / self.probs - 1) / self.probs

    def sample(self, sample_shape: Any = ()) -> Tensor:
        probs = self.probs.detach()
        waits = standard_exponential(self._extended_shape(sample_shape), probs.dtype)
        return (waits / -(-probs).log1p()).floor()

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        value, probs = broadcast_all(value, self.probs)
        certain = (probs == 1) & (value == 0)
        failed = value * (-probs.masked_fill(certain, 0)).log1p()
        return failed + probs.log()

    def entropy(self) -> Tensor:
        return self._log_total(self.logits) / self.probs - self.logits
