"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

from aino.autograd.tensor import Tensor, make
from aino.distributions import constraints
from aino.distributions.distribution import Distribution
from aino.distributions.utils import broadcast_all
from aino.ops.random.generator import draw
from aino.ops.special.bessel import i0e, i1e

__all__ = ["VonMises"]


class VonMises(Distribution):
    """The von Mises distribution of an angle, of density ``exp(κ cos(x - loc)) / 2π I₀(κ)``.

    Arguments:
        loc: the angle that is likeliest.
        concentration: κ, how much likelier it is.
        validate_args: whether parameters and values are checked; None for the default.

    >>> import aino
    >>> aino.distributions.VonMises(aino.tensor(0.0), aino.tensor(1.0)).log_prob(aino.tensor(0.0))
    tensor(-1.0738)
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        # κ cos x is κ - 2κ sin² x/2, and I₀ grows as e^κ.
        turned = ((value - self.loc) / 2).sin().square()
        return -2 * self.concentration * turned - math.log(2 * math.pi) - self._log_scaled()

    def _log_scaled(self) -> Tensor:
        return i0e(self.concentration).log()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Return angles from -π to π, around ``loc``."""
        shape, dtype = self._extended_shape(sample_shape), self.loc.dtype
        loc = self.loc.detach().expand(shape).array
        concentration = self.concentration.detach().expand(shape).array
        return make(draw(None, "vonmises", tuple(shape), dtype, loc, concentration))

    @property
    def mean(self) -> Tensor:
        """The mean direction."""
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The circular variance, ``1 - I₁(κ) / I₀(κ)``."""
        return 1 - i1e(self.concentration) / i0e(self.concentration)
