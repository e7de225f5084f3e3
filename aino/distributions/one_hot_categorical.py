"""The categorical distribution over one-hot vectors."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.categorical import Categorical
from aino.distributions.distribution import Distribution
from aino.ops.creation.filled import eye

__all__ = ["OneHotCategorical", "OneHotCategoricalStraightThrough"]


class OneHotCategorical(Distribution):
    """One of K categories, as a vector with a 1 at its place.

    Arguments:
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> one_hot = aino.distributions.OneHotCategorical(aino.tensor([0.0, 1.0]))
    >>> one_hot.sample()
    tensor([0., 1.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    support = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._categorical = Categorical(probs, logits, validate_args=validate_args)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._categorical = self._categorical.expand(batch)

    @property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1 over the last dimension."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self.probs.argmax(-1))

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._categorical.param_shape

    def _one_hot(self, category: Tensor) -> Tensor:
        units = eye(self._event_shape[0], dtype=self._categorical._param.dtype)
        return units[category]

    def sample(self, sample_shape: Any = ()) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self._event_shape[0]
        units = eye(n, dtype=self._categorical._param.dtype)
        units = units.reshape(n, *(1,) * len(self._batch_shape), n)
        return units.expand(n, *self._batch_shape, n) if expand else units


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """One-hot vectors whose gradient is that of the probabilities.

    Arguments:
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    Source: Bengio, Léonard and Courville, "Estimating or propagating gradients through
    stochastic neurons for conditional computation" (2013).

    >>> import aino
    >>> p = aino.tensor([0.0, 1.0], requires_grad=True)
    >>> one_hot = aino.distributions.OneHotCategoricalStraightThrough(p)
    >>> one_hot.rsample().detach()
    tensor([0., 1.])
    """

    has_rsample = True

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        probs = self.probs
        return self.sample(sample_shape) + (probs - probs.detach())
