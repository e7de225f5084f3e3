"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Tensor
from aino.distributions import constraints
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.sampling import log_gamma
from aino.errors import ShapeError
from aino.ops.creation.filled import eye
from aino.ops.pointwise.choosing import where
from aino.ops.pointwise.elementary import xlogy
from aino.ops.pointwise.softmax import softmax

__all__ = ["Dirichlet"]


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution over probabilities, of density ``∏ xᵢ^(aᵢ - 1) / B(a)``.

    Arguments:
        concentration: the exponents a, over the last dimension.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> dirichlet = aino.distributions.Dirichlet(aino.tensor([1.0, 1.0, 1.0]))
    >>> dirichlet.log_prob(aino.tensor([0.2, 0.3, 0.5]))
    tensor(0.6931)
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True

    def __init__(self, concentration: Any, validate_args: bool | None = None) -> None:
        if not isinstance(concentration, Tensor) or concentration.dim() < 1:
            raise ShapeError(
                f"concentration must be a tensor of one dimension or more, got {concentration!r}"
            )
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return softmax(log_gamma(self.concentration, shape), -1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return xlogy(self.concentration - 1, value).sum(-1) - self._log_beta()

    def _log_beta(self) -> Tensor:
        return self.concentration.lgamma().sum(-1) - self.concentration.sum(-1).lgamma()

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, keepdim=True)

    @property
    def mode(self) -> Tensor:
        """The likeliest event: a corner where all concentrations are below 1."""
        above = (self.concentration - 1).clamp(min=0)
        inside = above / above.sum(-1, keepdim=True)
        corner = eye(self._event_shape[0], dtype=above.dtype)[self.concentration.argmax(-1)]
        return where((self.concentration < 1).all(-1, keepdim=True), corner, inside)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, keepdim=True)
        share = self.concentration / total
        return share * (1 - share) / (total + 1)

    def entropy(self) -> Tensor:
        a = self.concentration
        total, count = a.sum(-1), self._event_shape[0]
        inside = ((a - 1) * a.digamma()).sum(-1)
        return self._log_beta() + (total - count) * total.digamma() - inside

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.lgamma().sum(-1) - x.sum(-1).lgamma()
