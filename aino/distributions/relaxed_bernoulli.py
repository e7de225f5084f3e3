"""Bernoulli trials relaxed to numbers between 0 and 1."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.binary import Binary
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_uniform
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import SigmoidTransform
from aino.distributions.utils import as_like, clamp_probs

__all__ = ["LogitRelaxedBernoulli", "RelaxedBernoulli"]


class LogitRelaxedBernoulli(Binary, Distribution):
    """The log-odds of a relaxed trial: ``(logits + l) / temperature``, l of a logistic density.

    Arguments:
        temperature: how far the trial is from 0 and 1.
        probs: the probability that it is above 1/2.
        logits: its log-odds, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> from aino.distributions.relaxed_bernoulli import LogitRelaxedBernoulli
    >>> LogitRelaxedBernoulli(1.0, aino.tensor(0.5)).log_prob(aino.tensor(0.0))
    tensor(-1.3863)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.real
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self.temperature = temperature
        self._keep(probs, logits)
        super().__init__(self._param.shape, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new.temperature = self.temperature

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        logits = self.logits
        places = standard_uniform(self._extended_shape(sample_shape), logits.dtype)
        places = clamp_probs(places)
        return (places.log() - (-places).log1p() + logits) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        temperature = as_like(self.temperature, self.logits)
        difference = self.logits - value * temperature
        return temperature.log() + difference - 2 * self._log_total(difference)


class RelaxedBernoulli(TransformedDistribution):
    """A Bernoulli trial relaxed to a number between 0 and 1, with a gradient.

    Arguments:
        temperature: how far from 0 and 1 it is.
        probs: the probability that it is above 1/2.
        logits: its log-odds, in place of it.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Maddison, Mnih and Teh, "The concrete distribution" (2017).

    >>> import aino
    >>> relaxed = aino.distributions.RelaxedBernoulli(1.0, aino.tensor([0.5]))
    >>> relaxed.log_prob(aino.tensor([0.25]))
    tensor([0.])
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True
    base_dist: LogitRelaxedBernoulli

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = LogitRelaxedBernoulli(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, SigmoidTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How far from 0 and 1 it is."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The log-odds of being above 1/2."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability of being above 1/2."""
        return self.base_dist.probs
