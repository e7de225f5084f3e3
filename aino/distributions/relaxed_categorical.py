"""Categories relaxed to points of a simplex."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.categorical import Categorical
from aino.distributions.distribution import Distribution
from aino.distributions.sampling import standard_exponential
from aino.distributions.transformed_distribution import TransformedDistribution
from aino.distributions.transforms import ExpTransform
from aino.distributions.utils import as_like, normalized_logits

__all__ = ["ExpRelaxedCategorical", "RelaxedOneHotCategorical"]


class ExpRelaxedCategorical(Distribution):
    """The logarithms of a relaxed one-hot vector: the log-softmax of Gumbel-distributed scores.

    Arguments:
        temperature: how far from a corner the vector is.
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> from aino.distributions.relaxed_categorical import ExpRelaxedCategorical
    >>> ExpRelaxedCategorical(1.0, aino.ones(3)).sample().exp().sum().round()
    tensor(1.)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        self._categorical = Categorical(probs, logits)
        self.temperature = temperature
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._categorical = self._categorical.expand(batch)
        new.temperature = self.temperature

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._categorical.param_shape

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1 over the last dimension."""
        return self._categorical.probs

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        gumbel = -standard_exponential(shape, self.logits.dtype).log()
        return normalized_logits((self.logits + gumbel) / self.temperature)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        count = self._event_shape[0]
        temperature = as_like(self.temperature, self.logits)
        score = normalized_logits(self.logits - value * temperature).sum(-1)
        return score + (math.lgamma(count) + (count - 1) * temperature.log())


class RelaxedOneHotCategorical(TransformedDistribution):
    """A one-hot vector relaxed to a point of the simplex, with a gradient.

    Arguments:
        temperature: how far from a corner it is.
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Jang, Gu and Poole, "Categorical reparameterization with Gumbel-softmax" (2017).

    >>> import aino
    >>> relaxed = aino.distributions.RelaxedOneHotCategorical(1.0, aino.ones(2))
    >>> relaxed.log_prob(aino.tensor([0.25, 0.75]))
    tensor(0.)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.simplex
    has_rsample = True
    base_dist: ExpRelaxedCategorical

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = ExpRelaxedCategorical(temperature, probs, logits, validate_args=validate_args)
        super().__init__(base, ExpTransform(), validate_args=validate_args)

    @property
    def temperature(self) -> Any:
        """How far from a corner it is."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1 over the last dimension."""
        return self.base_dist.probs
