"""Distributions of what transforms make of another's samples."""

from __future__ import annotations

from typing import Any

from aino.autograd.mode import no_grad
from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.independent import Independent
from aino.distributions.transforms import ComposeTransform, Transform
from aino.distributions.utils import sum_rightmost
from aino.errors import ShapeError

__all__ = ["TransformedDistribution"]


class TransformedDistribution(Distribution):
    """What transforms, one after the other, make of the samples of a distribution.

    With y = T(x): ``ln p(y) = ln p(x) - ln |det ∂y/∂x|``.

    Arguments:
        base_distribution: the distribution of x.
        transforms: a transform, or a list of them.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> from aino import distributions as D
    >>> log_normal = D.TransformedDistribution(D.Normal(0.0, 1.0), D.ExpTransform())
    >>> log_normal.log_prob(aino.tensor([1.0, 2.0]))
    tensor([-0.9189, -1.8523])
    """

    arg_constraints: dict[str, constraints.Constraint] = {}

    def __init__(
        self, base_distribution: Distribution, transforms: Any, validate_args: bool | None = None
    ) -> None:
        self.transforms = [transforms] if isinstance(transforms, Transform) else transforms
        if not isinstance(self.transforms, list) or not all(
            isinstance(t, Transform) for t in self.transforms
        ):
            raise ValueError(f"transforms must be a Transform or a list of such, got {transforms}")
        together = ComposeTransform(self.transforms)
        base_shape = base_distribution.batch_shape + base_distribution.event_shape
        base_events = len(base_distribution.event_shape)
        if len(base_shape) < together.domain.event_dim:
            raise ShapeError(
                f"the transforms take events of {together.domain.event_dim} dimensions, but the "
                f"base distribution has the shape {Size(base_shape)}"
            )
        forward_shape = together.forward_shape(base_shape)
        expanded = together.inverse_shape(forward_shape)
        if base_shape != expanded:
            base_distribution = base_distribution.expand(
                expanded[: len(expanded) - len(base_distribution.event_shape)]
            )
        self.base_dist = _over(base_distribution, together.domain.event_dim - base_events)
        codomain = together.codomain.event_dim
        events = codomain + max(base_events - together.domain.event_dim, 0)
        cut = len(forward_shape) - events
        super().__init__(forward_shape[:cut], forward_shape[cut:], validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        shape = ComposeTransform(self.transforms).inverse_shape((*batch, *self._event_shape))
        base_batch = shape[: len(shape) - len(self.base_dist.event_shape)]
        new.base_dist = self.base_dist.expand(base_batch)
        new.transforms = self.transforms

    @property
    def has_rsample(self) -> bool:
        return self.base_dist.has_rsample

    @constraints.dependent_property(is_discrete=False)
    def support(self) -> Any:
        if not self.transforms:
            return self.base_dist.support
        support = self.transforms[-1].codomain
        missing = len(self._event_shape) - support.event_dim
        return constraints.independent(support, missing) if missing > 0 else support

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with no_grad():
            return self._transformed(self.base_dist.sample(sample_shape))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        return self._transformed(self.base_dist.rsample(sample_shape))

    def _transformed(self, x: Tensor) -> Tensor:
        for transform in self.transforms:
            x = transform(x)
        return x

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        events, y = len(self._event_shape), value
        log_prob: Any = 0.0
        for transform in reversed(self.transforms):
            x = transform.inv(y)
            events += transform.domain.event_dim - transform.codomain.event_dim
            jacobian = transform.log_abs_det_jacobian(x, y)
            log_prob = log_prob - sum_rightmost(jacobian, events - transform.domain.event_dim)
            y = x
        own = self.base_dist.log_prob(y)
        return log_prob + sum_rightmost(own, events - len(self.base_dist.event_shape))

    def _sign(self) -> Any:
        """Return -1 where the transforms turn the order around, else 1."""
        sign: Any = 1
        for transform in self.transforms:
            sign = sign * transform.sign
        return sign

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        for transform in reversed(self.transforms):
            value = transform.inv(value)
        return _turned(self.base_dist.cdf(value), self._sign())

    def icdf(self, value: Tensor) -> Tensor:
        return self._transformed(self.base_dist.icdf(_turned(value, self._sign())))


def _turned(probability: Tensor, sign: Any) -> Tensor:
    """Return the probability of what lies on the other side where the sign is -1."""
    if isinstance(sign, int) and sign == 1:
        return probability
    return sign * (probability - 0.5) + 0.5


def _over(distribution: Distribution, dimensions: int) -> Distribution:
    """Return a distribution whose last batch dimensions belong to its events."""
    return Independent(distribution, dimensions) if dimensions > 0 else distribution
