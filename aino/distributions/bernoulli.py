"""The Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.utils import broadcast_all
from aino.ops.creation.ranges import arange
from aino.ops.pointwise.choosing import where
from aino.ops.random.distributions import bernoulli

__all__ = ["Bernoulli"]


class Bernoulli(Binary, ExponentialFamily):
    """One trial: 1 with the probability ``probs``, else 0.

    Arguments:
        probs: the probability of a 1.
        logits: its log-odds, ``ln p - ln(1 - p)``, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Bernoulli(0.25).log_prob(aino.tensor([0.0, 1.0]))
    tensor([-0.2877, -1.3863])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.boolean
    has_enumerate_support = True
    _mean_carrier_measure = 0

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._keep(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        """What is likelier; nan where both are as likely."""
        likelier = (self.probs >= 0.5).type_as(self.probs)
        return where(self.probs == 0.5, math.nan, likelier)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return bernoulli(self.probs.detach().expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return self._log_likelihood(logits, value, 1)

    def entropy(self) -> Tensor:
        return self._log_total(self.logits) - self.probs * self.logits

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerated(arange(2, dtype=self._param.dtype), expand)

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return self._log_total(x)
