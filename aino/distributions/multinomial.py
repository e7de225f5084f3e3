"""The multinomial distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.binomial import Binomial
from aino.distributions.categorical import Categorical
from aino.distributions.distribution import Distribution
from aino.ops.creation.ranges import arange
from aino.ops.pointwise.elementary import xlogy

__all__ = ["Multinomial"]


class Multinomial(Distribution):
    """How often each of K categories comes up in some trials.

    Arguments:
        total_count: how many trials, one number for the whole batch.
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> multinomial = aino.distributions.Multinomial(2, aino.tensor([1.0, 1.0]))
    >>> multinomial.log_prob(aino.tensor([1.0, 1.0]))
    tensor(-0.6931)
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError(
                f"Multinomial: one number of trials for the whole batch, not {total_count!r}"
            )
        self.total_count = total_count
        self._categorical = Categorical(probs, logits, validate_args=validate_args)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new.total_count = self.total_count
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
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._categorical.param_shape

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape)).unsqueeze(-1)
        categories = arange(self._event_shape[0])
        return (drawn == categories).sum(0).type_as(self._categorical._param)

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the logarithm of the probability of counts, which may sum to any number."""
        if self._validate_args:
            self._validate_sample(value)
        ways = (value.sum(-1) + 1).lgamma() - (value + 1).lgamma().sum(-1)
        impossible = (value == 0) & (self.logits == -float("inf"))
        logits = self.logits.masked_fill(impossible, 0)
        return ways + (value * logits).sum(-1)

    def entropy(self) -> Tensor:
        n = self.total_count
        k = arange(1, n + 1, dtype=self.probs.dtype)
        k = k.reshape(n, *(1,) * (len(self._batch_shape) + 1))
        weights = Binomial(n, self.probs, validate_args=False).log_prob(k).exp()
        ways = (weights * (k + 1).lgamma()).sum((0, -1))
        of_one = -xlogy(self.probs, self.probs).sum(-1)
        return n * of_one - k.new_full((), n + 1).lgamma() + ways
