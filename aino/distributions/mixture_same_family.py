"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.categorical import Categorical
from aino.distributions.constraints import MixtureSameFamilyConstraint
from aino.distributions.distribution import Distribution
from aino.distributions.utils import shape_of
from aino.ops.pointwise.softmax import log_softmax
from aino.ops.reduce.reduction import logsumexp

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture, whose components are the last batch dimension of one distribution.

    Arguments:
        mixture_distribution: a ``Categorical`` that chooses the component.
        component_distribution: the components, in a batch ``(..., K)``.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> from aino import distributions as D
    >>> choice = D.Categorical(aino.tensor([0.5, 0.5]))
    >>> mixture = D.MixtureSameFamily(choice, D.Normal(aino.tensor([-1.0, 1.0]), aino.ones(2)))
    >>> mixture.mean, mixture.variance
    (tensor(0.), tensor(2.))
    """

    arg_constraints: dict[str, constraints.Constraint] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "mixture_distribution must be a Categorical, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "component_distribution must be a Distribution, got "
                f"{type(component_distribution).__name__}"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        own, theirs = mixture_distribution.batch_shape, component_distribution.batch_shape
        for size, other in zip(reversed(own), reversed(theirs[:-1])):
            if 1 not in (size, other) and size != other:
                raise ValueError(
                    f"the mixture's batch shape {own} does not fit that of the components, "
                    f"{theirs}, less its last dimension"
                )
        count = mixture_distribution._num_events
        if not theirs or theirs[-1] not in (1, count):
            raise ValueError(
                f"the mixture has {count} components, the components' batch shape is {theirs}"
            )
        self._num_component = count
        events = component_distribution.event_shape
        self._event_ndims = len(events)
        super().__init__(theirs[:-1], events, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        batch = shape_of(batch_shape)
        new = self._get_checked_instance(MixtureSameFamily, _instance)
        components = self._component_distribution.expand((*batch, self._num_component))
        new._component_distribution = components
        new._mixture_distribution = self._mixture_distribution.expand(batch)
        new._num_component, new._event_ndims = self._num_component, self._event_ndims
        new._batch_shape, new._event_shape = batch, self._event_shape
        new._validate_args = self._validate_args
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The components, the last dimension of a batch."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        """Return the probabilities, with dimensions for the events."""
        probs = self._mixture_distribution.probs
        return probs.reshape((*probs.shape, *(1,) * self._event_ndims))

    def _mixed(self, figures: Tensor) -> Tensor:
        """Return the weighted sum of figures of the components."""
        return (self._weights() * figures).sum(-1 - self._event_ndims)

    @property
    def mean(self) -> Tensor:
        return self._mixed(self._component_distribution.mean)

    @property
    def variance(self) -> Tensor:
        means = self._component_distribution.mean
        away = means - self.mean.unsqueeze(-1 - self._event_ndims)
        return self._mixed(self._component_distribution.variance) + self._mixed(away.square())

    def cdf(self, x: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(x)
        cdf = self._component_distribution.cdf(self._padded(x))
        return (cdf * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, x: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(x)
        own = self._component_distribution.log_prob(self._padded(x))
        return logsumexp(own + log_softmax(self._mixture_distribution.logits, -1), -1)

    def _padded(self, value: Tensor) -> Tensor:
        """Return a value with a dimension for the components."""
        return value.unsqueeze(-1 - self._event_ndims)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            chosen = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            dim = len(sample_shape) + len(self._batch_shape)
            index = chosen.reshape((*chosen.shape, *(1,) * (self._event_ndims + 1)))
            shape = (*sample_shape, *self._batch_shape, 1, *self._event_shape)
            return drawn.gather(dim, index.expand(shape)).squeeze(dim)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
