"""The categorical distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.utils import (
    either,
    lazy_property,
    logits_to_probs,
    normalized_logits,
    probs_to_logits,
)
from aino.errors import ShapeError
from aino.ops.creation.ranges import arange
from aino.ops.random.distributions import multinomial
from aino.ops.shape.broadcasting import broadcast_tensors
from aino.type_info import finfo

__all__ = ["Categorical"]


class Categorical(Distribution):
    """One of the categories 0, ..., K - 1, each with a probability of its own.

    Arguments:
        probs: the probabilities, over the last dimension; they are divided by their sum.
        logits: logarithms of the probabilities up to a constant, in place of them.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> categorical = aino.distributions.Categorical(aino.tensor([1.0, 3.0]))
    >>> categorical.log_prob(aino.tensor([0, 1]))
    tensor([-1.3863, -0.2877])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        name = either(probs=probs, logits=logits)
        given = probs if name == "probs" else logits
        if not isinstance(given, Tensor) or given.dim() < 1:
            raise ShapeError(f"{name} must be a tensor of one dimension or more, got {given!r}")
        if name == "probs":
            self.probs = given / given.sum(-1, keepdim=True)
        else:
            self.logits = normalized_logits(given)
        super().__init__(self._param.shape[:-1], validate_args=validate_args)

    @lazy_property
    def probs(self) -> Tensor:
        """The probabilities, which sum to 1 over the last dimension."""
        return logits_to_probs(self.logits)

    @lazy_property
    def logits(self) -> Tensor:
        """The logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @property
    def _param(self) -> Tensor:
        """The parameter that was given."""
        own = vars(self)
        return own["probs"] if "probs" in own else own["logits"]

    @property
    def _num_events(self) -> int:
        return self._param.shape[-1]

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def param_shape(self) -> Size:
        """The shape of ``probs`` and ``logits``."""
        return self._param.shape

    @property
    def mean(self) -> Tensor:
        """nan: categories are no numbers."""
        return self._param.new_full(self._batch_shape, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        """nan: categories are no numbers."""
        return self._param.new_full(self._batch_shape, math.nan)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        count = Size(sample_shape).numel()
        if 0 in shape:
            return arange(0).reshape(shape)
        rows = self.probs.detach().reshape(-1, self._num_events)
        return multinomial(rows, count, replacement=True).mT.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        index, logits = broadcast_tensors(value.long().unsqueeze(-1), self.logits)
        return logits.gather(-1, index[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = self.logits.clamp(min=finfo(self.logits.dtype).min)  # no 0 times inf
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerated(arange(self._num_events), expand)
