"""The beta distribution."""

from __future__ import annotations

from typing import Any

from aino.autograd.tensor import Size, Tensor
from aino.distributions import constraints
from aino.distributions.dirichlet import Dirichlet
from aino.distributions.exp_family import ExponentialFamily
from aino.distributions.sampling import log_gamma
from aino.distributions.utils import broadcast_all, clamp_probs
from aino.ops.pointwise.elementary import xlogy
from aino.ops.shape.joining import stack
from aino.ops.special.elementary import xlog1py

__all__ = ["Beta"]


class Beta(ExponentialFamily):
    """The beta distribution over [0, 1], of density ``xᵃ⁻¹ (1 - x)ᵇ⁻¹ / B(a, b)``.

    Arguments:
        concentration1: the exponent a, of x.
        concentration0: the exponent b, of 1 - x.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.Beta(2.0, 1.0).log_prob(aino.tensor([0.5, 1.0]))
    tensor([0.0000, 0.6931])
    """

    arg_constraints = {
        "concentration1": constraints.positive,
        "concentration0": constraints.positive,
    }
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self, concentration1: Any, concentration0: Any, validate_args: bool | None = None
    ) -> None:
        both = broadcast_all(concentration1, concentration0)
        self._dirichlet = Dirichlet(stack(both, -1), validate_args=False)
        super().__init__(both[0].shape, validate_args=validate_args)

    def _expand_rest(self, new: Any, batch: Size) -> None:
        new._dirichlet = self._dirichlet.expand(batch)

    @property
    def concentration1(self) -> Tensor:
        """The exponent of x."""
        return self._dirichlet.concentration[..., 0]

    @property
    def concentration0(self) -> Tensor:
        """The exponent of 1 - x."""
        return self._dirichlet.concentration[..., 1]

    @property
    def mean(self) -> Tensor:
        return self._dirichlet.mean[..., 0]

    @property
    def mode(self) -> Tensor:
        return self._dirichlet.mode[..., 0]

    @property
    def variance(self) -> Tensor:
        return self._dirichlet.variance[..., 0]

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        odds = log_gamma(self.concentration1, shape) - log_gamma(self.concentration0, shape)
        return clamp_probs(odds.sigmoid())

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        a, b = self.concentration1, self.concentration0
        return xlogy(a - 1, value) + xlog1py(b - 1, -value) - self._dirichlet._log_beta()

    def entropy(self) -> Tensor:
        return self._dirichlet.entropy()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration1, self.concentration0

    def _log_normalizer(self, x: Tensor, y: Tensor) -> Tensor:  # type: ignore[override]
        return x.lgamma() + y.lgamma() - (x + y).lgamma()
